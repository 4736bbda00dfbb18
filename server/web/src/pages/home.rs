//! The start page.

use actix_web::{HttpRequest, web};
use minijinja::{Value, context};

use super::signed_in;
use crate::fault::Answer;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config.route("/", web::get().to(home));
}

async fn home(request: HttpRequest) -> Answer {
    let visit = signed_in!(&request);
    let missing = visit.people().to_be_linked(&visit.who).await?;
    let shown = missing.iter().filter_map(|name| visit.people().service(name));
    let required: Vec<Value> =
        shown.map(|it| context! { name => it.name.as_str(), title => it.title.as_str() }).collect();
    let title = format!("Good to see you, {}", visit.who.person.display_name);
    visit.page("home.html", &title, context! { required })
}
