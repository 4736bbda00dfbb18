//! The routes. Each is registered together with its description, so that none can be without; what the description lacks does
//! not exist.

use actix_web::{HttpRequest, web};
use postroom_api::problem::Code;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_actix_web::{AppExt, UtoipaApp};

use crate::app::Shared;
use crate::fault::{Answer, Fault};

mod accounts;
pub(crate) mod ages;
mod asked;
mod audit;
mod bindings;
mod bookmarks;
mod bulk;
pub(crate) mod data_uploads;
mod decisions;
mod dms_accounts;
mod doors;
mod export;
mod filings;
mod follow;
mod health;
mod intakes;
mod letters;
mod letters_seen;
mod links;
mod lists;
mod machine;
mod notifications;
mod original;
mod persons;
mod places;
mod preview;
mod remarks;
mod resolve;
mod rules;
mod sending;
mod sheets;
mod summary;
pub(crate) mod tickets;
mod tus;
pub(crate) mod upload;
mod views;
mod work_items;

pub(crate) use dms_accounts::request_account;
pub(crate) use tus::{PROTOCOL, is_tus};
pub use upload::upload_key;

/// Registers every route.
pub(crate) fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(health::healthz)
        .service(health::readyz)
        .service(health::metrics_text)
        .service(health::description)
        .service(upload::take_in)
        .service(data_uploads::create_data_upload)
        .service(data_uploads::list_data_uploads)
        .service(data_uploads::export_work_items)
        .service(data_uploads::show_data_upload)
        .service(data_uploads::list_data_rows)
        .service(data_uploads::data_results)
        .service(data_uploads::check_data_upload)
        .service(data_uploads::run_data_upload)
        .service(data_uploads::stop_data_upload)
        .service(tus::tell_uploads)
        .service(tus::begin_upload)
        .service(tus::show_upload)
        .service(tus::append_to_upload)
        .service(tus::end_upload)
        .service(tus::upload_by_post)
        .service(intakes::list_intakes)
        .service(intakes::show_intake)
        .service(original::original_bytes)
        .service(preview::show_preview)
        .service(sheets::show_page)
        .service(intakes::assign)
        .service(intakes::give)
        .service(intakes::dismiss)
        .service(intakes::release)
        .service(remarks::note_intake)
        .service(letters::known_letters)
        .service(letters::hand_in_letter)
        .service(letters::undo_intake)
        .service(sending::list_send_intents)
        .service(sending::set_send_intent)
        .service(sending::remove_send_intent)
        .service(filings::list_filings)
        .service(export::export_filings)
        .service(filings::show_filing)
        .service(decisions::retry)
        .service(decisions::hold)
        .service(decisions::release)
        .service(decisions::cancel)
        .service(decisions::edit)
        .service(decisions::link)
        .service(decisions::file_anyway)
        .service(remarks::note_filing)
        .service(remarks::take_filing)
        .service(remarks::give_back_filing)
        .service(bulk::freeze_bulk)
        .service(bulk::list_bulk)
        .service(bulk::show_bulk)
        .service(bulk::list_bulk_items)
        .service(bulk::run_bulk)
        .service(bulk::stop_bulk)
        .service(bulk::undo_bulk)
        .service(summary::show_totals)
        .service(summary::cause_groups)
        .service(ages::ages)
        .service(views::list_views)
        .service(views::save_view)
        .service(views::remove_view)
        .service(follow::follow_events)
        .service(doors::pause_source)
        .service(doors::resume_source)
        .service(doors::pause_destination)
        .service(doors::resume_destination)
        .service(doors::pause_account)
        .service(doors::resume_account)
        .service(work_items::list_work_items)
        .service(work_items::create_work_item)
        .service(work_items::show_work_item)
        .service(work_items::change_work_item)
        .service(bookmarks::add_bookmark)
        .service(bookmarks::remove_bookmark)
        .service(sheets::cover_sheet)
        .service(sheets::cover_sheets)
        .service(bindings::list_bindings)
        .service(bindings::set_binding)
        .service(bindings::clear_binding)
        .service(resolve::resolve)
        .service(rules::try_rules)
        .service(persons::me)
        .service(persons::list_persons)
        .service(persons::add_person)
        .service(persons::show_person)
        .service(persons::change_person)
        .service(persons::invite_person)
        .service(persons::unlock_person)
        .service(dms_accounts::list_dms_accounts)
        .service(dms_accounts::make_dms_account)
        .service(accounts::list_sessions)
        .service(accounts::end_session)
        .service(accounts::list_tokens)
        .service(accounts::make_token)
        .service(accounts::revoke_token)
        .service(links::list_services)
        .service(links::list_links)
        .service(links::remove_link)
        .service(links::confirm_link)
        .service(audit::read_audit)
        .service(audit::verify_audit)
        .service(audit::export_audit)
        .service(machine::show_keys)
        .service(machine::rotate_keys)
        .service(machine::capabilities)
        .service(notifications::graph_notifications)
        .service(notifications::highq_notifications)
        .service(places::list_destinations)
        .service(places::list_libraries)
        .service(places::list_places)
        .service(places::show_place)
        .service(places::list_folders)
        .service(places::list_documents)
        .service(places::list_values)
        .service(places::add_favourite)
        .service(places::remove_favourite)
        .service(lists::list_lists)
        .service(lists::read_list)
        .service(tickets::make_ticket)
        .service(tickets::show_ticket)
        .service(tickets::send_ticket);
}

