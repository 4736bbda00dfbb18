//! What the manifests say, in each language. What the pages say stands with the pages.

/// One text in every language.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said {
    pub(crate) en: &'static str,
    pub(crate) de: &'static str,
}

/// The locale of the German texts: Office in Austria and Switzerland shows these too.
pub(crate) const GERMAN: &str = "de-DE";
/// The locale of everything else.
pub(crate) const DEFAULT: &str = "en-US";

pub(crate) const NAME: Said = Said { en: "Postroom", de: "Postroom" };
pub(crate) const MAIL: Said = Said {
    en: "File e-mails and their attachments to the matters they belong to.",
    de: "Legen Sie E-Mails und ihre Anhänge in den Akten ab, zu denen sie gehören.",
};
pub(crate) const OFFICE: Said = Said {
    en: "File the open document to the matter it belongs to.",
    de: "Legen Sie das geöffnete Dokument in der Akte ab, zu der es gehört.",
};
pub(crate) const FULL_NAME: Said = Said { en: "Postroom for Outlook", de: "Postroom für Outlook" };
pub(crate) const FULL_MAIL: Said = Said {
    en: "Postroom suggests the matter that an e-mail belongs to and files it there, with its attachments, once. It shows what was filed \
         already, and files what you send.",
    de: "Postroom schlägt die Akte vor, zu der eine E-Mail gehört, und legt sie dort mit ihren Anhängen ab, genau einmal. Es zeigt, was \
         schon abgelegt ist, und legt auch ab, was Sie senden.",
};
pub(crate) const FILE: Said = Said { en: "File to matter", de: "In Akte ablegen" };
pub(crate) const FILE_TIP: Said = Said {
    en: "See which matter this message belongs to, and file it.",
    de: "Sehen Sie, zu welcher Akte diese Nachricht gehört, und legen Sie sie ab.",
};
pub(crate) const SEND: Said = Said { en: "Send and file", de: "Senden und ablegen" };
pub(crate) const SEND_TIP: Said = Said {
    en: "Choose the matter that this message is filed to when it is sent.",
    de: "Wählen Sie die Akte, in der diese Nachricht abgelegt wird, wenn sie gesendet ist.",
};
pub(crate) const DOCUMENT_TIP: Said =
    Said { en: "File this document to a matter.", de: "Legen Sie dieses Dokument in einer Akte ab." };

#[cfg(test)]
mod tests {
    use super::*;

    /// The limits of the schemas: 125 and 250 characters in XML, 30, 80 and 64 in JSON.
    #[test]
    fn no_text_is_longer_than_a_schema_allows() {
        let most = [
            (30, &[NAME][..]),
            (80, &[MAIL, OFFICE]),
            (100, &[FULL_NAME]),
            (4000, &[FULL_MAIL]),
            (64, &[FILE, SEND]),
            (250, &[FILE_TIP, SEND_TIP, DOCUMENT_TIP]),
        ];
        for (most, texts) in most {
            for text in texts.iter().flat_map(|it| [it.en, it.de]) {
                assert!(!text.is_empty() && text.chars().count() <= most, "{text}");
                assert!(!text.contains("  "), "{text}");
            }
        }
    }
}
