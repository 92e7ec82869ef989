//! GitHub through a stand-in for gh, and Jira through a server on loopback.

use serde_json::{Value, json};

use crate::support::Project;
use crate::{edges, issue, jira, project, shop, support, works};

/// A stand-in for gh that lists these issues, says of those in the file `closed` that they are, and lets nobody see others.
pub fn with_gh(project: &Project, issues: &[Value]) {
    std::fs::write(project.around().join("issues.json"), Value::from(issues.to_vec()).to_string()).unwrap();
    project.script(
        "gh",
        r#"
printf '%s\n' "$*" >> "$AROUND/gh-calls"
case "$*" in
--version) echo 'gh version 2.94.0 (2026-01-01)' ;;
'issue list'*) cat "$AROUND/issues.json" ;;
'api graphql'*issueOrPullRequest*)
    printf '{"data":{"x":null'
    printf '%s\n' "$*" | grep -o 'n[0-9]*:repository([^)]*){it:issueOrPullRequest(number:[0-9]*' | while read -r asked; do
        if grep -qx "${asked##*:}" "$AROUND/closed"; then
            printf ',"%s":{"it":{"state":"CLOSED"}}' "${asked%%:*}"
        else
            printf ',"%s":null' "${asked%%:*}"
        fi
    done
    echo '},"errors":[{"message":"no access"}]}'; exit 1 ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac
"#,
    );
}

