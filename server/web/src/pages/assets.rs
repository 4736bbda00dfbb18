//! Styles, scripts and pictures: in the program itself.

use actix_web::http::header::{self, ETag, EntityTag, IfNoneMatch};
use actix_web::middleware::Compress;
use actix_web::{HttpResponse, web};
use rust_embed::Embed;

use crate::fault::{Answer, Fault};

#[derive(Embed)]
#[folder = "assets"]
struct Assets;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    let files = web::resource("/assets/{name:.+}").wrap(Compress::default()).route(web::get().to(asset));
    config.service(files);
}

async fn asset(name: web::Path<String>, known: web::Header<IfNoneMatch>) -> Answer {
    file(&name, &known)
}

/// A file, or that the browser has it already.
pub(super) fn file(name: &str, known: &IfNoneMatch) -> Answer {
    let file = Assets::get(name).ok_or_else(|| Fault::not_found("such file"))?;
    // Weak: the same file is sent compressed to those who take that.
    let tag =
        EntityTag::new_weak(postroom_domain::ids::BlobHash::new(file.metadata.sha256_hash()).to_string());
    let fresh = match known {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|it| it.weak_eq(&tag)),
    };
    let mut answer = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer.insert_header(ETag(tag)).insert_header((header::CACHE_CONTROL, "no-cache"));
    if fresh {
        return Ok(answer.finish());
    }
    answer.insert_header((header::CONTENT_TYPE, file.metadata.mimetype()));
    Ok(answer.body(file.data.into_owned()))
}
