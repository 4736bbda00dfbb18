//! Receiving multipart uploads: `profile` and `file` in any order, hashed as they come.

use std::sync::Arc;

use actix_multipart::{Field, Multipart};
use actix_web::HttpRequest;
use actix_web::web::Payload;
use futures_util::StreamExt;
use serde_json::Value;

use super::commit::Received;
use super::error::{ApiError, Result};
use super::sink::Sink;

/// A profile larger than this is a mistake.
const MAX_PROFILE: usize = 1 << 20;
/// How much of an unwanted body is read so that the client gets to see the answer.
const MAX_DRAIN: usize = 8 << 20;

/// Limits of one upload.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) keep: u64,
    pub(super) max: Option<u64>,
    pub(super) truncate: Option<u64>,
}

/// Read both parts. A part of another name is skipped.
pub(super) async fn receive(req: &HttpRequest, payload: Payload, limits: Limits) -> Result<Received> {
    let mut multipart = Multipart::new(req.headers(), payload);
    let (mut profile, mut file, mut total) = (None, None, 0);
    while let Some(field) = multipart.next().await {
        let mut field = field.map_err(|e| broken(&e))?;
        match field.name().unwrap_or_default() {
            "profile" => profile = Some(read_profile(&mut field).await?),
            "file" => {
                let mut sink = Sink::new(limits.keep, limits.truncate);
                while let Some(chunk) = field.next().await {
                    let chunk = chunk.map_err(|e| broken(&e))?;
                    total += chunk.len() as u64;
                    if limits.max.is_some_and(|max| total > max) {
                        skip(&mut field).await;
                        return Err(ApiError::new(413, "NRC_TOO_LARGE", "The file is too large"));
                    }
                    sink.write(&chunk);
                }
                file = Some(sink.finish());
            }
            _ => while field.next().await.is_some() {},
        }
    }
    let profile = profile.ok_or_else(|| ApiError::invalid("profile", "Part is missing"))?;
    let (stored, head) = file.ok_or_else(|| ApiError::invalid("file", "Part is missing"))?;
    Ok(Received { profile, stored: Arc::clone(&stored), head })
}

async fn read_profile(field: &mut Field) -> Result<Value> {
    let mut text = Vec::new();
    while let Some(chunk) = field.next().await {
        text.extend_from_slice(&chunk.map_err(|e| broken(&e))?);
        if text.len() > MAX_PROFILE {
            return Err(ApiError::invalid("profile", "Part is too large"));
        }
    }
    serde_json::from_slice(&text).map_err(|_| ApiError::invalid("profile", "Part is not JSON"))
}

fn broken(error: &impl ToString) -> ApiError {
    ApiError::invalid("body", error.to_string())
}

async fn skip(field: &mut Field) {
    let mut read = 0;
    while let Some(Ok(chunk)) = field.next().await {
        read += chunk.len();
        if read > MAX_DRAIN {
            break;
        }
    }
}

/// Read the rest of a body nobody wants.
pub(super) async fn drain(payload: &mut Payload) {
    let mut read = 0;
    while let Some(Ok(chunk)) = payload.next().await {
        read += chunk.len();
        if read > MAX_DRAIN {
            break;
        }
    }
}
