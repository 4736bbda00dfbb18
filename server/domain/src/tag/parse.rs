//! The grammar of tags.

use super::{Filter, Part, Step, SyntaxError, Tag};

struct Parser<'a> {
    text: &'a str,
    chars: Vec<char>,
    at: usize,
}

pub(super) fn template(text: &str) -> Result<Vec<Part>, SyntaxError> {
    let mut parser = Parser { text, chars: text.chars().collect(), at: 0 };
    let mut parts = Vec::new();
    let mut literal = String::new();
    while let Some(c) = parser.take() {
        if c != '[' {
            literal.push(c);
        } else if parser.take_if('[') {
            literal.push('[');
        } else {
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Tag(parser.tag()?));
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn take_if(&mut self, wanted: char) -> bool {
        let is = self.peek() == Some(wanted);
        self.at += usize::from(is);
        is
    }

    fn wrong<T>(&self, problem: impl Into<String>) -> Result<T, SyntaxError> {
        Err(SyntaxError { text: self.text.to_owned(), position: self.at, problem: problem.into() })
    }

    fn tag(&mut self) -> Result<Tag, SyntaxError> {
        let mut path = vec![Step::Name(self.name()?)];
        while self.take_if('.') {
            path.push(self.step()?);
        }
        let mut filters = Vec::new();
        while self.take_if('|') {
            filters.push(self.filter()?);
        }
        if self.take_if(']') {
            return Ok(Tag { path, filters });
        }
        self.wrong("expected \".\", \"|\" or \"]\"")
    }

    fn step(&mut self) -> Result<Step, SyntaxError> {
        if self.take_if('!') {
            let n = self.number()?;
            return if n == 0 { self.wrong("counting begins with !1") } else { Ok(Step::Nth(n)) };
        }
        if self.take_if('?') {
            let name = self.name()?;
            if !self.take_if('=') {
                return self.wrong("expected \"=\"");
            }
            return Ok(Step::Where(name, self.quoted()?));
        }
        Ok(Step::Name(self.name()?))
    }

    fn filter(&mut self) -> Result<Filter, SyntaxError> {
        let from = self.at;
        let name = self.name()?;
        let takes_argument = matches!(name.as_str(), "default" | "format" | "join" | "pad");
        if takes_argument && !self.take_if(':') {
            return self.wrong(format!("the filter {name} needs \":\" and a value"));
        }
        match name.as_str() {
            "default" => Ok(Filter::Default(self.quoted()?)),
            "format" => Ok(Filter::Format(self.quoted()?)),
            "join" => Ok(Filter::Join(self.quoted()?)),
            "upper" => Ok(Filter::Upper),
            "lower" => Ok(Filter::Lower),
            "trim" => Ok(Filter::Trim),
            "first" => Ok(Filter::First),
            "pad" => match self.number()? {
                width @ 1..=64 => Ok(Filter::Pad(width)),
                _ => self.wrong("pad takes 1 to 64"),
            },
            other => {
                let problem = format!(
                    "\"{other}\" is not a filter (default, format, join, upper, lower, trim, pad or first)"
                );
                self.at = from;
                self.wrong(problem)
            }
        }
    }

    fn name(&mut self) -> Result<String, SyntaxError> {
        if !self.peek().is_some_and(char::is_alphabetic) {
            return self.wrong("expected a name, which begins with a letter");
        }
        let from = self.at;
        while self.peek().is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '_') {
            self.at += 1;
        }
        Ok(self.chars[from..self.at].iter().collect())
    }

    fn number(&mut self) -> Result<usize, SyntaxError> {
        let from = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        let digits: String = self.chars[from..self.at].iter().collect();
        match digits.parse() {
            Ok(number) => Ok(number),
            Err(_) if digits.is_empty() => self.wrong("expected a number"),
            Err(_) => self.wrong("the number is too large"),
        }
    }

    fn quoted(&mut self) -> Result<String, SyntaxError> {
        if !self.take_if('"') {
            return self.wrong("expected a text in double quotes");
        }
        let from = self.at;
        while self.peek().is_some_and(|c| c != '"') {
            self.at += 1;
        }
        let text = self.chars[from..self.at].iter().collect();
        if self.take_if('"') { Ok(text) } else { self.wrong("the closing quote is missing") }
    }
}
