//! Types by content, names for what has none, and names that say something else than the content.

/// What bytes are for certain. Text is never certain. An old compound file may be anything of Office's. A PDF begins with its mark: the
/// crate looks for it further on too, where a message that carries one has it.
pub(super) fn found_type(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return None;
    }
    let kind = infer::get(bytes)?;
    let certain = match kind.mime_type() {
        // Any DER of that length looks like a certificate: a signed message does.
        "text/html" | "text/xml" | "application/x-x509-ca-cert" => false,
        "application/pdf" => {
            bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start().starts_with(b"%PDF-")
        }
        _ => true,
    };
    certain.then(|| (kind.mime_type(), kind.extension()))
}

/// The usual extension of a type.
pub(super) fn extension(media_type: &str) -> &'static str {
    match media_type {
        "text/html" => "html",
        "text/calendar" => "ics",
        "text/csv" => "csv",
        "text/rtf" | "application/rtf" => "rtf",
        "text/xml" | "application/xml" => "xml",
        "text/vcard" | "text/x-vcard" => "vcf",
        "text/plain"
        | "text/rfc822-headers"
        | "message/delivery-status"
        | "message/disposition-notification" => "txt",
        "message/rfc822" | "message/global" => "eml",
        "application/pdf" => "pdf",
        "application/json" => "json",
        "application/zip" => "zip",
        "application/msword" => "doc",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.ms-powerpoint" => "ppt",
        "application/vnd.ms-outlook" => "msg",
        "application/vnd.ms-tnef" | "application/ms-tnef" => "dat",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => "p7m",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "p7s",
        "application/pgp-signature" | "application/pgp-encrypted" => "asc",
        "image/png" => "png",
        "image/jpeg" | "image/jpg" => "jpg",
        "image/gif" => "gif",
        "image/tiff" => "tif",
        "image/bmp" => "bmp",
        _ => "bin",
    }
}

/// A name for what came without one: what it belongs to, a number, and the type.
pub(super) fn made(subject: &str, number: usize, extension: &str) -> String {
    let subject: String = subject.trim().chars().take(80).collect();
    let subject = if subject.trim().is_empty() { "attachment" } else { subject.trim_end() };
    format!("{subject} {number}.{extension}")
}

/// Whether a name promises another type than the content has. Only what does harm or cannot be opened is told: programs under the name
/// of something else, and pictures and PDFs that are none.
pub(super) fn misleads(name: &str, media_type: &str) -> bool {
    let Some((_, promised)) = name.rsplit_once('.') else { return false };
    let promised = promised.trim().to_ascii_lowercase();
    let wanted = match promised.as_str() {
        "pdf" => "application/pdf",
        "png" => "image/png",
        "jpg" | "jpeg" | "jfif" | "jpe" => "image/jpeg",
        "gif" => "image/gif",
        "tif" | "tiff" => "image/tiff",
        "bmp" => "image/bmp",
        "exe" | "dll" | "scr" | "com" | "sys" | "so" | "bin" => return false,
        _ => return media_type.contains("executable"),
    };
    media_type != wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_name_gets_one() {
        for (subject, number, extension, wanted) in [
            ("Lease", 1, "pdf", "Lease 1.pdf"),
            ("", 2, "bin", "attachment 2.bin"),
            ("  ", 2, "bin", "attachment 2.bin"),
        ] {
            assert_eq!(made(subject, number, extension), wanted);
        }
        assert_eq!(made(&"x".repeat(200), 1, "pdf").len(), 86);
    }

    #[test]
    fn types_are_known_by_content_and_names_that_mislead_by_both() {
        for (bytes, wanted) in [
            (&b"%PDF-1.7\n"[..], Some("application/pdf")),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some("image/png")),
            (b"GIF89a", Some("image/gif")),
            (b"\xef\xbb\xbf\n%PDF-1.7\n", Some("application/pdf")),
            (b"Subject: x\n\n%PDF-1.7\n", None),
            (b"Dear Madam", None),
            (b"<html><body>", None),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", None),
            (b"", None),
        ] {
            assert_eq!(found_type(bytes).map(|it| it.0), wanted, "{bytes:?}");
        }
        for (name, found, wanted) in [
            ("a.pdf", "application/pdf", false),
            ("a.PDF", "image/png", true),
            ("invoice.pdf.exe", "application/vnd.microsoft.portable-executable", false),
            ("invoice.docx", "application/vnd.microsoft.portable-executable", true),
            ("a.docx", "application/zip", false),
            ("a", "application/pdf", false),
        ] {
            assert_eq!(misleads(name, found), wanted, "{name}");
        }
    }
}
