//! What the pages for people in Outlook, Word and a DMS say, in each language: one file a language, below `texts/`, and nothing said
//! elsewhere. A text may hold `{name}` for a value that is put in where it is shown.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::HttpMessage;
use actix_web::http::header::{AcceptLanguage, Header as _, Preference};

/// A language that there are texts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Language {
    /// English, for everybody whose language there is no file for.
    #[default]
    English,
    /// German.
    German,
}

type Table = BTreeMap<String, String>;

fn read(text: &str) -> Table {
    // Held by a test: a file that cannot be read would show keys in place of texts.
    serde_json::from_str(text).unwrap_or_default()
}

static ENGLISH: LazyLock<Table> = LazyLock::new(|| read(include_str!("../texts/en.json")));
static GERMAN: LazyLock<Table> = LazyLock::new(|| read(include_str!("../texts/de.json")));

impl Language {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its name in `lang` attributes and addresses.
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// By its tag, with or without a region: `de-AT` is German.
    pub(crate) fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or_default();
        Self::ALL.into_iter().find(|it| it.tag().eq_ignore_ascii_case(primary))
    }

    /// The language that a request asks for: `lang` in its address, else what its browser prefers.
    pub(crate) fn of<M: HttpMessage>(request: &M, query: &str) -> Self {
        let named = query.split('&').find_map(|part| part.strip_prefix("lang="));
        if let Some(language) = named.and_then(Self::of_tag) {
            return language;
        }
        let Ok(accepted) = AcceptLanguage::parse(request) else { return Self::default() };
        let known = |it: Preference<_>| match it {
            Preference::Specific(tag) => Self::of_tag(&ToString::to_string(&tag)),
            Preference::Any => Some(Self::default()),
        };
        accepted.ranked().into_iter().find_map(known).unwrap_or_default()
    }

    /// All texts by their keys.
    pub(crate) fn texts(self) -> &'static BTreeMap<String, String> {
        match self {
            Self::English => &ENGLISH,
            Self::German => &GERMAN,
        }
    }

    /// One text; its key where there is none, so that what is missing is seen.
    pub(crate) fn text(self, key: &str) -> &str {
        self.texts().get(key).map_or(key, String::as_str)
    }

    /// Those texts whose keys begin with one of some words, for a page's scripts.
    pub(crate) fn below(self, beginnings: &[&str]) -> BTreeMap<&'static str, &'static str> {
        let wanted = |key: &str| beginnings.iter().any(|it| key.starts_with(it));
        self.texts().iter().filter(|(key, _)| wanted(key)).map(|(k, v)| (k.as_str(), v.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The `{names}` of a text, sorted.
    fn holes(text: &str) -> Vec<&str> {
        let mut holes: Vec<&str> =
            text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect();
        holes.sort_unstable();
        holes
    }

    #[test]
    fn every_language_says_everything() {
        let english = Language::English.texts();
        assert!(!english.is_empty());
        for language in Language::ALL {
            let texts = language.texts();
            let keys = |table: &'static Table| table.keys().collect::<Vec<_>>();
            assert_eq!(keys(texts), keys(english), "{}", language.tag());
            for (key, text) in texts {
                assert!(!text.trim().is_empty(), "{} {key}", language.tag());
                assert_eq!(holes(text), holes(&english[key]), "{} {key}", language.tag());
            }
        }
    }

    #[test]
    fn the_language_is_the_one_asked_for() {
        use actix_web::http::header;
        use actix_web::test::TestRequest;
        let table = [
            ("", "de-AT,de;q=0.9,en;q=0.8", Language::German),
            ("", "fr,en;q=0.8,de;q=0.5", Language::English),
            ("", "fr", Language::English),
            ("", "*", Language::English),
            ("", "", Language::English),
            ("", ";;;q=x", Language::English),
            ("lang=de", "en", Language::German),
            ("x=1&lang=en-US", "de", Language::English),
            ("lang=xx", "de", Language::German),
        ];
        for (query, accepted, wanted) in table {
            let request = TestRequest::default().insert_header((header::ACCEPT_LANGUAGE, accepted));
            assert_eq!(Language::of(&request.to_http_request(), query), wanted, "{query} {accepted}");
        }
    }
}
