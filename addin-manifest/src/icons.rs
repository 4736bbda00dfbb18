//! The icons, rendered from the drawings beside them; up to 25 pixels from one of their own, which leaves the pigeon-holes out.

use std::borrow::Cow;

use rust_embed::Embed;

#[derive(Embed)]
#[folder = "icons"]
struct Icons;

/// The bytes of an icon by its name, such as `icon-16.png`: 16, 20, 24, 25, 32, 40, 48, 64, 80, 96, 128 or 192 pixels, or `outline-32.png`.
pub fn icon(name: &str) -> Option<Cow<'static, [u8]>> {
    // The drawings lie there too.
    Icons::get(name).filter(|file| file.metadata.mimetype() == "image/png").map(|file| file.data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_icon_is_as_large_as_its_name_says() {
        let mut names: Vec<_> = Icons::iter().map(Cow::into_owned).filter(|it| icon(it).is_some()).collect();
        names.sort();
        let sizes = [128, 16, 192, 20, 24, 25, 32, 40, 48, 64, 80, 96];
        let wanted: Vec<_> = sizes
            .map(|size| format!("icon-{size}.png"))
            .into_iter()
            .chain(["outline-32.png".to_owned()])
            .collect();
        assert_eq!(names, wanted);
        for name in names {
            let bytes = icon(&name).unwrap();
            let said: u32 = name.split(['-', '.']).nth(1).unwrap().parse().unwrap();
            let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
            assert_eq!(bytes[..8], *b"\x89PNG\r\n\x1a\n", "{name}");
            assert_eq!([number(16), number(20)], [said, said], "{name}");
        }
        assert!(icon("icon.svg").is_none() && icon("../Cargo.toml").is_none());
    }
}
