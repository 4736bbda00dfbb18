//! Templates: in the program itself, parsed once, escaping everything that is put into them.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::ContentType;
use minijinja::value::merge_maps;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use postroom_domain::desk::SignedIn;
use postroom_domain::person::Permission;

use super::show;
use crate::app::Shared;
use crate::fault::{Answer, Fault};

macro_rules! sources {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

const SOURCES: &[(&str, &str)] = sources!(
    "base.html",
    "parts.html",
    "message.html",
    "goes_on.html",
    "sign_in.html",
    "invitation.html",
    "home.html",
    "upload.html",
    "data_uploads.html",
    "data_upload.html",
    "links.html",
    "confirm.html",
    "remove.html",
    "account.html",
    "persons.html",
    "person_fields.html",
    "person.html",
    "admin_links.html",
    "audit.html",
    "capabilities.html",
    "dialog.html",
    "hand_back.html",
    "addin.html",
    "addin_commands.html",
    "addin_help.html",
    "addin_admin.html",
    "send_base.html",
    "send_to.html",
    "send_done.html",
    "send_problem.html",
    "send_frame.html",
);

static TEMPLATES: LazyLock<Result<Environment<'static>, minijinja::Error>> = LazyLock::new(environment);

fn environment() -> Result<Environment<'static>, minijinja::Error> {
    let mut environment = Environment::new();
    // What a form was not sent with stands for an empty field.
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    for (name, source) in SOURCES {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

/// What stands around a page of somebody who is signed in.
pub(super) struct Frame<'a> {
    pub(super) who: &'a SignedIn,
    pub(super) form_token: &'a str,
    pub(super) path: &'a str,
}

/// The pages that there are, with who may see them.
const MENU: [(&str, &str, &str, Option<Permission>); 10] = [
    ("/", "Start", "", None),
    ("/upload", "Hand in", "Documents from this computer, also large ones.", Some(Permission::File)),
    (
        "/links",
        "Linked accounts",
        "The accounts with which your documents are filed.",
        Some(Permission::File),
    ),
    ("/account", "Your sessions and tokens", "Where you are signed in, and tokens for your programs.", None),
    ("/admin/persons", "Persons", "Who may come in, and what they may do.", Some(Permission::ManagePersons)),
    (
        "/admin/links",
        "Services",
        "System accounts, and the state of everybody's links.",
        Some(Permission::ManageLinks),
    ),
    ("/admin/audit", "Audit", "Who did what, and that nobody changed it since.", Some(Permission::ReadAudit)),
    (
        "/admin/data-uploads",
        "Data uploads",
        "Tables of work items: load them, and unload them.",
        Some(Permission::EditWorkItems),
    ),
    (
        "/admin/capabilities",
        "What works",
        "What will not work, why, and who can mend it.",
        Some(Permission::Administer),
    ),
    (
        "/admin/addin",
        "Add-ins",
        "How to give people the buttons in Outlook, Word and a DMS.",
        Some(Permission::Administer),
    ),
];

fn around(frame: &Frame<'_>) -> Value {
    let SignedIn { person, principal, .. } = frame.who;
    let menu: Vec<Value> = MENU
        .iter()
        .filter(|(_, _, _, needs)| needs.is_none_or(|needs| principal.may(needs)))
        .map(|(path, text, about, _)| {
            let here = *path == frame.path || (*path != "/" && frame.path.starts_with(&format!("{path}/")));
            context! { path => *path, text => *text, about => *about, here }
        })
        .collect();
    let me = context! {
        display => person.display_name.as_str(), email => person.email.as_str(), roles => show::list(&person.roles),
        sites => show::sites(&person.sites), teams => show::list(&person.teams),
    };
    context! { me, menu, form_token => frame.form_token }
}

/// Renders a page that stands alone: it has no frame of ours around it, and nobody need be signed in.
pub(super) fn alone(app: &Shared, template: &str, about: Value) -> Answer {
    page(app, StatusCode::OK, template, "", None, about)
}

/// Renders a page.
pub(super) fn page(
    app: &Shared,
    status: StatusCode,
    template: &str,
    title: &str,
    frame: Option<&Frame<'_>>,
    about: Value,
) -> Answer {
    // Never the long form of these errors: it lists the values that the template was given, secrets among them.
    let failed = |error: &minijinja::Error| Fault::internal(format!("{template}: {error}"));
    let environment = TEMPLATES.as_ref().map_err(failed)?;
    let frame = frame.map_or_else(|| context! {}, around);
    let all = merge_maps([context! { title, installation => app.name.as_str() }, about, frame]);
    let text =
        environment.get_template(template).and_then(|it| it.render(all)).map_err(|error| failed(&error))?;
    Ok(HttpResponse::build(status).content_type(ContentType::html()).body(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_sound_and_escapes() {
        let environment = environment().unwrap();
        for (name, _) in SOURCES {
            assert!(environment.get_template(name).is_ok(), "{name}");
        }
        let hostile = "<script>alert('x')</script>\" onload=\"x";
        let about = context! { title => hostile, error => hostile, hint => hostile, back_path => hostile };
        let text = environment.get_template("message.html").unwrap().render(about).unwrap();
        assert!(!text.contains("<script") && !text.contains("\" onload"), "{text}");
    }

    #[test]
    fn nothing_stands_inline() {
        for (name, source) in SOURCES {
            for no in [" style=", " onclick", "<style", "<script>", "|safe", "javascript:"] {
                assert!(!source.contains(no), "{name}: {no}");
            }
        }
    }
}
