//! Reading a JSON body so that every mistake is named.

use serde::de::DeserializeOwned;

use crate::nearest::nearest;
use crate::problem::{Code, FieldError, Problem};

/// Reads a request body. The problem names the field, its line and column, and what was probably meant.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Box<Problem>> {
    serde_json::from_slice(bytes).map_err(|error| Box::new(problem(&error)))
}

/// The problem behind an error of `serde_json`.
pub fn problem(error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let (message, place) = match text.rfind(" at line ") {
        Some(at) => (&text[..at], &text[at..]),
        None => (text.as_str(), ""),
    };
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let named = |prefix: &str| message.starts_with(prefix).then(|| quoted.first().copied()).flatten();

    if let Some(field) = named("unknown field") {
        let suggestion = nearest(field, quoted.iter().skip(1).copied()).map(str::to_owned);
        let meant = suggestion.as_ref().map(|word| format!(" Did you mean \"{word}\"?")).unwrap_or_default();
        let known = match &quoted[1..] {
            [] => "there are no fields here".to_owned(),
            known => format!("known are {}", known.join(", ")),
        };
        return Problem::new(
            Code::UnknownField,
            format!("\"{field}\" is not a field here{place}: {known}.{meant}"),
        )
        .error(FieldError {
            field: Some(field.to_owned()),
            message: "not a field here".to_owned(),
            suggestion,
            ..FieldError::default()
        });
    }
    if let Some(field) = named("missing field").or_else(|| named("duplicate field")) {
        let what = if message.starts_with("missing") { "is missing" } else { "stands there twice" };
        return Problem::new(Code::BadValue, format!("\"{field}\" {what}{place}.")).error(FieldError {
            field: Some(field.to_owned()),
            message: what.to_owned(),
            ..FieldError::default()
        });
    }
    let code = if error.is_data() { Code::BadValue } else { Code::BadBody };
    Problem::new(code, format!("The JSON is not accepted{place}: {message}."))
        .error(FieldError { message: message.to_owned(), ..FieldError::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::CancelBody;

    #[test]
    fn mistakes_are_named() {
        let table = [
            ("", "bad_body", None, None),
            ("{\"reason\":", "bad_body", None, None),
            ("[1]", "bad_value", None, None),
            ("{}", "bad_value", Some("reason"), None),
            ("{\"reson\":\"x\"}", "unknown_field", Some("reson"), Some("reason")),
            ("{\"reason\":\"x\",\"zzz\":1}", "unknown_field", Some("zzz"), None),
            ("{\"reason\":\"x\",\"reason\":\"y\"}", "bad_value", Some("reason"), None),
            ("{\"reason\":7}", "bad_value", None, None),
        ];
        for (text, code, field, suggestion) in table {
            let problem = parse::<CancelBody>(text.as_bytes()).unwrap_err();
            let error = &problem.errors[0];
            assert_eq!(
                (problem.code.as_str(), error.field.as_deref(), error.suggestion.as_deref()),
                (code, field, suggestion),
                "{text}: {problem}"
            );
        }
        assert_eq!(parse::<CancelBody>(b"{\"reason\":\"x\"}").unwrap().reason, "x");
    }
}
