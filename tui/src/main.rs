//! The program `postroom-tui`.

use clap::Parser;

fn main() -> anyhow::Result<()> {
    postroom_tui::run(&postroom_tui::Settings::parse())
}
