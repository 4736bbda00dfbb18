//! Styles, scripts and pictures: in the program itself.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::LazyLock;

use actix_web::http::header::{self, AcceptEncoding, ETag, Encoding, EntityTag, Header as _, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::Embed;

use crate::fault::{Answer, Fault};

#[derive(Embed)]
#[folder = "assets"]
struct Assets;

/// Each file compressed as far as it goes, once: doing it for each answer takes longer and gives less. Files that are hardly smaller
/// are not in it.
static SMALL: LazyLock<HashMap<String, Bytes>> = LazyLock::new(|| {
    let small = |name: &str| {
        let data = Assets::get(name)?.data;
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&data).ok()?;
        let packed = packed.finish().ok()?;
        (packed.len() * 10 < data.len() * 9).then(|| (name.to_owned(), packed.into()))
    };
    Assets::iter().filter_map(|name| small(&name)).collect()
});

pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/assets/{name:.+}", web::get().to(asset))
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

async fn asset(request: HttpRequest, name: web::Path<String>) -> Answer {
    file(&request, &name)
}

/// A file, or that the browser has it already.
pub(super) fn file(request: &HttpRequest, name: &str) -> Answer {
    let file = Assets::get(name).ok_or_else(|| Fault::not_found("such file"))?;
    // Weak: the same file is sent compressed to those who take that.
    let tag =
        EntityTag::new_weak(postroom_domain::ids::BlobHash::new(file.metadata.sha256_hash()).to_string());
    let fresh = match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|it| it.weak_eq(&tag)),
        Err(_) => false,
    };
    let mut answer = if fresh { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    answer
        .insert_header(ETag(tag))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::VARY, "accept-encoding"));
    if fresh {
        return Ok(answer.finish());
    }
    answer.insert_header((header::CONTENT_TYPE, file.metadata.mimetype()));
    if let Some(small) = SMALL.get(name).filter(|_| takes_gzip(request)) {
        return Ok(answer.insert_header((header::CONTENT_ENCODING, "gzip")).body(small.clone()));
    }
    Ok(answer.body(file.data.into_owned()))
}

fn takes_gzip(request: &HttpRequest) -> bool {
    let ours = [Encoding::gzip(), Encoding::identity()];
    request.headers().contains_key(header::ACCEPT_ENCODING)
        && AcceptEncoding::parse(request).is_ok_and(|it| it.negotiate(ours.iter()) == Some(Encoding::gzip()))
}
