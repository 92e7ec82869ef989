//! Readings through a stand-in `gh` that refuses what the real one refuses and answers in recorded shapes.

use std::cell::Cell;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Instant;

use serde_json::{Value, json};

use super::*;
use crate::platform::environment::{self, Variables};
use crate::sources::issue::Link;

/// `version` holds its version, `list.json` its list, `graphql-N.json` the answers to the questions in their order;
/// `refuses` what it says instead of the list.
const GH: &str = r#"#!/bin/sh
D=$(dirname "$(dirname "$0")")
die() { echo "$1" >&2; exit "${2:-1}"; }
[ "$GH_PROMPT_DISABLED" = 1 ] && [ -z "$GH_DEBUG$DEBUG$GH_FORCE_TTY" ] || die "bad environment"
[ "$PWD" = "$D/root" ] || die "called in $PWD"
[ "$GH_TOKEN" = theirs ] && [ -z "$GIT_DIR" ] || die "not the asker's environment"
[ -z "$(cat)" ] || die "has input"
version=$(cat "$D/version")
echo "$*" >> "$D/calls"
case "$*" in
--version)
    echo "gh version $version (2026-01-01 Somewhere)"
    echo "https://github.com/cli/cli/releases/tag/v$version" ;;
"auth status")
    [ -e "$D/logged-in" ] || die "You are not logged into any GitHub hosts. To log in, run: gh auth login" ;;
"issue list "*)
    shift 2
    limit=30
    while [ $# -gt 0 ]; do
        case "$1" in
        -L) limit=$2 ;;
        --json) fields=$2 ;;
        --state|--label|--milestone|--assignee|--search|--repo) ;;
        *) die "unknown flag: $1" ;;
        esac
        shift 2 || die "flag needs an argument: $1"
    done
    [ "$limit" -ge 1000 ] || die "only $limit"
    known="number title body labels state assignees milestone url createdAt updatedAt"
    case "$version" in 2.9[4-9].*) known="$known blockedBy blocking parent subIssues" ;; esac
    for field in $(echo "$fields" | tr , ' '); do
        case " $known " in *" $field "*) ;; *) die "Unknown JSON field: \"$field\"" ;; esac
    done
    if [ -e "$D/refuses" ]; then
        case "$fields" in *blockedBy*) die "$(cat "$D/refuses")" ;; esac
    fi
    [ ! -e "$D/hangs" ] || exec sleep 60
    cat "$D/list.json" ;;
"api graphql --hostname github.com -f query="*)
    n=$(grep -c "^api graphql" "$D/calls")
    cat "$D/graphql-$n.json" || die "no answer"
    if grep -q '"errors"' "$D/graphql-$n.json"; then die "gh: $(cat "$D/says" 2> /dev/null)"; fi ;;
*)
    die "unknown command: $*" ;;
esac
"#;

struct StandIn {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl StandIn {
    fn new(version: &str, list: &Value) -> StandIn {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        for name in ["root", "bin"] {
            std::fs::create_dir(path.join(name)).unwrap();
        }
        std::fs::write(path.join("bin/gh"), GH).unwrap();
        std::fs::set_permissions(path.join("bin/gh"), std::fs::Permissions::from_mode(0o755)).unwrap();
        let it = StandIn { _folder: folder, path };
        it.has("version", version);
        it.has("list.json", list.to_string());
        it
    }

    fn has(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path.join(name), content).unwrap();
    }

