//! Reading a stream of server-sent events, as the HTML standard has it, from chunks that are cut anywhere.

/// The longest event that is read, in bytes.
const LONGEST: usize = 1 << 20;

/// One event of the stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// The last `id` so far.
    pub(super) id: Option<String>,
    /// Its kind; `message` when not said.
    pub(super) event: String,
    /// Its data, lines joined.
    pub(super) data: String,
}

/// What has been read of the stream.
#[derive(Debug, Default)]
pub(super) struct Reader {
    line: Vec<u8>,
    after_cr: bool,
    begun: bool,
    id: Option<String>,
    /// The event under way set it.
    id_set: bool,
    event: String,
    data: Option<String>,
}

impl Reader {
    /// Takes a chunk and returns the events that are complete with it; an error when one is longer than any of ours. An event
    /// with nothing but an `id` moves the place to go on from, and has empty data.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<Vec<Message>, String> {
        let mut messages = Vec::new();
        for &byte in chunk {
            let after_cr = std::mem::take(&mut self.after_cr);
            match byte {
                b'\n' if after_cr => {}
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    messages.extend(self.end_of_line());
                }
                _ => self.line.push(byte),
            }
            if self.line.len() + self.data.as_ref().map_or(0, String::len) > LONGEST {
                return Err(format!("an event is longer than {LONGEST} bytes"));
            }
        }
        Ok(messages)
    }

    fn end_of_line(&mut self) -> Option<Message> {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let mut line = text.as_ref();
        if !std::mem::replace(&mut self.begun, true) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            let event = std::mem::take(&mut self.event);
            let moved = std::mem::take(&mut self.id_set);
            let data = self.data.take().or_else(|| moved.then(String::new))?;
            let event = if event.is_empty() { "message".to_owned() } else { event };
            return Some(Message { id: self.id.clone(), event, data });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "id" if !value.contains('\0') => {
                self.id = Some(value.to_owned());
                self.id_set = true;
            }
            // Comments, `retry`, and what a later version adds.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_the_same_however_the_stream_is_cut() {
        let stream = "\u{feff}: hello\r\nid: 1\r\nevent: change\r\ndata: {\"ä\":\r\ndata: 1}\r\n\r\n: beat\n\nid\ndata:x\rdata\r\rretry: 5\nevent: change\n\nid: 9\ndata: y\n\nid: 12\n\n\n";
        let message = |id: &str, event: &str, data: &str| Message {
            id: Some(id.to_owned()),
            event: event.to_owned(),
            data: data.to_owned(),
        };
        let wanted = [
            message("1", "change", "{\"ä\":\n1}"),
            message("", "message", "x\n"),
            message("9", "message", "y"),
            message("12", "message", ""),
        ];
        for size in 1..stream.len() {
            let mut reader = Reader::default();
            let found: Vec<Message> =
                stream.as_bytes().chunks(size).flat_map(|chunk| reader.push(chunk).unwrap()).collect();
            assert_eq!(found, wanted, "in chunks of {size}");
        }
    }

    #[test]
    fn an_endless_line_is_an_error() {
        let mut reader = Reader::default();
        let chunk = vec![b'x'; 1 << 16];
        assert!((0..17).any(|_| reader.push(&chunk).is_err()));
    }
}
