//! The query of a list: read by a parser of SQL, so that it is one query and nothing else, with its named parameters made positional.
//! Values never become part of it.

use std::ops::ControlFlow;

use sqlparser::ast::{self, Query, Select, TableFactor, Visit as _, Visitor};
use sqlparser::dialect::{Dialect, MsSqlDialect, PostgreSqlDialect};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::settings::Kind;

/// A query that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// With the database's own parameters (`$1`, `@P1`) in place of the names, and without a semicolon.
    pub(super) text: String,
    /// The names in the order of their numbers.
    pub(super) parameters: Vec<String>,
}

impl Statement {
    /// Reads a query; what is wrong with it otherwise, in words.
    pub(super) fn read(query: &str, kind: Kind) -> Result<Self, String> {
        let (dialect, sign): (&dyn Dialect, _) = match kind {
            Kind::Postgres => (&PostgreSqlDialect {}, "$"),
            Kind::SqlServer => (&MsSqlDialect {}, "@P"),
        };
        let tokens = Tokenizer::new(dialect, query).tokenize_with_location();
        let mut tokens = tokens.map_err(|error| format!("cannot be read: {error}"))?;
        let lines = Lines::of(query);
        let mut end = query.len();
        while let Some(last) = tokens.pop_if(|it| matches!(it.token, Token::SemiColon | Token::Whitespace(_)))
        {
            end = lines.offset(last.span.start);
        }
        let (text, parameters) = positional(query, end, &tokens, &lines, sign)?;
        let parsed = Parser::parse_sql(dialect, &text);
        let parsed = parsed.map_err(|error| format!("cannot be read: {error}"))?;
        if parsed.len() != 1 {
            return Err(format!("holds {} statements, not one", parsed.len()));
        }
        match parsed.visit(&mut OnlyReads) {
            ControlFlow::Continue(()) => Ok(Self { text, parameters }),
            ControlFlow::Break(why) => Err(why.to_owned()),
        }
    }
}

/// Where the lines of a text begin, in bytes.
struct Lines<'q> {
    text: &'q str,
    starts: Vec<usize>,
}

