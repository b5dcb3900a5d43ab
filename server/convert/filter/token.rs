//! Cutting a filter into tokens.

use super::super::text::quoted;

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    /// Of its first character, counting from 1.
    pub(super) position: usize,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Characters without a meaning of their own: a name, a simple value, AND.
    Word(String),
    /// A value in quotes, without them.
    Quoted(String),
    /// An operator, or another character with a meaning in AIP-160.
    Sign(&'static str),
}

/// Longer ones first.
const SIGNS: [&str; 12] = [
    "<=", ">=", "!=", "=", "<", ">", ":", "(", ")", ",", "*", "!",
];

/// The tokens of a filter.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut position = 1;
    while let Some(first) = rest.chars().next() {
        let (length, kind) = if first.is_whitespace() {
            (first.len_utf8(), None)
        } else if first == '"' || first == '\'' {
            let (length, value) = quoted_value(rest, first, position)?;
            (length, Some(Kind::Quoted(value)))
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (sign.len(), Some(Kind::Sign(sign)))
        } else {
            let length = rest.find(|c| !is_word_part(c)).unwrap_or(rest.len());
            if length == 0 {
                let first = quoted(&first.to_string());
                return Err(format!("at {position}: {first} must stand in quotes"));
            }
            let word = rest.get(..length).unwrap_or_default();
            (length, Some(Kind::Word(word.to_owned())))
        };
        let (head, tail) = rest.split_at_checked(length).unwrap_or((rest, ""));
        tokens.extend(kind.map(|kind| Token { position, kind }));
        position += head.chars().count();
        rest = tail;
    }
    Ok(tokens)
}

/// The length in bytes of the value in quotes at the beginning of `text`, and the value. A
/// backslash takes the character behind it as it is.
fn quoted_value(text: &str, quote: char, position: usize) -> Result<(usize, String), String> {
    let mut value = String::new();
    let mut escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        if escaped {
            value.push(c);
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return Ok((index + c.len_utf8(), value));
        } else {
            value.push(c);
        }
    }
    Err(format!("at {position}: the quote is never closed"))
}

fn is_word_part(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(
            c,
            '_' | '-' | '.' | '+' | '/' | '@' | '#' | '$' | '%' | '&' | '~'
        )
}

impl Token {
    /// What is wrong at this token.
    pub(super) fn error(&self, expected: &str) -> String {
        let found = match &self.kind {
            Kind::Word(text) | Kind::Quoted(text) => quoted(text),
            Kind::Sign(sign) => quoted(sign),
        };
        let hint = match &self.kind {
            Kind::Word(word) if matches!(word.as_str(), "OR" | "NOT") => "; only AND is supported",
            Kind::Sign("(" | ")") => "; parentheses are not supported",
            _ => "",
        };
        format!("at {}: {expected}, found {found}{hint}", self.position)
    }
}
