//! Domains of e-mail: which rules may name them, and which rule fits one.

use crate::people::DomainRule;

/// Providers where anybody gets an address. A rule for one of them would make a person of everybody in the world. Compared with the
/// domain and with every domain above it, so `eu.outlook.com` is one too.
const FREE: &[&str] = &[
    "163.com",
    "126.com",
    "139.com",
    "aim.com",
    "alice.it",
    "aliyun.com",
    "aol.com",
    "arcor.de",
    "att.net",
    "bellsouth.net",
    "bigpond.com",
    "bigpond.net.au",
    "blueyonder.co.uk",
    "bluewin.ch",
    "bol.com.br",
    "btinternet.com",
    "charter.net",
    "comcast.net",
    "cox.net",
    "daum.net",
    "disroot.org",
    "duck.com",
    "earthlink.net",
    "email.com",
    "email.cz",
    "fastmail.com",
    "fastmail.fm",
    "foxmail.com",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.fr",
    "gmx.net",
    "googlemail.com",
    "guerrillamail.com",
    "hanmail.net",
    "hey.com",
    "hotmail.be",
    "hotmail.ca",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.es",
    "hotmail.fr",
    "hotmail.it",
    "hotmail.nl",
    "hushmail.com",
    "icloud.com",
    "ig.com.br",
    "inbox.com",
    "inbox.lv",
    "inbox.ru",
    "juno.com",
    "laposte.net",
    "libero.it",
    "list.ru",
    "live.ca",
    "live.co.uk",
    "live.com",
    "live.com.au",
    "live.de",
    "live.fr",
    "live.it",
    "live.nl",
    "mac.com",
    "mail.com",
    "mail.de",
    "mail.ee",
    "mail.ru",
    "mailbox.org",
    "mailfence.com",
    "mailinator.com",
    "me.com",
    "mindspring.com",
    "msn.com",
    "naver.com",
    "netscape.net",
    "neuf.fr",
    "ntlworld.com",
    "o2.pl",
    "online.de",
    "onet.pl",
    "optonline.net",
    "optusnet.com.au",
    "orange.fr",
    "outlook.at",
    "outlook.be",
    "outlook.co.uk",
    "outlook.com",
    "outlook.com.au",
    "outlook.de",
    "outlook.es",
    "outlook.fr",
    "outlook.ie",
    "outlook.it",
    "passport.com",
    "pm.me",
    "pobox.com",
    "posteo.de",
    "posteo.net",
    "proton.me",
    "protonmail.ch",
    "protonmail.com",
    "qq.com",
    "rambler.ru",
    "rediffmail.com",
    "riseup.net",
    "rocketmail.com",
    "rogers.com",
    "runbox.com",
    "sapo.pt",
    "sbcglobal.net",
    "seznam.cz",
    "sfr.fr",
    "shaw.ca",
    "sina.com",
    "sky.com",
    "sohu.com",
    "startmail.com",
    "sympatico.ca",
    "t-online.de",
    "talktalk.net",
    "telenet.be",
    "telus.net",
    "terra.com.br",
    "tin.it",
    "tiscali.co.uk",
    "tiscali.it",
    "tuta.com",
    "tuta.io",
    "tutamail.com",
    "tutanota.com",
    "tutanota.de",
    "uol.com.br",
    "verizon.net",
    "virgilio.it",
    "virgin.net",
    "virginmedia.com",
    "vk.com",
    "volny.cz",
    "walla.co.il",
    "wanadoo.fr",
    "web.de",
    "windowslive.com",
    "wp.pl",
    "xtra.co.nz",
    "yahoo.ca",
    "yahoo.co.id",
    "yahoo.co.in",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.com.ar",
    "yahoo.com.au",
    "yahoo.com.br",
    "yahoo.com.mx",
    "yahoo.com.sg",
    "yahoo.com.tw",
    "yahoo.de",
    "yahoo.es",
    "yahoo.fr",
    "yahoo.gr",
    "yahoo.ie",
    "yahoo.in",
    "yahoo.it",
    "yahoo.se",
    "yandex.com",
    "yandex.ru",
    "yeah.net",
    "ymail.com",
    "yopmail.com",
    "zoho.com",
    "zohomail.com",
    "zohomail.eu",
    "ziggo.nl",
    "zonnet.nl",
];

/// Whether it is a domain name with at least two parts: letters, digits and hyphens, lower case (others in their `xn--` form).
pub fn is_domain(text: &str) -> bool {
    let part = |part: &str| {
        (1..=63).contains(&part.len())
            && !part.starts_with('-')
            && !part.ends_with('-')
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(part)
}

/// Whether anybody gets an address there.
pub fn is_free_mail(domain: &str) -> bool {
    let mut rest = domain;
    loop {
        if FREE.contains(&rest) {
            return true;
        }
        match rest.split_once('.') {
            Some((_, above)) => rest = above,
            None => return false,
        }
    }
}

/// What is wrong with the domain of a rule, in plain words.
pub fn check(domain: &str) -> Result<(), String> {
    if !is_domain(domain) {
        return Err(format!("\"{domain}\" is not a domain such as harrow.example, in lower case"));
    }
    if is_free_mail(domain) {
        return Err(format!("anybody gets an e-mail of {domain}: name the firm's own domain"));
    }
    Ok(())
}

/// The first rule that fits an e-mail. Free-mail domains fit none, whatever the rules say.
pub fn rule_for<'a>(rules: &'a [DomainRule], email: &str) -> Option<&'a DomainRule> {
    let (_, domain) = email.rsplit_once('@')?;
    if is_free_mail(domain) {
        return None;
    }
    let fits = |rule: &&DomainRule| {
        let below = domain.strip_suffix(rule.domain.as_str()).is_some_and(|front| front.ends_with('.'));
        check(&rule.domain).is_ok() && (domain == rule.domain || (rule.sub_domains && below))
    };
    rules.iter().find(fits)
}
