//! `[[workflows]]`, `[[collections]]` and `[send_to]`: what people do with what a DMS hands over.

use std::collections::{BTreeMap, HashSet};

use postroom_domain::handed::Vendor;
use postroom_domain::ids::ServiceName;
use serde::Deserialize;
use toml::Spanned;
use url::Url;

use super::Settings;

/// `[send_to]`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendTo {
    /// Origins of the DMS's pages that may show the hand-over in a frame, such as `https://work.firm.example`. None by default: DMSs
    /// open windows of their own.
    #[serde(default)]
    frames: Vec<String>,
}

impl SendTo {
    /// The origins, as a policy names them.
    pub(crate) fn frames(&self) -> Vec<String> {
        self.frames.iter().filter_map(|text| origin(text)).collect()
    }
}

/// An origin and nothing more; anything else could say something else in a policy.
fn origin(text: &str) -> Option<String> {
    let url: Url = text.parse().ok()?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let plain =
        matches!(url.scheme(), "https" | "http") && url.username().is_empty() && url.password().is_none();
    (bare && plain).then(|| url.origin().ascii_serialization())
}

impl Settings {
    /// Whose ids each destination has, where they can be recognised.
    pub(crate) fn vendors(&self) -> BTreeMap<ServiceName, Vendor> {
        let destinations = self.destinations.iter().map(Spanned::get_ref);
        destinations.filter_map(|it| Some((it.name.clone(), Vendor::of_kind(it.kind.as_str())?))).collect()
    }

    /// What cannot work of it, or stands twice.
    pub(super) fn send_to_mistakes(&self) -> Vec<(usize, String)> {
        let mut wrong = Vec::new();
        let rules = self.rules();
        let mut names = HashSet::new();
        for workflow in &self.workflows {
            let (at, it) = (workflow.span().start, workflow.get_ref());
            let key = format!("workflows \"{}\"", it.name);
            let mut note = |problem: String| wrong.push((at, format!("{key}: {problem}")));
            it.mistakes().into_iter().for_each(&mut note);
            if !names.insert(&it.name) {
                note("the name stands twice".to_owned());
            }
            if rules.repository(it.area, &it.work_type).is_none() {
                note(format!(
                    "no repository serves {} of work type {}: its documents would go nowhere",
                    it.area, it.work_type
                ));
            }
        }
        let mut names = HashSet::new();
        for collection in &self.collections {
            let (at, it) = (collection.span().start, collection.get_ref());
            let key = format!("collections \"{}\"", it.name);
            let mut note = |problem: String| wrong.push((at, format!("{key}: {problem}")));
            it.mistakes().into_iter().for_each(&mut note);
            if !names.insert(&it.name) {
                note("the name stands twice".to_owned());
            }
        }
        for text in self.send_to.frames.iter().filter(|text| origin(text).is_none()) {
            let problem =
                format!("send_to.frames: \"{text}\" is not an origin such as https://work.firm.example");
            wrong.push((0, problem));
        }
        wrong
    }
}