#[test]
fn issues_of_github_make_a_schedule_and_closed_ones_outside_are_satisfied() {
    let project = project();
    let mut issues = shop();
    let node = json!({"number": 100, "state": "OPEN", "repository": {"nameWithOwner": "acme/shop"}});
    issues[1]["blockedBy"] = json!({"nodes": [node], "totalCount": 1});
    with_gh(&project, &issues);
    std::fs::write(project.around().join("closed"), "99\n").unwrap();
    let ran = project.run(&["schedule", "create", "github=label:scheduled"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let said = "Depends on #123, acme/legal#7 and #99";
    assert_eq!(
        edges(&project),
        [
            "FEAT-123-add-authentication | FEAT-100-create-the-database | native | work | -".to_owned(),
            format!("FIX-456-fix-the-login | GH-99 | text | closed | {said}"),
            format!("FIX-456-fix-the-login | FEAT-123-add-authentication | text | work | {said}"),
            format!("FIX-456-fix-the-login | GH-acme.legal-7 | text | external | {said}"),
        ]
    );
    assert_eq!(project.document()["sources"], json!([{"type": "github", "query": "label:scheduled"}]));
    assert_eq!(project.lines("gh-calls").len(), 3, "{:?}", project.lines("gh-calls"));
    // The same through the configuration, and one issue from two sources is one work.
    project.config(json!({"batch": {
        "phases": [{"name": "one", "command": ["true"]}],
        "sources": ["github=label:scheduled", {"type": "local", "ids": "DOCS-1-guide,FEAT-100-create-the-database"}],
    }}));
    project.ok(&["schedule", "create", "--all"]);
    assert_eq!(works(&project).len(), 4);
    // A source that fails fails them all.
    let before = project.document();
    with_gh(&project, &[]);
    let ran = project.run(&["schedule", "create", "github=label:none", "--force"]);
    assert!(ran.err.contains("no open issue is found by github='label:none' ["), "{ran:?}");
    project.script("gh", "echo 'HTTP 502: Bad Gateway' >&2; exit 1");
    let ran = project.run(&["schedule", "create", "local=NEW-1", "github=label:scheduled"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("github="), "{ran:?}");
    assert_eq!(project.document(), before);
}

/// A Jira of the Cloud's kind that has these issues and answers for what `key in (…)` asks as well.
fn with_jira(issues: Vec<Value>, outside: Vec<Value>) -> jira::Jira {
    jira::Jira::new(move |asked, _| {
        let all =
            if asked.get("jql").is_some_and(|jql| jql.starts_with("key in (")) { &outside } else { &issues };
        let body = json!({"issues": all, "isLast": true}).to_string();
        jira::Answer::Whole(200, "Content-Type: application/json\r\n", body)
    })
}

fn ticket(key: &str, title: &str, text: &str) -> Value {
    let description = json!({"type": "doc", "version": 1, "content": [
        {"type": "paragraph", "content": [{"type": "text", "text": text}]},
    ]});
    json!({"key": key, "fields": {
        "summary": title, "labels": [], "issuetype": {"name": "Bug"}, "description": description,
        "status": {"statusCategory": {"key": "new"}},
    }})
}

#[test]
fn tickets_of_jira_and_issues_of_github_make_one_schedule_and_no_agent_sees_a_token() {
    let project = project();
    project.config(json!({"batch": {
        "phases": [{"name": "one", "command": ["show"]}],
        "sources": ["jira=project = SHOP", "github=label:scheduled"],
    }}));
    project.script("show", r#"env > "$AROUND/seen-$WF0_WORK_ID""#);
    let link = json!({
        "type": {"name": "Blocks"},
        "inwardIssue": {"key": "SHOP-1", "fields": {"status": {"statusCategory": {"key": "new"}}}},
    });
    let mut second = ticket("SHOP-2", "Pay", "Depends on SHOP-9 and requires SHOP-8");
    second["fields"]["issuelinks"] = json!([link]);
    let mut done = ticket("SHOP-9", "Old", "");
    done["fields"]["status"]["statusCategory"]["key"] = json!("done");
    let jira = with_jira(vec![ticket("SHOP-1", "Cart", ""), second], vec![done]);
    with_gh(&project, &[issue(7, "Ship", "Requires SHOP-2")]);
    let mut create = project.wf0(&["schedule", "create", "--all"]);
    let ran = support::ran(create.envs(jira.login()).env("JIRA_EMAIL", "me@example.org"));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(jira.asked().iter().all(|asked| asked.authorization.starts_with("Basic ")));
    assert_eq!(
        edges(&project),
        [
            "JIRA-SHOP-2-pay | SHOP-9 | text | closed | Depends on SHOP-9 and requires SHOP-8",
            "JIRA-SHOP-2-pay | JIRA-SHOP-1-cart | native | work | -",
            "JIRA-SHOP-2-pay | SHOP-8 | text | external | Depends on SHOP-9 and requires SHOP-8",
            "FEAT-7-ship | JIRA-SHOP-2-pay | text | work | Requires SHOP-2",
        ]
    );
    assert_eq!(
        project.document()["sources"],
        json!([{"type": "jira", "query": "project = SHOP"}, {"type": "github", "query": "label:scheduled"}])
    );
    project.ok(&["schedule", "edit", "JIRA-SHOP-2-pay", "remove-dep=SHOP-8"]);
    let mut start = project.wf0(&["batch", "start", "--wait", "--parallel", "1"]);
    let ran = support::ran(start.envs(jira.login()).env("GH_TOKEN", "gh-s3cret"));
    assert_eq!(ran.code, 0, "{ran:?}");
    for id in ["JIRA-SHOP-1-cart", "JIRA-SHOP-2-pay", "FEAT-7-ship"] {
        let seen = std::fs::read_to_string(project.around().join(format!("seen-{id}"))).unwrap();
        assert!(!seen.contains("s3cret"), "{seen}");
    }
    // Nor does anything that is left behind.
    for path in project.snapshot().into_keys().filter(|path| path.is_file()) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"s3cret"), "{}", path.display());
    }
    // One source that fails fails them all, before anything is written.
    let before = project.document();
    let mut create = project.wf0(&["schedule", "create", "--all"]);
    let ran = support::ran(create.env("JIRA_BASE_URL", &jira.url).env("JIRA_EMAIL", "me@example.org"));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("jira= needs a token"), "{ran:?}");
    assert_eq!(project.document(), before);
}
