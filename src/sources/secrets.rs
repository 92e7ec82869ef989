//! Tokens taken out of what trackers and their programs say, before anybody sees it.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::platform::environment::{self, TRACKER_TOKENS};

/// What tokens and passwords look like, wherever they come from; a first group is kept.
const FORMS: &str = concat!(
    r"gh[pousr]_[A-Za-z0-9_]{8,}|github_pat_[A-Za-z0-9_]{8,}|ATATT[A-Za-z0-9_=-]{8,}",
    r"|(://)[^\s/?#]*@",
    r"|(?i)\b((?:bearer|basic|token)\s+)[a-z0-9+/_.=-]{12,}",
);

static LIKE_SECRETS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(FORMS).ok());

/// A shorter value is too likely to be a word of the message.
const SHORTEST: usize = 4;

/// `text` without the trackers' tokens of this environment, and without what looks like one.
pub(super) fn masked(text: &str) -> String {
    let mut text = text.to_owned();
    for token in TRACKER_TOKENS.iter().filter_map(environment::filled) {
        if let Some(token) = token.to_str().map(str::trim).filter(|token| token.len() >= SHORTEST) {
            text = text.replace(token, "…");
        }
    }
    match LIKE_SECRETS.as_ref() {
        Some(forms) => forms
            .replace_all(&text, |found: &Captures<'_>| {
                let kept = found.iter().skip(1).flatten().next().map_or("", |kept| kept.as_str());
                let at = if kept == "://" { "@" } else { "" };
                format!("{kept}…{at}")
            })
            .into_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_gone_and_the_rest_stays() {
        let variables = [("GH_TOKEN", "hunter2-of-mine\n"), ("JIRA_PAT", "in")];
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        environment::within(variables, || {
            for (text, expected) in [
                ("no access with hunter2-of-mine in it", "no access with … in it"),
                ("bad ghp_abcDEF123456789 and github_pat_11AB_cdefgh.", "bad … and …."),
                ("remote https://me:pass@github.com/o/r failed", "remote https://…@github.com/o/r failed"),
                ("https://ghs_x@host:8080/p", "https://…@host:8080/p"),
                ("Authorization: Bearer abc.def-ghi_jkl012=", "Authorization: Bearer …"),
                ("> Authorization: token 0123456789abcdef", "> Authorization: token …"),
                ("the token expired", "the token expired"),
                (
                    "see https://github.com/o/r/issues/1 or me@example.org",
                    "see https://github.com/o/r/issues/1 or me@example.org",
                ),
            ] {
                assert_eq!(masked(text), expected);
            }
        });
    }

    #[test]
    fn the_forms_compile() {
        assert!(LIKE_SECRETS.is_some());
    }
}
