//! Styles, scripts and pictures: in the program itself.

use actix_web::http::header::{self, ETag, EntityTag, IfNoneMatch};
use actix_web::{HttpResponse, web};
use rust_embed::Embed;

use crate::fault::{Answer, Fault};

#[derive(Embed)]
#[folder = "assets"]
struct Assets;

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/assets/{name}", web::get().to(asset))
        .route("/addin/icons/{name}", web::get().to(addin_icon));
}

/// An icon that manifests name. Office shows none that may not be kept, and asks for them without a session.
async fn addin_icon(name: web::Path<String>) -> Answer {
    let icon = postroom_addin_manifest::icon(&name).ok_or_else(|| Fault::not_found("such icon"))?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CONTENT_TYPE, "image/png"));
    answer.insert_header((header::CACHE_CONTROL, "public, max-age=86400"));
    Ok(answer.body(icon.into_owned()))
}

async fn asset(name: web::Path<String>, known: web::Header<IfNoneMatch>) -> Answer {
    let file = Assets::get(&name).ok_or_else(|| Fault::not_found("such file"))?;
    let tag =
        EntityTag::new_strong(postroom_domain::ids::BlobHash::new(file.metadata.sha256_hash()).to_string());
    let fresh = match &known.0 {
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
