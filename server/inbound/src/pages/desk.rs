//! Draws pages and prints sheets for rooms that know nothing of either.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use postroom_domain::Fut;
use postroom_domain::sheets::{NoPicture, NoSheet, Sheet, Sheets};
use postroom_domain::spool::{Blob, Spool};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Cover, CoverKey, CoverSheet, PageLimits, Printed, Scan, Unreadable, picture, print};

/// Pages that are drawn at the same time: each may take much memory.
const ABREAST: usize = 2;
/// For how long a page may be waited for, and drawn.
const PATIENCE: Duration = Duration::from_secs(20);
/// The largest document that pages are drawn of, in bytes: it is in memory whole.
const LARGEST: u64 = 256 << 20;

/// Draws and prints.
pub struct PageDesk {
    spool: Arc<dyn Spool>,
    key: CoverKey,
    limits: PageLimits,
    places: Arc<Semaphore>,
}

impl PageDesk {
    /// One that draws what is in a spool, and signs its sheets with a key.
    pub fn new(spool: Arc<dyn Spool>, key: CoverKey, limits: PageLimits) -> Self {
        Self { spool, key, limits, places: Arc::new(Semaphore::new(ABREAST)) }
    }

    async fn draw(&self, document: Blob, page: usize) -> Result<Vec<u8>, NoPicture> {
        let index = page.checked_sub(1).ok_or_else(|| no_such(page))?;
        if document.size > LARGEST {
            return Err(NoPicture::Undrawable(format!("the document is larger than {LARGEST} bytes")));
        }
        let place = timeout(PATIENCE, self.places.clone().acquire_owned()).await;
        let Ok(Ok(place)) = place else {
            return Err(NoPicture::Later("others are being drawn; ask again".to_owned()));
        };
        let bytes = self.bytes(document).await.map_err(NoPicture::Later)?;
        let limits = self.limits;
        let drawing = tokio::task::spawn_blocking(move || {
            // Held until the drawing has really ended, whoever still waits for it.
            let _place = place;
            picture(&Scan::open(Arc::new(bytes), limits)?, index)
        });
        match timeout(PATIENCE, drawing).await {
            Ok(Ok(Ok(png))) => Ok(png),
            Ok(Ok(Err(Unreadable::NoSuchPage))) => Err(no_such(page)),
            Ok(Ok(Err(why))) => Err(NoPicture::Undrawable(why.to_string())),
            Ok(Err(_)) => Err(NoPicture::Undrawable("its reader gave up on it".to_owned())),
            Err(_) => Err(NoPicture::Undrawable(format!("it takes more than {} s", PATIENCE.as_secs()))),
        }
    }

    async fn bytes(&self, document: Blob) -> Result<Vec<u8>, String> {
        let content = self.spool.content(document).await.map_err(|error| error.to_string())?;
        let mut stream = content.open().await.map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await {
            bytes.extend_from_slice(&chunk.map_err(|error| error.to_string())?);
        }
        Ok(bytes)
    }
}

fn no_such(page: usize) -> NoPicture {
    NoPicture::NoSuchPage(format!("page {page}"))
}

impl Sheets for PageDesk {
    fn picture(&self, document: Blob, page: usize) -> Fut<'_, Result<Vec<u8>, NoPicture>> {
        Box::pin(self.draw(document, page))
    }

    fn print(&self, sheets: &[Sheet]) -> Result<Vec<u8>, NoSheet> {
        let covers: Vec<Option<Cover>> = sheets
            .iter()
            .map(|sheet| match sheet {
                Sheet::Cover { site, reference, .. } => {
                    Some(Cover { site: site.clone(), reference: reference.clone() })
                }
                Sheet::Separator => None,
            })
            .collect();
        let printed: Vec<Printed<'_>> = sheets
            .iter()
            .zip(&covers)
            .map(|(sheet, cover)| match (sheet, cover) {
                (Sheet::Cover { client, title, .. }, Some(cover)) => {
                    Printed::Cover(CoverSheet { cover, client, title })
                }
                _ => Printed::Separator,
            })
            .collect();
        print(&printed, &self.key).map_err(|(number, why)| {
            let cover = covers.get(number).and_then(Option::as_ref);
            let reference = cover.map(|cover| cover.reference.clone()).unwrap_or_default();
            NoSheet { reference, why: why.to_string() }
        })
    }
}
