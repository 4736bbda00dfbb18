//! The pages a person sees. Buttons carry the names a test clicks by.

/// Text as HTML shows it.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>body{{font:16px sans-serif;max-width:30em;margin:2em auto;padding:0 1em}}\
         button{{display:block;width:100%;margin:.4em 0;padding:.6em;text-align:left}}</style>\
         <h1>{title}</h1>{body}</html>"
    )
}

/// Whom to sign in as: a button named `{name} ({email})` for each person, and `Cancel`.
pub(crate) fn chooser(title: &str, action: &str, people: &[(&str, &str, &str)]) -> String {
    let mut body = format!("<form method=\"post\" action=\"{}\">", escape(action));
    for (id, name, email) in people {
        let (id, name, email) = (escape(id), escape(name), escape(email));
        let button = format!("<button name=\"person\" value=\"{id}\">{name} ({email})</button>");
        body.push_str(&button);
    }
    body.push_str("<button name=\"decision\" value=\"deny\">Cancel</button></form>");
    page(title, &body)
}

/// Whether to let the application in: `Allow` and `Deny`.
pub(crate) fn consent(title: &str, action: &str, who: &str, app: &str, scope: &[String]) -> String {
    let scopes = scope.iter().map(|s| escape(s)).collect::<Vec<_>>().join("</li><li>");
    page(
        title,
        &format!(
            "<p>Signed in as {}.</p><p>The application {} asks for:</p><ul><li>{scopes}</li></ul>\
             <form method=\"post\" action=\"{}\"><button name=\"decision\" value=\"allow\">Allow</button>\
             <button name=\"decision\" value=\"deny\">Deny</button></form>",
            escape(who),
            escape(app),
            escape(action)
        ),
    )
}

/// A page with one message.
pub(crate) fn message(title: &str, text: &str) -> String {
    page(title, &format!("<p role=\"alert\">{}</p>", escape(text)))
}
