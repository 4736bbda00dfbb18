//! A document's history. The activity names are public; the numbers of `activity_code` are inferred.

use serde_json::json;

use super::access::Caller;
use super::dispatch::Call;
use super::error::Result;
use super::model::{Document, Event};
use super::paging::Page;
use super::render::date;
use super::reply::Reply;

/// What happened to a document.
#[derive(Clone, Copy, Debug)]
pub(super) enum Activity {
    NewDocument,
    NewVersion,
    Modify,
    View,
    Export,
}

impl Activity {
    fn parts(self) -> (&'static str, u32) {
        match self {
            Self::View => ("VIEW", 1),
            Self::NewDocument => ("NEWDOCUMENT", 2),
            Self::NewVersion => ("NEWDOCVER", 3),
            Self::Modify => ("MODIFY", 4),
            Self::Export => ("EXPORT", 5),
        }
    }
}

impl Document {
    pub(super) fn record(
        &mut self,
        activity: Activity,
        version: u32,
        caller: &Caller,
        comments: &str,
        at: i64,
    ) {
        let (activity, code) = activity.parts();
        self.history.push(Event {
            activity,
            code,
            version,
            user: caller.user.clone(),
            app: caller.app.clone(),
            comments: comments.to_owned(),
            at,
        });
    }
}

/// Activities of a filter value.
fn wanted(filter: &str, activity: &str) -> bool {
    match filter {
        "download" => activity == "EXPORT",
        "edit" => matches!(activity, "NEWDOCUMENT" | "NEWDOCVER" | "MODIFY"),
        "version" => activity == "NEWDOCVER",
        "view" => activity == "VIEW",
        "copy" | "email" | "print" | "share" => false,
        _ => true,
    }
}

/// `GET L/documents/{id}/history`, newest first.
pub(super) fn list(call: &Call<'_>) -> Result<Reply> {
    let caller = call.caller()?;
    let page = Page::from(call.params, call.switches)?;
    let library = call.library()?;
    let state = call.shared.state();
    let (at, version) = state.document(caller, Some(library), call.route.id())?;
    let doc = &state.docs[at];
    let filter = call.params.get("activity").unwrap_or("all");
    let all_versions = call.params.flag("all_versions");
    let events = doc
        .history
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, e)| (all_versions || e.version == version) && wanted(filter, e.activity));
    let paged = page.cut(events, call.switches);
    let listing = paged.map(|(at, e)| {
        json!({
            "activity": e.activity, "activity_code": e.code, "activity_date": date(e.at),
            "application_name": e.app, "comments": e.comments,
            "database": state.libraries[doc.library].name,
            "document_id": state.document_id(doc, e.version, call.switches),
            "document_number": doc.number, "version": e.version, "id": (at + 1).to_string(),
            "num1": "0", "num2": "0", "num3": "0", "user": e.user,
            "user_fullname": state.users.get(&e.user).map(|u| &u.full_name),
        })
    });
    Ok(listing.listing())
}
