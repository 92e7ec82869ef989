//! What serde leaves open where people write JSON by hand: objects that are really objects, and messages in words
//! that people who never saw the program's types understand.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::id::printable;

/// A value that must be written as an object. Without it serde also takes a list of the fields, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Only<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Only<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        from.deserialize_map(Only(PhantomData)).map(Object)
    }
}

/// For `#[serde(deserialize_with)]` on a field that must be an object.
///
/// # Errors
/// Anything else stands there.
pub fn object<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Object::deserialize(from).map(|it| it.0)
}

/// What a message of the parser says, in the words of JSON, without its place and with a length for people.
pub fn words(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let what = message.rfind(" at line ").map_or(message.as_str(), |at| &message[..at]);
    let mut what = printable(what);
    if error.line() == 1 && error.column() == 0 && error.is_eof() {
        return "it is empty".into();
    }
    for (theirs, ours) in WORDS {
        if let Some(rest) = what.strip_prefix(theirs) {
            what = format!("{ours}{rest}");
        }
    }
    if let Some((found, expected)) = what.rsplit_once(", expected ") {
        let found =
            KINDS.iter().fold(found.to_owned(), |text, (theirs, ours)| text.replacen(theirs, ours, 1));
        let expected =
            TYPES.iter().find(|(theirs, _)| *theirs == expected).map_or(expected, |(_, ours)| ours);
        return format!("{}, expected {}", shortened(&found.replace('`', "")), expected.replace('`', "'"));
    }
    shortened(&what.replace('`', "'"))
}

/// The place inside the document; `None` for the whole of it, or one that can't be named shortly.
pub fn place(path: &serde_path_to_error::Path) -> Option<String> {
    let path = path.to_string();
    (path != "." && !path.contains('?') && path.len() < 300).then_some(path)
}

const WORDS: [(&str, &str); 9] = [
    ("EOF while parsing an object", "it ends inside an object"),
    ("EOF while parsing a list", "it ends inside a list"),
    ("EOF while parsing a string", "it ends inside a text"),
    ("EOF while parsing a value", "it ends where a value should follow"),
    ("expected value", "this is no JSON value"),
    ("expected ident", "this is no JSON value"),
    ("recursion limit exceeded", "it is nested too deeply"),
    ("invalid unicode code point", "a text is not in UTF-8"),
    ("trailing characters", "something follows the end of the document"),
];

const KINDS: [(&str, &str); 11] = [
    ("invalid type: integer ", "the number "),
    ("invalid value: integer ", "the number "),
    ("invalid type: floating point ", "the number "),
    ("invalid type: string ", "the text "),
    ("invalid type: boolean ", ""),
    ("invalid type: sequence", "a list"),
    ("invalid type: map", "an object"),
    ("invalid type: unit value", "null"),
    ("invalid type: null", "null"),
    ("unknown variant ", "the word "),
    ("invalid value: ", ""),
];

const TYPES: [(&str, &str); 9] = [
    ("u32", "a whole number, 0 or more"),
    ("u64", "a whole number, 0 or more"),
    ("i64", "a whole number"),
    ("f64", "a number"),
    ("a sequence", "a list"),
    ("a map", "an object"),
    ("a string", "a text"),
    ("a boolean", "true or false"),
    ("a string or map", "a word"),
];

fn shortened(text: &str) -> String {
    const MOST: usize = 160;
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_list_of_fields_is_no_object() {
        #[derive(Debug, serde::Deserialize)]
        struct Pair {
            #[allow(dead_code)]
            a: u32,
        }
        assert!(serde_json::from_str::<Pair>("[1]").is_ok(), "what Object is there for");
        assert!(serde_json::from_str::<Object<Pair>>("[1]").is_err());
        assert!(serde_json::from_str::<Object<Pair>>(r#"{"a": 1}"#).is_ok());
    }

    #[test]
    fn messages_speak_of_json_and_not_of_this_programs_types() {
        type Numbers = BTreeMap<String, u32>;
        for (text, expected) in [
            ("", "it is empty"),
            ("{", "it ends inside an object"),
            ("[]", "a list, expected an object"),
            (r#"{"a": "x"}"#, r#"the text "x", expected a whole number, 0 or more"#),
            (r#"{"a": -1}"#, "the number -1, expected a whole number, 0 or more"),
            (r#"{"a": 1.5}"#, "the number 1.5, expected a whole number, 0 or more"),
            (r#"{"a": null}"#, "null, expected a whole number, 0 or more"),
            (r#"{"a": true}"#, "true, expected a whole number, 0 or more"),
        ] {
            assert_eq!(words(&serde_json::from_str::<Numbers>(text).unwrap_err()), expected, "{text}");
        }
        let long = format!("{{\"a\": \"{}\"}}", "x".repeat(1 << 20));
        let said = words(&serde_json::from_str::<Numbers>(&long).unwrap_err());
        assert!(said.len() < 300 && said.ends_with("expected a whole number, 0 or more"), "{said}");
    }
}