impl<'q> Lines<'q> {
    fn of(text: &'q str) -> Self {
        let ends = text.match_indices('\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The place in bytes; the parser counts lines, and characters in them, from 1.
    fn offset(&self, at: Location) -> usize {
        let index = |number: u64| usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
        let start = self.starts.get(index(at.line)).copied().unwrap_or(self.text.len());
        let line = self.text.get(start..).unwrap_or_default();
        start + line.char_indices().nth(index(at.column)).map_or(line.len(), |(at, _)| at)
    }
}

/// The text as it was written, with numbers in place of names. `::` is a token of its own, and names in strings and comments are none.
fn positional(
    query: &str,
    end: usize,
    tokens: &[TokenWithSpan],
    lines: &Lines<'_>,
    sign: &str,
) -> Result<(String, Vec<String>), String> {
    let (mut text, mut parameters, mut copied) = (String::new(), Vec::<String>::new(), 0);
    for (at, pair) in tokens.windows(2).enumerate() {
        if let Token::Placeholder(given) = &pair[0].token {
            return Err(format!("has the parameter {given}; parameters have names, such as :text"));
        }
        let (Token::Colon, Token::Word(word)) = (&pair[0].token, &pair[1].token) else { continue };
        let name = &word.value;
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if word.quote_style.is_some() || !name.bytes().all(plain) || name.len() > 63 {
            return Err(format!("has the parameter :{name}; names are of a-z, 0-9 and _"));
        }
        let number = parameters.iter().position(|it| it == name).unwrap_or_else(|| {
            parameters.push(name.clone());
            parameters.len() - 1
        });
        text.push_str(&query[copied..lines.offset(pair[0].span.start)]);
        text.push_str(sign);
        text.push_str(&(number + 1).to_string());
        copied = tokens.get(at + 2).map_or(end, |next| lines.offset(next.span.start));
    }
    if let Some(Token::Placeholder(given)) = tokens.last().map(|it| &it.token) {
        return Err(format!("has the parameter {given}; parameters have names, such as :text"));
    }
    text.push_str(&query[copied..end]);
    Ok((text, parameters))
}

/// Stops at everything that does more than read.
struct OnlyReads;

impl Visitor for OnlyReads {
    type Break = &'static str;

    fn pre_visit_statement(&mut self, statement: &ast::Statement) -> ControlFlow<Self::Break> {
        match statement {
            ast::Statement::Query(_) => ControlFlow::Continue(()),
            _ => ControlFlow::Break("is not one SELECT: something in it changes data or settings"),
        }
    }

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        if query.locks.is_empty() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break("locks rows (FOR UPDATE or FOR SHARE)")
        }
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<Self::Break> {
        if select.into.is_none() {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break("makes a table (SELECT INTO)")
        }
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<Self::Break> {
        match table {
            TableFactor::Table { with_hints, .. } if !with_hints.is_empty() => {
                ControlFlow::Break("has a table hint (WITH (…)), which may lock rows")
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_numbers_where_they_are_parameters() {
        let table: &[(&str, &str, &[&str])] = &[
            ("SELECT a FROM t", "SELECT a FROM t", &[]),
            ("SELECT a FROM t WHERE b = :text ;\n", "SELECT a FROM t WHERE b = $1", &["text"]),
            (
                "SELECT a FROM t WHERE b = :b AND c = :a AND d = :b",
                "SELECT a FROM t WHERE b = $1 AND c = $2 AND d = $1",
                &["b", "a"],
            ),
            ("SELECT a::text FROM t WHERE n = :n::int", "SELECT a::text FROM t WHERE n = $1::int", &["n"]),
            (
                "SELECT ':text', $$ :text $$, E'\\':x' FROM t",
                "SELECT ':text', $$ :text $$, E'\\':x' FROM t",
                &[],
            ),
            (
                "WITH x AS (SELECT 1 AS a) SELECT a FROM x UNION SELECT :a::int",
                "WITH x AS (SELECT 1 AS a) SELECT a FROM x UNION SELECT $1::int",
                &["a"],
            ),
            (
                "SELECT \"a:b\" FROM t WHERE b ILIKE '%' || :text || '%'",
                "SELECT \"a:b\" FROM t WHERE b ILIKE '%' || $1 || '%'",
                &["text"],
            ),
            (
                "SELECT 'it''s' -- ü\n, \"a\"\"b\" FROM t\nWHERE 'ß' <> :b AND x = :c",
                "SELECT 'it''s' -- ü\n, \"a\"\"b\" FROM t\nWHERE 'ß' <> $1 AND x = $2",
                &["b", "c"],
            ),
            ("SELECT x[1:2] FROM t", "SELECT x[1:2] FROM t", &[]),
            (
                "SELECT j->'a' FROM t WHERE j @> '{\"a\": 1}'",
                "SELECT j->'a' FROM t WHERE j @> '{\"a\": 1}'",
                &[],
            ),
        ];
        for (query, text, parameters) in table {
            let read = Statement::read(query, Kind::Postgres).unwrap_or_else(|why| panic!("{query}: {why}"));
            assert_eq!(
                (read.text.as_str(), read.parameters),
                (*text, parameters.iter().map(|it| (*it).to_owned()).collect())
            );
        }
        // A comment is no place for parameters, and does not swallow what follows.
        let read =
            Statement::read("SELECT a -- :no\nFROM t /* :nor here */ WHERE a = :b", Kind::Postgres).unwrap();
        assert_eq!(read.parameters, ["b"]);
        assert!(read.text.contains("WHERE a = $1"), "{}", read.text);
    }

    #[test]
    fn sql_server_has_parameters_and_words_of_its_own() {
        for (query, text, parameters) in [
            (
                "SELECT TOP 50 [Mat No] AS number, name FROM dbo.Matters WHERE name LIKE '%' + :text + '%' ORDER BY number;",
                "SELECT TOP 50 [Mat No] AS number, name FROM dbo.Matters WHERE name LIKE '%' + @P1 + '%' ORDER BY number",
                vec!["text"],
            ),
            (
                "WITH m AS (SELECT number FROM t WHERE client = CAST(:client AS int)) SELECT number FROM m WHERE a = :a OR b = :client",
                "WITH m AS (SELECT number FROM t WHERE client = CAST(@P1 AS int)) SELECT number FROM m WHERE a = @P2 OR b = @P1",
                vec!["client", "a"],
            ),
            ("SELECT N':text', [a:b] FROM t", "SELECT N':text', [a:b] FROM t", vec![]),
        ] {
            let read = Statement::read(query, Kind::SqlServer).unwrap_or_else(|why| panic!("{query}: {why}"));
            assert_eq!(
                (read.text.as_str(), read.parameters),
                (text, parameters.into_iter().map(str::to_owned).collect())
            );
        }
        for (query, word) in [
            ("EXEC sp_configure 'x', 1", ""),
            ("SELECT 1; EXEC xp_cmdshell 'dir'", ""),
            ("SELECT a INTO u FROM t", "SELECT INTO"),
            ("MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE;", "changes"),
            ("SELECT a FROM t WITH (UPDLOCK)", "hint"),
            ("SELECT a FROM u JOIN t WITH (TABLOCKX, HOLDLOCK) ON u.a = t.a", "hint"),
            ("SELECT a FROM t WHERE a = @x; DROP TABLE t", ""),
            ("DECLARE @a int; SELECT @a", ""),
            ("USE master", ""),
        ] {
            let why = Statement::read(query, Kind::SqlServer).map(|read| read.text).unwrap_err();
            assert!(why.contains(word), "{query}: {why}");
        }
    }

    #[test]
    fn whatever_does_more_than_read_is_refused() {
        for (query, word) in [
            ("", "statements"),
            ("   ;", "statements"),
            ("SELECT 1; SELECT 2", "statements"),
            ("SELECT 1; DROP TABLE t", "statements"),
            ("DROP TABLE t", "changes"),
            ("INSERT INTO t VALUES (1)", "changes"),
            ("UPDATE t SET a = 1", "changes"),
            ("DELETE FROM t", "changes"),
            ("TRUNCATE t", "changes"),
            ("SET transaction_read_only = off", "changes"),
            ("COPY t TO '/tmp/x'", "changes"),
            ("EXPLAIN ANALYZE SELECT 1", "changes"),
            ("CALL p()", "changes"),
            ("BEGIN", "changes"),
            ("WITH x AS (DELETE FROM t RETURNING a) SELECT a FROM x", "changes"),
            ("WITH x AS (INSERT INTO t VALUES (1) RETURNING a) SELECT a FROM x", "changes"),
            ("SELECT a FROM (WITH x AS (UPDATE t SET a = 1 RETURNING a) SELECT a FROM x) y", "changes"),
            ("SELECT a INTO u FROM t", "SELECT INTO"),
            ("WITH x AS (SELECT 1) SELECT a INTO u FROM t", "SELECT INTO"),
            ("SELECT a FROM t FOR UPDATE", "locks"),
            ("SELECT a FROM (SELECT a FROM t FOR SHARE) x", "locks"),
            ("SELECT a FROM t WHERE a = $1", "names"),
            ("SELECT a FROM t WHERE a = :Text", "a-z"),
            ("SELECT a FROM t WHERE a = :\"text\"", "a-z"),
            ("SELECT FROM WHERE", "cannot be read"),
            ("SELECT 'open", "cannot be read"),
        ] {
            let why = Statement::read(query, Kind::Postgres).map(|read| read.text).unwrap_err();
            assert!(why.contains(word), "{query}: {why}");
        }
    }
}