    fn calls(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.path.join("calls")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    fn with<T>(&self, patience: Duration, ask: impl FnOnce(&Place<'_>) -> T) -> T {
        let root = self.path.join("root");
        let path = format!("{}:{}", self.path.join("bin").display(), std::env::var("PATH").unwrap());
        let debug = [("GH_DEBUG", "api"), ("DEBUG", "1"), ("GH_FORCE_TTY", "100%")];
        let theirs = [("PATH", path.as_str()), ("GH_TOKEN", "theirs"), ("GIT_DIR", "/nowhere")];
        let variables = theirs.into_iter().chain(debug).map(|(name, value)| (name.into(), value.into()));
        environment::within(variables.collect(), || ask(&Place { root: &root, patience }))
    }

    fn read(&self, query: &str) -> Result<Found> {
        self.with(Duration::from_secs(60), |place| read(query, place, &mut Never))
    }
}

fn row(number: u64) -> Value {
    json!({
        "number": number, "title": format!("Issue {number}"), "body": "Depends on #1", "state": "OPEN",
        "labels": [{"id": "LA_1", "name": "scheduled", "description": "", "color": "ededed"}],
        "url": format!("https://github.com/o/n/issues/{number}"),
    })
}

fn node(number: u64, repository: &str, state: &str) -> Value {
    json!({"number": number, "state": state, "repository": {"nameWithOwner": repository}})
}

fn page(nodes: &[Value], cursor: Option<&str>) -> Value {
    json!({"pageInfo": {"hasNextPage": cursor.is_some(), "endCursor": cursor}, "nodes": nodes})
}

fn link(key: &str, repository: Option<&str>, closed: Option<bool>) -> Link {
    Link { key: key.into(), repository: repository.map(str::to_owned), closed }
}

#[test]
fn an_old_gh_gives_a_list_and_one_question_gives_the_edges() {
    let gh = StandIn::new("2.23.0", &json!([row(1), row(2), row(3), row(2)]));
    let answer = json!({"data": {"repository": {
        "i1": {"number": 1, "blockedBy": page(&[], None)},
        "i2": {"number": 2, "blockedBy": page(&[node(1, "o/n", "OPEN"), node(9, "x/y", "CLOSED")], None)},
        "i3": null,
    }}, "errors": [{"type": "NOT_FOUND", "path": ["repository", "i3"]}]});
    gh.has("graphql-1.json", answer.to_string());
    let found = gh.read("label:scheduled,label:\"help wanted\",milestone:v1").unwrap();
    assert_eq!(found.notices, Vec::<String>::new());
    let keys: Vec<&str> = found.issues.iter().map(|issue| issue.key.as_str()).collect();
    assert_eq!(keys, ["1", "2", "3"]);
    assert_eq!(
        found.issues[1].blocked_by,
        [link("1", None, Some(false)), link("9", Some("x/y"), Some(true))]
    );
    assert_eq!(found.issues[0].repository.as_deref(), Some("o/n"));
    assert_eq!(found.issues[0].labels, ["scheduled"]);
    let calls = gh.calls();
    assert_eq!(calls.len(), 3, "{calls:#?}");
    assert_eq!(
        calls[1],
        "issue list --state open -L 10000 --json number,title,body,labels,state,url \
         --label scheduled --label help wanted --milestone v1"
    );
    assert!(calls[2].contains("repository(owner:\"o\",name:\"n\"){i1:issue(number:1){...B}"), "{}", calls[2]);
}

#[test]
fn a_new_gh_gives_the_edges_in_its_list_in_either_shape() {
    let mut rows = [row(2), row(3), row(4)];
    rows[0]["blockedBy"] = json!({"totalCount": 2, "nodes": [
        {"id": "I_1", "number": 1, "title": "a", "state": "CLOSED", "url": "https://github.com/o/n/issues/1"},
        {"id": "I_9", "number": 9, "title": "b", "state": "OPEN", "url": "https://github.com/x/y/issues/9"}]});
    rows[1]["blockedBy"] = json!([{"number": 2}]);
    rows[2]["blockedBy"] = json!({"totalCount": 0, "nodes": null});
    let gh = StandIn::new("2.94.0", &json!(rows));
    let found = gh.read("assignee:@me repo:o/n").unwrap();
    assert_eq!(
        found.issues[0].blocked_by,
        [link("1", None, Some(true)), link("9", Some("x/y"), Some(false))]
    );
    assert_eq!(found.issues[1].blocked_by, [link("2", None, None)]);
    assert!(found.issues[2].blocked_by.is_empty() && found.notices.is_empty());
    assert_eq!(
        gh.calls()[1],
        "issue list --state open -L 10000 --json number,title,body,labels,state,url,blockedBy --assignee @me --repo o/n"
    );
    assert_eq!(gh.calls().len(), 2);
}

#[test]
fn a_blocker_that_may_not_be_seen_is_said() {
    let mut row = row(5);
    row["blockedBy"] =
        json!({"totalCount": 2, "nodes": [{"number": 0, "state": ""}, {"number": 2, "state": "OPEN"}]});
    let found = StandIn::new("2.94.0", &json!([row])).read("x").unwrap();
    assert_eq!(found.issues[0].blocked_by.len(), 1);
    assert!(found.notices[0].contains("#5 is blocked by an issue that this login may not see"));
    let gh = StandIn::new("2.23.0", &json!([row]));
    let answer =
        json!({"data": {"repository": {"i5": {"number": 5, "blockedBy": page(&[Value::Null], None)}}}});
    gh.has("graphql-1.json", answer.to_string());
    let found = gh.read("x").unwrap();
    assert!(found.issues[0].blocked_by.is_empty() && found.notices.len() == 1, "{found:?}");
}

#[test]
fn blockers_that_gh_left_out_are_paged() {
    let mut rows = [row(1), row(2)];
    rows[0]["blockedBy"] = json!({"totalCount": 151, "nodes": [{"number": 100, "state": "OPEN"}]});
    rows[1]["blockedBy"] = json!({"totalCount": 1, "nodes": [{"number": 1, "state": "OPEN"}]});
    let gh = StandIn::new("2.95.1", &json!(rows));
    let part = |from: u64, to, cursor| {
        let nodes: Vec<Value> = (from..to).map(|number| node(number, "o/n", "OPEN")).collect();
        json!({"data": {"repository": {"i1": {"number": 1, "blockedBy": page(&nodes, cursor)}}}}).to_string()
    };
    gh.has("graphql-1.json", part(100, 150, Some("a\"b")));
    gh.has("graphql-2.json", part(150, 251, None));
    let found = gh.read("x").unwrap();
    assert_eq!(found.issues[0].blocked_by.len(), 151);
    assert_eq!(found.issues[1].blocked_by.len(), 1);
    let calls = gh.calls();
    assert!(!calls[2].contains("i2:") && calls[3].contains("after:\"a\\\"b\""), "{calls:#?}");
}

#[test]
fn a_server_without_dependencies_is_said_and_its_issues_are_there() {
    let unknown =
        "GraphQL: Field 'blockedBy' doesn't exist on type 'Issue' (repository.issues.nodes.blockedBy)";
    let gh = StandIn::new("2.96.0", &json!([row(1)]));
    gh.has("refuses", unknown);
    gh.has("says", unknown);
    gh.has("graphql-1.json", r#"{"errors":[{"extensions":{"code":"undefinedField"}}]}"#);
    let found = gh.read("label:x").unwrap();
    assert_eq!(found.issues.len(), 1);
    assert!(found.notices[0].contains("github.com knows no dependencies"), "{:?}", found.notices);
    assert_eq!(gh.calls().len(), 4);
}

#[test]
fn a_thousand_issues_are_few_questions_and_more_than_a_search_finds_is_refused() {
    let rows: Vec<Value> = (1..=1000).map(row).collect();
    for (count, fits) in [(1000, true), (1001, false)] {
        let gh = StandIn::new("2.23.0", &json!(rows));
        gh.has("graphql-1.json", json!({"data": {"search": {"issueCount": count}}}).to_string());
        for n in 2..=6 {
            gh.has(&format!("graphql-{n}.json"), r#"{"data":{"repository":{}}}"#);
        }
        let begin = Instant::now();
        let found = gh.read("label:scheduled");
        assert!(begin.elapsed() < Duration::from_secs(20));
        if fits {
            assert_eq!(found.unwrap().issues.len(), 1000);
            assert_eq!(gh.calls().len(), 8, "version, list, count, five questions");
        } else {
            let error = found.unwrap_err();
            assert_eq!(error.code(), Code::SourceLimit);
            assert!(error.what().contains("1000"), "{error}");
        }
    }
    let many: Vec<Value> = (1..=10_000).map(row).collect();
    assert_eq!(
        StandIn::new("2.94.0", &json!(many)).read("state:open").unwrap_err().code(),
        Code::SourceLimit
    );
}

#[test]
fn a_gh_that_is_missing_hangs_or_prints_nonsense_has_its_answer() {
    let gh = StandIn::new("2.94.0", &json!([]));
    assert_eq!(gh.read("label:x").unwrap().issues, []);
    gh.has("list.json", "");
    assert_eq!(gh.read("label:x").unwrap().issues, []);
    for nonsense in ["<html>", "{\"a\": 1}", "[{\"number\": \"one\"}]", "[[[[", "\u{1b}[2J"] {
        gh.has("list.json", nonsense);
        let error = gh.read("label:x").unwrap_err();
        assert_eq!(error.code(), Code::SourceAnswer, "{error}");
        assert!(!error.what().contains('\u{1b}'));
    }
    gh.has("hangs", "");
    let begin = Instant::now();
    let error = gh.with(Duration::from_millis(700), |place| read("x", place, &mut Never)).unwrap_err();
    assert_eq!(error.code(), Code::SourceUnreachable, "{error}");
    let interrupt = &mut Soon(Cell::new(2));
    let error = gh.with(Duration::from_secs(60), |place| read("x", place, interrupt)).unwrap_err();
    assert_eq!(error.code(), Code::Interrupted);
    assert!(begin.elapsed() < Duration::from_secs(20));
    std::fs::remove_file(gh.path.join("bin/gh")).unwrap();
    let nowhere = Variables::from([("PATH".into(), "/nowhere".into())]);
    let read = || read("x", &Place::new(&gh.path), &mut Never);
    let error = environment::within(nowhere, read).unwrap_err();
    assert_eq!(error.code(), Code::SourceProgram);
    assert!(error.hint().contains("cli.github.com"));
}

/// Raised at the given look.
struct Soon(Cell<u32>);

impl Interrupt for Soon {
    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        Vec::new()
    }
    fn raised(&mut self) -> bool {
        self.0.set(self.0.get().saturating_sub(1));
        self.0.get() == 0
    }
}

#[test]
fn a_failing_question_fails_the_source() {
    let gh = StandIn::new("2.23.0", &json!([row(1)]));
    gh.has("graphql-1.json", r#"{"message":"API rate limit exceeded","errors":[]}"#);
    gh.has("says", "API rate limit exceeded for user ID 1.");
    assert_eq!(gh.read("x").unwrap_err().code(), Code::SourceLimit);
}

#[test]
fn no_token_is_passed_on_that_gh_prints() {
    let gh = StandIn::new("2.23.0", &json!([row(1)]));
    gh.has("graphql-1.json", r#"{"message":"no","errors":[]}"#);
    gh.has("says", "theirs and ghp_0123456789abcdef for https://me:hunter2@github.com/o/r");
    let error = gh.read("x").unwrap_err();
    assert_eq!(error.what(), "github=: gh failed: gh: … and … for https://…@github.com/o/r");
}

#[test]
fn hostile_titles_and_bodies_arrive_as_they_are() {
    let mut hostile = row(1);
    let title = "\u{1b}[2J$(touch x) `y` \u{202e}\0 ; rm -rf /";
    hostile["title"] = title.into();
    hostile["body"] = format!("{title}{}", "x".repeat(1 << 20)).into();
    hostile["labels"] = Value::Null;
    hostile["url"] = "https://github.com/o/n;x/issues/1".into();
    let gh = StandIn::new("2.94.0", &json!([hostile]));
    let issue = gh.read("$(touch y) ;x").unwrap().issues.remove(0);
    assert_eq!(issue.title, title);
    assert_eq!(issue.body.len(), title.len() + (1 << 20));
    assert_eq!(issue.repository, None);
    assert_eq!(std::fs::read_dir(gh.path.join("root")).unwrap().count(), 0);
    assert!(gh.calls()[1].ends_with("--search $(touch y) ;x"));
}

#[test]
fn a_login_can_be_checked() {
    let gh = StandIn::new("2.23.0", &json!([]));
    let error = gh.with(Duration::from_secs(60), check).unwrap_err();
    assert_eq!(error.code(), Code::SourceLogin);
    gh.has("logged-in", "");
    assert!(gh.with(Duration::from_secs(60), check).is_ok());
}
