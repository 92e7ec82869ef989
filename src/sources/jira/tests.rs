//! Readings over real connections.

use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use super::server::{Answer, Asked, Jira};
use super::*;
use crate::platform::environment::{self, Variables};

const CLOUD: [(&str, Option<&str>); 1] = [("JIRA_EMAIL", Some("me@example.org"))];
const SERVER: [(&str, Option<&str>); 1] = [("JIRA_AUTH_TYPE", Some("bearer"))];

fn ok(body: &Value) -> Answer {
    Answer::Whole(200, "Content-Type: application/json\r\n", body.to_string())
}

fn row(number: usize) -> Value {
    json!({"id": "1", "key": format!("ABC-{number}"), "fields": {
        "summary": format!("Issue {number}"), "labels": [], "issuetype": {"name": "Story"},
        "status": {"statusCategory": {"key": "new"}},
    }})
}

fn rows(from: usize, to: usize) -> Vec<Value> {
    (from..to).map(row).collect()
}

/// The environment of somebody with an account there; a `None` takes a variable away.
fn environment_of(jira: &Jira, more: &[(&str, Option<&str>)]) -> Variables {
    let login = jira.login().map(|(name, value)| (name, Some(value)));
    let mut variables = Variables::new();
    for (name, value) in login.iter().chain(more) {
        variables.remove(OsStr::new(name));
        variables.extend(value.map(|value| (name.into(), value.into())));
    }
    variables
}

fn ask(
    jira: &Jira,
    more: &[(&str, Option<&str>)],
    patience: u64,
    interrupt: &mut dyn Interrupt,
) -> Result<Found> {
    let place = Place { root: Path::new("/"), patience: Duration::from_millis(patience) };
    let jql = "project = ABC AND labels = \"a&b=ü\"";
    environment::within(environment_of(jira, more), || read(jql, &JiraConfig::default(), &place, interrupt))
}

fn found(jira: &Jira, more: &[(&str, Option<&str>)]) -> Found {
    ask(jira, more, 60_000, &mut Never).unwrap()
}

#[track_caller]
fn refused(jira: &Jira, more: &[(&str, Option<&str>)], patience: u64) -> Error {
    let error = ask(jira, more, patience, &mut Never).unwrap_err();
    let all = format!("{error} {} {error:?}", error.hint());
    for secret in ["s3cret-t0ken", "bWVAZXhhbXBsZS5vcmc6czNjcmV0LXQwa2Vu"] {
        assert!(!all.contains(secret), "{all}");
    }
    assert!(!all.contains(['\u{1b}', '\u{202e}']), "{all:?}");
    error
}

#[test]
fn cloud_gives_its_pages_by_token() {
    let jira = Jira::new(|asked: &Asked, _| {
        assert_eq!(asked.path, "/rest/api/3/search/jql");
        ok(&match asked.get("nextPageToken") {
            None => json!({"issues": rows(1, 101), "nextPageToken": "a b+/=", "isLast": false}),
            Some("a b+/=") => json!({"issues": [], "nextPageToken": "c"}),
            Some("c") => {
                let mut rows = rows(100, 103);
                rows[2]["fields"]["description"] = json!({"type": "doc", "content": [
                    {"type": "paragraph", "content": [{"type": "text", "text": "requires ABC-1"}]}]});
                rows[2]["fields"]["issuelinks"] =
                    json!([{"type": {"name": "Blocks"}, "inwardIssue": {"key": "ABC-2"}}]);
                json!({"issues": rows, "isLast": true})
            }
            other => panic!("{other:?}"),
        })
    });
    let found = found(&jira, &CLOUD);
    assert_eq!(found.issues.len(), 102);
    assert_eq!(found.notices, Vec::<String>::new());
    let last = &found.issues[101];
    assert_eq!((last.key.as_str(), last.body.as_str()), ("ABC-102", "requires ABC-1"));
    assert_eq!(last.blocked_by[0].key, "ABC-2");
    assert_eq!(last.url.as_deref(), Some(format!("{}/browse/ABC-102", jira.url).as_str()));
    let asked = jira.asked();
    assert_eq!(asked.len(), 3);
    for request in asked {
        assert_eq!(request.authorization, "Basic bWVAZXhhbXBsZS5vcmc6czNjcmV0LXQwa2Vu");
        assert_eq!(request.get("jql"), Some("project = ABC AND labels = \"a&b=ü\""));
        assert_eq!(request.get("fields"), Some(FIELDS));
    }
}

#[test]
fn a_server_gives_its_pages_by_number_and_may_give_fewer_than_asked_for() {
    let jira = Jira::new(|asked: &Asked, _| {
        assert_eq!(
            (asked.path.as_str(), asked.authorization.as_str()),
            ("/jira/rest/api/2/search", "Bearer s3cret-t0ken")
        );
        let start: usize = asked.get("startAt").unwrap().parse().unwrap();
        let mut rows = rows(start, (start + 50).min(120));
        rows[0]["fields"]["description"] = "Blocked by ABC-7\n{code}x{code}".into();
        ok(&json!({"startAt": start, "maxResults": 50, "total": 120, "issues": rows}))
    });
    let base = format!("{}/jira/", jira.url);
    let found = found(&jira, &[SERVER[0], ("JIRA_BASE_URL", Some(&base))]);
    assert_eq!(found.issues.len(), 120);
    assert_eq!(found.issues[50].body, "Blocked by ABC-7\n\n```\nx\n```\n");
    assert_eq!(jira.asked().len(), 3);
}

