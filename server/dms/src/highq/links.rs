//! Addresses of HighQ's pages for people. They need no more than a log-in.

use url::Url;

use crate::account::below;

fn page(base: &Url, action: &str, query: &[(&str, u64)]) -> String {
    let mut url = below(base, action);
    {
        let mut pairs = url.query_pairs_mut();
        for (key, value) in query {
            pairs.append_pair(&format!("metaData.{key}"), &value.to_string());
        }
    }
    url.into()
}

pub(super) fn site(base: &Url, site: u64) -> String {
    page(base, "siteHomePage.action", &[("siteID", site)])
}

pub(super) fn folder(base: &Url, site: u64, folder: u64) -> String {
    page(base, "documentHome.action", &[("siteID", site), ("parentFolderID", folder)])
}

pub(super) fn file(base: &Url, site: u64, folder: u64, file: u64) -> String {
    let query = [("siteID", site), ("parentFolderID", folder), ("documentID", file)];
    page(base, "documentHome.action", &query)
}
