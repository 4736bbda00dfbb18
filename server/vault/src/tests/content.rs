//! Content in segments.

use proptest::prelude::*;

use super::*;
use crate::{HEADER_LEN, SEGMENT_LEN, TAG_LEN, VaultError};

/// The header and the sealed segments.
fn seal(vault: &Vault, plain: &[u8]) -> Vec<Vec<u8>> {
    let (header, mut sealer) = vault.begin_content().unwrap();
    let mut parts = vec![header.to_vec()];
    let mut rest = plain;
    loop {
        let (segment, after) = rest.split_at(rest.len().min(SEGMENT_LEN));
        let mut segment = segment.to_vec();
        sealer.seal(&mut segment, after.is_empty()).unwrap();
        parts.push(segment);
        rest = after;
        if rest.is_empty() {
            return parts;
        }
    }
}

/// Opens a file as a reader does: by lengths alone.
fn open(vault: &Vault, file: &[u8]) -> Result<Vec<u8>, VaultError> {
    let (header, mut rest) = file.split_at_checked(HEADER_LEN).ok_or(VaultError::DoesNotOpen)?;
    let mut opener = vault.open_content(header)?;
    let mut plain = Vec::new();
    loop {
        let (segment, after) = rest.split_at(rest.len().min(SEGMENT_LEN + TAG_LEN));
        let mut segment = segment.to_vec();
        opener.open(&mut segment, after.is_empty())?;
        plain.extend(segment);
        rest = after;
        if rest.is_empty() {
            return Ok(plain);
        }
    }
}

fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    Dice::new(length as u64).fill(&mut bytes).unwrap();
    bytes
}

#[test]
fn every_length_comes_back() {
    let vault = vault();
    for length in [0, 1, SEGMENT_LEN - 1, SEGMENT_LEN, SEGMENT_LEN + 1, 3 * SEGMENT_LEN, 3 * SEGMENT_LEN + 7]
    {
        let plain = noise(length);
        let parts = seal(&vault, &plain);
        let file = parts.concat();
        assert_eq!(file.len(), HEADER_LEN + length + TAG_LEN * (parts.len() - 1), "{length}");
        assert_eq!(Vault::content_key_of(&file[..HEADER_LEN]), Some(1));
        assert_eq!(open(&vault, &file).unwrap(), plain, "{length}");
    }
}

#[test]
fn what_was_moved_cut_or_added_does_not_open() {
    let vault = vault();
    let whole = seal(&vault, &noise(3 * SEGMENT_LEN + 7));
    let other = seal(&vault, &noise(3 * SEGMENT_LEN + 7));
    let even = seal(&vault, &noise(2 * SEGMENT_LEN));
    let refs = |parts: &[&Vec<u8>]| parts.iter().flat_map(|it| it.iter().copied()).collect::<Vec<u8>>();
    let [header, one, two, three, last] = whole.iter().collect::<Vec<_>>()[..] else { panic!() };
    let cases = [
        ("cut behind a segment", refs(&[header, one, two])),
        ("cut in a segment", refs(&[header, one, &two[..100].to_vec()])),
        ("the last one gone", refs(&[header, one, two, three])),
        ("even, cut behind a segment", refs(&[&even[0], &even[1]])),
        ("nothing but the header", header.clone()),
        ("cut in the header", header[..40].to_vec()),
        ("the end of the tag gone", {
            let mut file = refs(&[header, one, two, three, last]);
            file.pop();
            file
        }),
        ("two segments swapped", refs(&[header, two, one, three, last])),
        ("one twice", refs(&[header, one, one, two, three, last])),
        ("one left out", refs(&[header, one, three, last])),
        ("the last one first", refs(&[header, last])),
        ("something behind", refs(&[header, one, two, three, last, &vec![0]])),
        ("the last one twice", refs(&[header, one, two, three, last, last])),
        ("another file's segment", refs(&[header, one, &other[2], three, last])),
        ("another file's header", refs(&[&other[0], one, two, three, last])),
    ];
    for (what, file) in cases {
        assert_eq!(open(&vault, &file).unwrap_err(), VaultError::DoesNotOpen, "{what}");
    }
    assert!(open(&vault, &refs(&[header, one, two, three, last])).is_ok(), "the case that opens");
}