#[test]
fn the_other_interface_is_tried_where_the_first_is_missing() {
    for (more, there, status) in [(CLOUD, "/rest/api/2/search", 404), (SERVER, "/rest/api/3/search/jql", 410)]
    {
        let jira = Jira::new(move |asked: &Asked, _| match asked.path == there {
            true => ok(&json!({"issues": rows(1, 3), "total": 2, "isLast": true})),
            false => Answer::Whole(status, "", "<html>gone</html>".into()),
        });
        assert_eq!(found(&jira, &more).issues.len(), 2);
        assert_eq!(jira.asked().len(), 2);
    }
}

#[test]
fn every_refusal_has_its_own_answer() {
    const HTML: &str = "Content-Type: text/html\r\n";
    let hostile = r#"{"errorMessages": ["\u001b[2J\u202e The token s3cret-t0ken\nand bWVAZXhhbXBsZS5vcmc6czNjcmV0LXQwa2Vu"]}"#;
    for (status, headers, body, code, words) in [
        (
            400,
            "",
            r#"{"errorMessages": ["Field 'x' does not exist"]}"#,
            Code::SourceRefused,
            "Field 'x' does not exist",
        ),
        (400, "", hostile, Code::SourceRefused, "The token …; and …"),
        (401, HTML, "<html>", Code::SourceLogin, "does not accept the login"),
        (403, "", "{}", Code::SourceLogin, "does not let this login see that"),
        (
            403,
            "X-Authentication-Denied-Reason: CAPTCHA_CHALLENGE\r\n",
            "",
            Code::SourceLogin,
            "a person first",
        ),
        (404, HTML, "<html>", Code::SourceRefused, "there is no Jira at http://127.0.0.1"),
        (410, "", r#"{"errorMessages": ["removed"]}"#, Code::SourceRefused, "no longer has the search"),
        (
            302,
            "Location: https://evil.example/login?os=s3cret-t0ken\r\n",
            "",
            Code::SourceRefused,
            "sends on to https://evil.example/login",
        ),
        (418, "", "", Code::SourceRefused, "status 418"),
        (429, "Retry-After: 3600\r\n", "", Code::SourceLimit, "no more requests for 3600 s"),
        (
            200,
            "X-Seraph-LoginReason: AUTHENTICATED_FAILED\r\n",
            r#"{"issues": []}"#,
            Code::SourceLogin,
            "accept the login",
        ),
        (200, HTML, "<html>Log in</html>", Code::SourceAnswer, "a web page"),
        (200, "", "{", Code::SourceAnswer, "it ends inside an object"),
        (200, "", r#"{"issues": [{"key": "../../x\u001b"}]}"#, Code::SourceAnswer, "is no key"),
        (200, "", r#"{"issues": 7}"#, Code::SourceAnswer, "expected"),
        (
            200,
            "",
            r#"{"issues": [], "isLast": false, "nextPageToken": "same"}"#,
            Code::SourceAnswer,
            "same page",
        ),
        (200, "", r#"{"issues": [], "total": 10001}"#, Code::SourceLimit, "10000"),
    ] {
        let jira = Jira::new(move |_: &Asked, _| Answer::Whole(status, headers, body.into()));
        let error = refused(&jira, &CLOUD, 60_000);
        assert_eq!(error.code(), code, "{status}: {error}");
        assert!(error.what().contains(words), "{status}: {error}");
        assert!(jira.asked().iter().all(|asked| asked.authorization.starts_with("Basic ")));
        assert!(jira.asked().len() <= 2, "{status}: {}", jira.asked().len());
    }
}

#[test]
fn what_passes_by_itself_is_tried_again() {
    let jira = Jira::new(|_: &Asked, number| match number {
        0 => Answer::Whole(429, "Retry-After: 1\r\n", String::new()),
        1 => Answer::Whole(503, "", "<html>".into()),
        2 => Answer::Torn,
        _ => ok(&json!({"issues": rows(1, 2), "isLast": true})),
    });
    let begin = Instant::now();
    assert_eq!(found(&jira, &CLOUD).issues.len(), 1);
    assert!(begin.elapsed() >= Duration::from_secs(1), "Retry-After is obeyed");
    assert_eq!(jira.asked().len(), 4);
    let jira = Jira::new(|_: &Asked, _| Answer::Whole(502, "", "<html>".into()));
    let error = refused(&jira, &CLOUD, 60_000);
    assert_eq!(error.code(), Code::SourceUnreachable);
    assert!(error.what().contains("status 502"), "{error}");
    assert_eq!(jira.asked().len(), 4);
}

/// Raised once that time is over.
struct At(Instant);

impl Interrupt for At {
    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }
    fn raised(&mut self) -> bool {
        Instant::now() >= self.0
    }
}

#[test]
fn silence_ends_in_time_and_an_interrupt_ends_every_wait() {
    let silent = Jira::new(|_: &Asked, _| Answer::Silence);
    let begin = Instant::now();
    let error = refused(&silent, &CLOUD, 400);
    assert_eq!(error.code(), Code::SourceUnreachable, "{error}");
    assert!(begin.elapsed() < Duration::from_secs(10));
    let busy = Jira::new(|_: &Asked, _| Answer::Whole(429, "Retry-After: 50\r\n", String::new()));
    for jira in [&silent, &busy] {
        let begin = Instant::now();
        let error = ask(jira, &CLOUD, 60_000, &mut At(begin + Duration::from_millis(300))).unwrap_err();
        assert_eq!(error.code(), Code::Interrupted);
        assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    }
}

#[test]
fn nobody_there_is_said() {
    let jira = Jira::new(|_: &Asked, _| Answer::Torn);
    for (url, words) in
        [("http://127.0.0.1:1", "can't be reached"), ("https://no-such-host.invalid", "no-such-host.invalid")]
    {
        let error = refused(&jira, &[CLOUD[0], ("JIRA_BASE_URL", Some(url))], 10_000);
        assert_eq!(error.code(), Code::SourceUnreachable, "{error}");
        assert!(error.what().contains(words), "{error}");
    }
    // Not the TLS that was asked for.
    let https = jira.url.replace("http:", "https:");
    let error = refused(&jira, &[CLOUD[0], ("JIRA_BASE_URL", Some(&https))], 10_000);
    assert_eq!(error.code(), Code::SourceUnreachable, "{error}");
    for jql in [" ", "a\u{1b}b"] {
        let read = || read(jql, &JiraConfig::default(), &Place::new(Path::new("/")), &mut Never);
        let error = environment::within(environment_of(&jira, &CLOUD), read).unwrap_err();
        assert_eq!(error.code(), Code::Usage);
    }
    assert!(jira.asked().is_empty());
}

#[test]
fn a_thousand_issues_take_ten_requests_and_little_time() {
    let jira = Jira::new(|asked: &Asked, _| {
        let start: usize = asked.get("startAt").unwrap().parse().unwrap();
        let mut rows = rows(start, start + 100);
        for (n, row) in rows.iter_mut().enumerate() {
            let title = "\u{1b}[2J$(touch x) \u{202e}\0";
            row["fields"]["summary"] = title.into();
            row["fields"]["description"] = if n == 0 { "x".repeat(1 << 20) } else { title.to_owned() }.into();
        }
        ok(&json!({"total": 1000, "issues": rows}))
    });
    let begin = Instant::now();
    let found = found(&jira, &SERVER);
    assert_eq!(found.issues.len(), 1000);
    assert_eq!(found.issues[100].body.len(), 1 << 20);
    assert_eq!(found.issues[1].title, "\u{1b}[2J$(touch x) \u{202e}\0");
    assert_eq!(jira.asked().len(), 10);
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
}

#[test]
fn keys_that_are_not_there_hide_no_others() {
    let jira = Jira::new(|asked: &Asked, _| {
        let jql = asked.get("jql").unwrap();
        let names = jql.trim_start_matches("key in (").trim_end_matches(')').split(", ");
        let keys: Vec<usize> =
            names.map(|name| name.trim_matches('"').trim_start_matches("ABC-").parse().unwrap()).collect();
        match keys.iter().find(|key| **key % 50 == 7) {
            Some(key) => {
                let text = format!("An issue with key 'ABC-{key}' does not exist for field 'key'.");
                Answer::Whole(400, "", json!({"errorMessages": [text]}).to_string())
            }
            None => ok(&json!({"issues": keys.into_iter().map(row).collect::<Vec<_>>(), "isLast": true})),
        }
    });
    let keys: Vec<String> = (0..150).map(|n| format!("ABC-{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let place = Place { root: Path::new("/"), patience: Duration::from_secs(60) };
    let ask = |keys: &[&str]| {
        environment::within(environment_of(&jira, &CLOUD), || {
            states(keys, &JiraConfig::default(), &place, &mut Never).unwrap()
        })
    };
    let known = ask(&keys);
    assert_eq!(known.len(), 147);
    assert!(!known["ABC-8"] && !known.contains_key("ABC-7"));
    assert!(jira.asked().len() < 50, "{}", jira.asked().len());
    let nowhere: Vec<&str> = std::iter::repeat_n("ABC-7", 5000).collect();
    assert!(ask(&nowhere).is_empty());
    assert!(jira.asked().len() < 200, "{}", jira.asked().len());
}

#[test]
fn a_login_can_be_checked() {
    let jira = Jira::new(|asked: &Asked, _| match asked.path.as_str() {
        "/rest/api/2/myself" => ok(&json!({})),
        other => panic!("{other}"),
    });
    let check = || check(&JiraConfig::default(), &Place::new(Path::new("/")));
    let said = environment::within(environment_of(&jira, &CLOUD), check).unwrap();
    assert!(said.contains("'me@example.org'"), "{said}");
}
