//! `winmail.dat` made by hand.

/// An attribute.
fn attribute(level: u8, id: u32, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    [&[level][..], &id.to_le_bytes(), &length.to_le_bytes(), data, &[0, 0]].concat()
}

/// A property whose value says its length.
pub(super) fn long(id: u16, kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), id.to_le_bytes()].concat();
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

pub(super) fn wide(id: u16, text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect();
    long(id, 0x1f, &units)
}

fn row(props: &[Vec<u8>]) -> Vec<u8> {
    let count = u32::try_from(props.len()).unwrap().to_le_bytes();
    [count.to_vec(), props.concat()].concat()
}

/// A file of attributes.
pub(super) fn file(attributes: &[Vec<u8>]) -> Vec<u8> {
    [b"\x78\x9f\x3e\x22\x01\0".to_vec(), attributes.concat()].concat()
}

pub(super) fn message_props(props: &[Vec<u8>]) -> Vec<u8> {
    attribute(1, 0x0006_9003, &row(props))
}

pub(super) fn code_page(number: u32) -> Vec<u8> {
    attribute(1, 0x0006_9007, &[number.to_le_bytes(), [0; 4]].concat())
}

/// An attachment: its title in the code page, its bytes, its properties.
pub(super) fn attachment(title: &[u8], data: &[u8], props: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = attribute(2, 0x0006_9002, &[0; 14]);
    bytes.extend(attribute(2, 0x0001_8010, title));
    if !data.is_empty() {
        bytes.extend(attribute(2, 0x0006_800f, data));
    }
    bytes.extend(attribute(2, 0x0006_9005, &row(props)));
    bytes
}

/// A message as an object.
pub(super) fn embedded(file: &[u8]) -> Vec<u8> {
    let kind = b"\x07\x03\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";
    long(0x3701, 0x0d, &[&kind[..], file].concat())
}