#[test]
fn a_flipped_bit_anywhere_is_noticed() {
    let vault = vault();
    let file = seal(&vault, b"a letter").concat();
    for at in 0..file.len() {
        for bit in 0..8 {
            let mut bad = file.clone();
            bad[at] ^= 1 << bit;
            let answer = open(&vault, &bad).unwrap_err();
            // The number of the key: then it is another key's, and there is none.
            let unknown = (12..16).contains(&at);
            assert_eq!(
                matches!(answer, VaultError::UnknownKey(_)),
                unknown,
                "byte {at}, bit {bit}: {answer}"
            );
        }
    }
}

#[test]
fn the_number_in_the_header_is_bound() {
    let dice = Dice::new(5);
    let first = keyring();
    let vault = Vault::new(&first, dice.clone());
    let old = seal(&vault, b"a letter").concat();
    let second = first.with_new_data_key("", dice.as_ref()).unwrap();
    vault.replace(&second);
    assert_eq!(open(&vault, &old).unwrap(), b"a letter");
    let mut renamed = old.clone();
    renamed[15] = 2;
    assert_eq!(open(&vault, &renamed).unwrap_err(), VaultError::DoesNotOpen);
    vault.replace(&second.without(1, dice.as_ref()).unwrap().unwrap());
    assert_eq!(open(&vault, &old).unwrap_err(), VaultError::UnknownKey(1));
    // A keyring of the same numbers and other keys.
    let stranger =
        Keyring::create(&passphrase("x"), &private_key(9), CHEAP, "", Dice::new(77).as_ref()).unwrap();
    assert_eq!(open(&Vault::new(&stranger, dice), &old).unwrap_err(), VaultError::DoesNotOpen);
}

#[test]
fn a_sealer_counts_as_in_flight_until_it_is_dropped() {
    let dice = Dice::new(5);
    let first = keyring();
    let vault = Vault::new(&first, dice.clone());
    let (_, sealer) = vault.begin_content().unwrap();
    vault.replace(&first.with_new_data_key("", dice.as_ref()).unwrap());
    let (_, newer) = vault.begin_content().unwrap();
    assert_eq!((vault.in_flight(1), vault.in_flight(2), vault.in_flight(3)), (1, 1, 0));
    drop(sealer);
    assert_eq!((vault.in_flight(1), vault.in_flight(2)), (0, 1));
    drop(newer);
}

#[test]
fn segments_have_their_length_and_an_end() {
    let vault = vault();
    for (length, last) in
        [(SEGMENT_LEN - 1, false), (0, false), (SEGMENT_LEN + 1, false), (SEGMENT_LEN + 1, true)]
    {
        let (_, mut sealer) = vault.begin_content().unwrap();
        assert_eq!(sealer.seal(&mut vec![0; length], last), Err(VaultError::TooLong), "{length} {last}");
        assert!(sealer.seal(&mut Vec::new(), true).is_err(), "an error is the end");
    }
    let (header, mut sealer) = vault.begin_content().unwrap();
    let mut segment = b"all".to_vec();
    sealer.seal(&mut segment, true).unwrap();
    assert!(sealer.seal(&mut Vec::new(), true).is_err(), "nothing comes behind the last");
    let mut opener = vault.open_content(&header).unwrap();
    let mut wrong = segment.clone();
    assert!(opener.open(&mut wrong, false).is_err());
    assert!(wrong.is_empty(), "nothing is left of what did not open");
    assert!(opener.open(&mut segment, true).is_err(), "an error is the end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn changed_bytes_never_come_out(length in 0_usize..200_000, at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let vault = vault();
        let mut file = seal(&vault, &noise(length)).concat();
        let at = at.index(file.len());
        file[at] ^= 1 << bit;
        prop_assert!(open(&vault, &file).is_err());
    }
}
