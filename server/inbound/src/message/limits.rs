//! How much of a message is looked at.

/// The bounds of reading. The defaults are far above what people send and far below what hurts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Multiparts and messages within each other; more is refused.
    pub levels: usize,
    /// Messages within messages whose parts are listed; what lies deeper stays inside its parent, which is listed.
    pub expand: usize,
    /// Parts in all; with more, none is listed.
    pub parts: usize,
    /// Bytes of the message's own header fields; the rest of them is not read.
    pub headers: usize,
    /// Bytes of the header fields of a part; four times as many of a message inside. There can be a thousand of them.
    pub part_headers: usize,
    /// Bytes of the text that is kept for searching.
    pub text: usize,
    /// Bytes that come out of encodings and containers, in all; with more, no part is listed.
    pub decoded: usize,
    /// People in one field, and ids of one thread.
    pub people: usize,
    /// Bytes up to which a picture that the text shows counts as decoration. Larger ones may be the photograph of a contract.
    pub small_picture: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            levels: 50,
            expand: 10,
            parts: 1000,
            headers: 256 * 1024,
            part_headers: 16 * 1024,
            text: 1024 * 1024,
            decoded: 512 * 1024 * 1024,
            people: 1000,
            small_picture: 100 * 1024,
        }
    }
}
