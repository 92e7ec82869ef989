//! The few lines at the beginning of a Markdown document that say what it is about.
//!
//! Of YAML only what such lines hold is understood: `key: value`, `key: [a, b]`, and a list below its key. Anything else
//! is passed over.

/// Keys that name dependencies.
pub const DEPENDS: [&str; 5] = ["dependencies", "depends_on", "depends", "blocked_by", "requires"];

/// What the front matter says of a work.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FrontMatter {
    pub title: Option<String>,
    pub priority: Option<i64>,
    pub depends: Vec<String>,
}

impl FrontMatter {
    /// The front matter of a document; `None` where it has none.
    pub fn of(text: &str) -> Option<FrontMatter> {
        let mut lines = text.trim_start_matches('\u{feff}').lines();
        if lines.next()?.trim_end() != "---" {
            return None;
        }
        let mut found = FrontMatter::default();
        let mut list = false;
        for line in lines {
            if matches!(line.trim_end(), "---" | "...") {
                return Some(found);
            }
            if let Some(item) = line.trim_start().strip_prefix("- ").filter(|_| list) {
                found.depends.extend(parts(item));
                continue;
            }
            list = false;
            let Some((key, value)) = line.split_once(':').filter(|_| !line.starts_with([' ', '\t', '#']))
            else {
                continue;
            };
            let (key, value) = (key.trim().to_lowercase().replace('-', "_"), without_comment(value).trim());
            match key.as_str() {
                "title" => found.title = Some(unquoted(value).to_owned()),
                "priority" => found.priority = unquoted(value).parse().ok(),
                key if DEPENDS.contains(&key) => {
                    list = value.is_empty();
                    let inner = value.strip_prefix('[').map_or(value, |rest| rest.trim_end_matches(']'));
                    found.depends.extend(parts(inner));
                }
                _ => {}
            }
        }
        // Nothing ended it: then it was a line across the page.
        None
    }
}

/// Names separated by commas or blanks, without quotes; words for nothing give none.
pub fn parts(text: &str) -> Vec<String> {
    text.split(|c: char| c == ',' || c.is_whitespace())
        .map(|part| unquoted(part.trim()))
        .filter(|part| !matches!(*part, "" | "[]" | "~" | "null" | "none" | "None"))
        .map(str::to_owned)
        .collect()
}

fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    text
}

/// A comment begins with ` #`; `"#12"` and `#12` right behind a bracket are none.
fn without_comment(value: &str) -> &str {
    match value.find(" # ") {
        Some(at) => &value[..at],
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_forms_are_read() {
        let of = |text: &str| FrontMatter::of(text);
        let depends = |text: &str| of(&format!("---\n{text}\n---\n")).unwrap().depends;
        assert_eq!(depends("depends_on: [A-1, \"#12\"]"), ["A-1", "#12"]);
        assert_eq!(depends("Depends-On: A-1, B-2 # as agreed"), ["A-1", "B-2"]);
        assert_eq!(depends("dependencies:\n- A-1\n  - 'B-2'\nother:\n- C-3"), ["A-1", "B-2"]);
        assert!(depends("dependencies: []\ndepends: none").is_empty());
        let all = of("---\r\ntitle: 'A: b'\r\npriority: 2\r\nnested:\r\n  title: no\r\n---\r\n").unwrap();
        assert_eq!((all.title.as_deref(), all.priority), (Some("A: b"), Some(2)));
        assert_eq!(of("# x\n---\ntitle: y\n---\n"), None);
        assert_eq!(of("---\ntitle: y\n"), None);
        assert_eq!(of(""), None);
    }
}
