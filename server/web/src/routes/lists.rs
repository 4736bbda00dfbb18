//! Lists of targets from a firm's own databases.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, web};
use postroom_api::list::{ListView, ListsView, RowsView};
use postroom_api::problem::{Code, Problem};
use postroom_domain::ids::ListName;
use postroom_domain::lists::{Asker, ListError};
use postroom_domain::people::Person;
use postroom_domain::record::by_id;

use super::asked::{Asked, Named};
use crate::app::Shared;
use crate::auth::{Allowed, File};
use crate::fault::{Answer, Fault, sentence};

impl From<ListError> for Fault {
    fn from(error: ListError) -> Self {
        let words = error.to_string();
        match error {
            ListError::NoList(name) => Self::not_found(format_args!("list \"{name}\"")),
            ListError::NoParameter(name) => Self::new(
                Code::UnknownField,
                format!("{name}: {words}. GET /api/v1/lists tells the parameters of each list."),
            ),
            ListError::BadValue(name) => Self::value(&name, words),
            ListError::NotAPerson => {
                Self::new(Code::Forbidden, sentence(&words)).hint("Sign in as a person.")
            }
            ListError::Slow => Self::new(Code::DmsSlow, sentence(&words)),
            ListError::Failed(why) => Self::new(Code::DmsFailed, sentence(&words))
                .hint("Try again later; `postroom doctor` tells an administrator what is wrong.")
                .log(why),
        }
    }
}

/// The lists of targets that there are.
#[utoipa::path(tag = "lists", operation_id = "list_lists", security(("token" = [])), responses(
    (status = 200, description = "The lists.", body = ListsView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/lists")]
pub(crate) async fn list_lists(_: Allowed<File>, app: web::Data<Shared>) -> Answer {
    let items = app.lists.lists().into_iter().map(ListView::from).collect();
    Ok(HttpResponse::Ok().json(ListsView { items }))
}

/// Rows of a list. Its parameters stand in the address, such as `text`; what is not given counts as empty.
#[utoipa::path(tag = "lists", operation_id = "read_list", security(("token" = [])),
    params(("name" = String, Path, description = "The list."),
        ("text" = Option<String>, Query, description = "Most lists search by it; the list tells its parameters.")), responses(
    (status = 200, description = "The rows, as many as the settings allow.", body = RowsView),
    (status = "default", description = "A problem.", body = Problem, content_type = "application/problem+json"),
))]
#[get("/api/v1/lists/{name}")]
pub(crate) async fn read_list(
    caller: Allowed<File>,
    Named(name): Named<ListName>,
    Asked(given): Asked<BTreeMap<String, String>>,
    app: web::Data<Shared>,
) -> Answer {
    let by = caller.principal();
    let person: Option<Person> = match by.person {
        Some(id) => by_id(&*app.store, id.as_u128()).await?,
        None => None,
    };
    // An empty e-mail would be a value that a table may hold; nobody is found by it.
    let email = person.map(|person| person.email).filter(|email| !email.is_empty());
    let asker = Asker { name: by.name.clone(), email };
    let rows = app.lists.rows(&asker, &name, &given).await?;
    Ok(HttpResponse::Ok().json(RowsView::from(rows)))
}
