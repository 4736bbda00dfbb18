//! Text of any encoding as UTF-8, a piece at a time.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use postroom_domain::data_upload::TableError;

use super::LONGEST_ROW;
use super::feed::Feed;

/// The encoding of a text by its first bytes: its mark; else zeros where UTF-16 has them; else UTF-8 where it is that; else what Windows
/// writes in western Europe.
pub(super) fn encoding(sample: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(sample) {
        return encoding;
    }
    let zeros = |from: usize| sample.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    // Every second byte of western text in UTF-16 is zero; a third leaves room for what is not.
    let many = sample.len() / 6;
    if zeros(1) > many && zeros(1) > zeros(0) {
        return UTF_16LE;
    }
    if zeros(0) > many {
        return UTF_16BE;
    }
    match std::str::from_utf8(sample) {
        Ok(_) => UTF_8,
        // Cut off in the middle of a character.
        Err(error) if error.error_len().is_none() => UTF_8,
        Err(_) => WINDOWS_1252,
    }
}

/// The beginning of a text, for finding out how it is separated.
pub(super) fn beginning(sample: &[u8], encoding: &'static Encoding) -> String {
    encoding.decode(sample).0.into_owned()
}

/// A feed as UTF-8. Stops when a row grows beyond all measure.
pub(super) struct Decoded {
    feed: Feed,
    decoder: Decoder,
    text: Vec<u8>,
    read: usize,
    ended: bool,
    /// Bytes handed on since the last row was complete; whoever completes one sets it to zero.
    since_row: Rc<Cell<usize>>,
}

impl Decoded {
    pub(super) fn new(feed: Feed, encoding: &'static Encoding, since_row: Rc<Cell<usize>>) -> Self {
        let decoder = encoding.new_decoder_with_bom_removal();
        Self { feed, decoder, text: Vec::new(), read: 0, ended: false, since_row }
    }

    fn more(&mut self) -> Result<(), TableError> {
        self.text.clear();
        self.read = 0;
        let piece = self.feed.piece()?;
        self.ended = piece.is_none();
        let bytes = piece.unwrap_or_default();
        let most = self.decoder.max_utf8_buffer_length(bytes.len()).unwrap_or(bytes.len() * 3 + 16);
        self.text.resize(most, 0);
        let (result, _, written, _) = self.decoder.decode_to_utf8(&bytes, &mut self.text, self.ended);
        debug_assert_eq!(result, CoderResult::InputEmpty, "there is room for all of it");
        self.text.truncate(written);
        Ok(())
    }
}

impl Read for Decoded {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.read == self.text.len() && !self.ended {
            self.more().map_err(io::Error::other)?;
        }
        let count = into.len().min(self.text.len() - self.read);
        into[..count].copy_from_slice(&self.text[self.read..self.read + count]);
        self.read += count;
        let since = self.since_row.get() + count;
        if since > LONGEST_ROW {
            let why = format!("a row has more than {LONGEST_ROW} bytes: is a quote missing?");
            return Err(io::Error::other(TableError::Unfit(why)));
        }
        self.since_row.set(since);
        Ok(count)
    }
}
