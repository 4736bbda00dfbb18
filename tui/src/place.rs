//! The places of the console: nine screens, and what opens from them.

/// A place on the trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// Is anything stuck?
    Home,
    /// Letters that came in.
    Mail,
    /// Scans.
    Scanning,
    /// Uploads, tables of data, and what was sent from a DMS.
    Uploads,
    /// Filings by a filter.
    Filings,
    /// Failures by cause.
    Causes,
    /// Arrivals that need a person.
    Persons,
    /// Destinations, accounts, ages.
    Doors,
    /// What happens.
    Events,
    /// One filing.
    Filing,
    /// One arrival.
    Arrival,
}

impl Place {
    /// The screens, in the order of their keys 1 to 9.
    pub(crate) const SCREENS: [Self; 9] = [
        Self::Home,
        Self::Mail,
        Self::Scanning,
        Self::Uploads,
        Self::Filings,
        Self::Causes,
        Self::Persons,
        Self::Doors,
        Self::Events,
    ];

    /// Its name on the screen.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Home => "Home",
            Self::Mail => "E-mail",
            Self::Scanning => "Scanning",
            Self::Uploads => "Uploads",
            Self::Filings => "Filings",
            Self::Causes => "Failed",
            Self::Persons => "Needs a person",
            Self::Doors => "Destinations",
            Self::Events => "Events",
            Self::Filing => "Filing",
            Self::Arrival => "Arrival",
        }
    }

    /// Its name in saved views and commands; those of the screens are the server's.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Mail => "mail",
            Self::Scanning => "scanning",
            Self::Uploads => "uploads",
            Self::Filings => "filings",
            Self::Causes => "causes",
            Self::Persons => "persons",
            Self::Doors => "destinations",
            Self::Events => "events",
            Self::Filing => "filing",
            Self::Arrival => "arrival",
        }
    }

    /// The screen with that name.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::SCREENS.into_iter().find(|screen| screen.word() == word)
    }

    /// Whether it is a list of arrivals.
    pub(crate) const fn is_arrivals(self) -> bool {
        matches!(self, Self::Mail | Self::Scanning | Self::Uploads | Self::Persons)
    }

    /// Whether it shows one thing in full.
    pub(crate) const fn is_detail(self) -> bool {
        matches!(self, Self::Filing | Self::Arrival)
    }

    /// Whether a filter can be typed for it.
    pub(crate) const fn has_filter(self) -> bool {
        self.is_arrivals() || matches!(self, Self::Home | Self::Filings | Self::Causes | Self::Events)
    }

    /// Whether a source of this kind, by the server's word, belongs to it.
    pub(crate) fn shows_source(self, kind: &str) -> bool {
        let mail = matches!(kind, "mailbox" | "mail programs");
        let scans = matches!(kind, "hot folder" | "scan folder");
        match self {
            Self::Mail => mail,
            Self::Scanning => scans,
            Self::Uploads => !(mail || scans),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_source_has_its_screen_and_each_screen_its_word() {
        for kind in [
            "mailbox",
            "mail programs",
            "hot folder",
            "scan folder",
            "upload",
            "send to",
            "link column",
            "new",
        ] {
            let shown =
                [Place::Mail, Place::Scanning, Place::Uploads].into_iter().filter(|it| it.shows_source(kind));
            assert_eq!(shown.count(), 1, "{kind}");
        }
        for screen in Place::SCREENS {
            assert_eq!(Place::of(screen.word()), Some(screen));
        }
    }
}
