//! The console over a large store, in a real terminal: how soon it shows something, how soon a key is seen, what it costs to have it open.
//! What tmux takes to hand a key on and to tell its screen is in the figures, and told besides.

use std::time::{Duration, Instant};

use postroom_tests::World;
use postroom_tests::console::Console;
use postroom_tests::process::{processor_time, program, resident};
use postroom_tests::settings::token;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::{Sizes, figure, p99};

/// How long a slow link takes there, and as long back.
const ONE_WAY: Duration = Duration::from_millis(100);

/// A console at an address, with its process.
struct Open {
    console: Console,
    pid: i32,
    first: Duration,
}

fn open(world: &World, url: &str, name: &str) -> Open {
    let (token_file, pid_file) = (world.root().join("token"), world.root().join(format!("pid-{name}")));
    std::fs::write(&token_file, token("operator")).unwrap();
    let command = format!(
        "echo $$ > {}; exec {} --server {url} --token-file {} --config {}",
        pid_file.display(),
        program("postroom-tui").display(),
        token_file.display(),
        world.root().join("console.toml").display(),
    );
    let begin = Instant::now();
    let console = Console::start(&command, 120, 40);
    wait(&console, |screen| screen.contains("DESTINATIONS"));
    let first = begin.elapsed();
    let pid = std::fs::read_to_string(&pid_file).unwrap().trim().parse().unwrap();
    Open { console, pid, first }
}

/// Waits until the screen is as wanted. The thread is blocked: nothing else shall run beside what is measured.
fn wait(console: &Console, good: impl Fn(&str) -> bool) -> String {
    let begin = Instant::now();
    loop {
        let screen = console.screen();
        if good(&screen) {
            return screen;
        }
        assert!(begin.elapsed() < Duration::from_mins(1), "the console shows something else:\n{screen}");
    }
}

/// How long it takes until a key is seen.
fn repaint(console: &Console, key: &str) -> Duration {
    // The title of the list tells which row it is.
    let cursor = |screen: &str| screen.lines().nth(1).map(str::to_owned);
    let before = cursor(&console.screen());
    let begin = Instant::now();
    console.press(&[key]);
    wait(console, |screen| cursor(screen) != before);
    begin.elapsed()
}

/// What is measured with nothing behind it: a shell that echoes a key.
fn bare() -> Duration {
    let console = Console::start("cat", 20, 5);
    let mut times = Vec::new();
    for _ in 0..20 {
        let before = console.screen();
        let begin = Instant::now();
        console.press(&["x"]);
        wait(&console, |screen| screen != before);
        times.push(begin.elapsed());
    }
    p99(times)
}

pub(crate) async fn run(sizes: &Sizes, world: &World) {
    let filings = sizes.backlog;
    let millis = |time: Duration| time.as_secs_f64() * 1000.0;
    let tmux = tokio::task::block_in_place(bare);
    let more = json!({"filings": filings, "tmux_ms": millis(tmux).round()});
    let url = world.url();

    let Open { console, pid, first } = tokio::task::block_in_place(|| open(world, &url, "near"));
    let value = millis(first);
    figure(
        sizes,
        "console_first_screen",
        (value, "ms"),
        "absolute",
        ("< 300 ms", value < 300.0),
        more.clone(),
    );

    let times = tokio::task::block_in_place(|| {
        console.press(&["5"]);
        wait(&console, |screen| screen.contains("1 of 100"));
        let mut times: Vec<Duration> =
            (0..sizes.samples.min(200)).map(|_| repaint(&console, "Down")).collect();
        times.extend((0..20).map(|_| repaint(&console, "Up")));
        times
    });
    let value = millis(p99(times));
    figure(
        sizes,
        "console_key_to_repaint",
        (value, "ms (p99)"),
        "absolute",
        ("< 50 ms", value < 50.0),
        more.clone(),
    );

    // Walked down some thousand rows: what is held stays bounded.
    for _ in 0..100 {
        console.press(&["PageDown", "PageDown"]);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mib = resident(pid) as f64 / f64::from(1 << 20);
    figure(sizes, "console_memory", (mib, "MiB"), "absolute", ("< 100 MiB", mib < 100.0), more.clone());

    console.press(&["1"]);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (before, span) = (processor_time(pid), Duration::from_secs(sizes.seconds.max(5)));
    tokio::time::sleep(span).await;
    let share = (processor_time(pid).saturating_sub(before)).as_secs_f64() / span.as_secs_f64() * 100.0;
    figure(sizes, "console_idle", (share, "% of a core"), "absolute", ("< 1 %", share < 1.0), more.clone());
    drop(console);

    // The same over a slow link: keys do not wait for it.
    let far = slow_link(&url).await;
    let times = tokio::task::block_in_place(|| {
        let Open { console, .. } = open(world, &far, "far");
        console.press(&["5"]);
        wait(&console, |screen| screen.contains("1 of 100"));
        (0..30).map(|_| repaint(&console, "Down")).collect::<Vec<_>>()
    });
    let value = millis(p99(times));
    figure(
        sizes,
        "console_key_over_200_ms",
        (value, "ms (p99)"),
        "absolute",
        ("< 50 ms", value < 50.0),
        more,
    );
}

/// A door to the server behind which everything takes a tenth of a second, there and back. Answers its address.
async fn slow_link(url: &str) -> String {
    let server = url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = door.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = door.accept().await {
            let Ok(far) = TcpStream::connect(&server).await else { continue };
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(carry(near_in, far_out));
            tokio::spawn(carry(far_in, near_out));
        }
    });
    format!("http://{address}")
}

async fn carry(mut from: tokio::net::tcp::OwnedReadHalf, mut to: tokio::net::tcp::OwnedWriteHalf) {
    let (sender, mut pieces) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    tokio::spawn(async move {
        while let Some((at, piece)) = pieces.recv().await {
            tokio::time::sleep_until((at + ONE_WAY).into()).await;
            if to.write_all(&piece).await.is_err() {
                return;
            }
        }
    });
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if sender.send((Instant::now(), buffer[..length].to_vec())).is_err() {
            return;
        }
    }
}