/// The description of all routes, as `/api/openapi.json` gives it.
pub fn openapi(version: &str) -> OpenApi {
    let app: UtoipaApp<_> = actix_web::App::new().into_utoipa_app();
    let (_, mut document) = app.configure(configure).split_for_parts();
    "Postroom".clone_into(&mut document.info.title);
    version.clone_into(&mut document.info.version);
    document.info.description = Some(
        "Takes documents in, keeps them, and files each in a document management system exactly once. Errors are \
         application/problem+json; lists are pages with a cursor; a decision sends the version it looked at in If-Match."
            .to_owned(),
    );
    document.info.license = None;
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme("token", SecurityScheme::Http(token));
    document
}

/// Which methods each address takes.
#[derive(Debug)]
pub(crate) struct Table(Vec<(Vec<String>, Vec<&'static str>)>);

impl Table {
    pub(crate) fn of(document: &OpenApi) -> Self {
        let methods = |item: &utoipa::openapi::PathItem| {
            [
                ("GET", &item.get),
                ("HEAD", &item.head),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
                ("OPTIONS", &item.options),
            ]
            .into_iter()
            .filter_map(|(name, operation)| operation.as_ref().map(|_| name))
            .collect()
        };
        let paths = document.paths.paths.iter();
        Self(
            paths.map(|(path, item)| (path.split('/').map(str::to_owned).collect(), methods(item))).collect(),
        )
    }

    /// The methods of an address; none when there is no such address.
    fn methods(&self, path: &str) -> Option<&[&'static str]> {
        let given: Vec<&str> = path.split('/').collect();
        let fits = |pattern: &[String]| {
            pattern.len() == given.len()
                && pattern.iter().zip(&given).all(|(pattern, given)| {
                    if pattern.starts_with('{') { !given.is_empty() } else { pattern == given }
                })
        };
        self.0.iter().find(|(pattern, _)| fits(pattern)).map(|(_, methods)| methods.as_slice())
    }
}

/// What no route takes: 405 where the address exists, else 404.
pub(crate) async fn nothing_here(request: HttpRequest, app: web::Data<Shared>) -> Answer {
    Err(match app.table.methods(request.path()) {
        Some(methods) => {
            let methods = methods.join(", ");
            let detail = format!("This address takes {methods}.");
            Fault::new(Code::MethodNotAllowed, detail).allow(methods)
        }
        None => Fault::new(Code::NotFound, "There is no such address.")
            .hint("GET /api/openapi.json describes every address."),
    })
}
