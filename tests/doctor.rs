//! What `wf0 doctor` says of trackers.

mod support;

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};
use support::{DEADLINE, Project, ran};

fn rows(project: &Project, variables: &[(&str, &str)]) -> Vec<Value> {
    let mut command = project.wf0(&["doctor", "--format", "json"]);
    let ran = ran(command.envs(variables.iter().copied()));
    assert!(!format!("{ran:?}").contains("s3cret"), "{ran:?}");
    let rows: Vec<Value> = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    let is_tracker = |row: &Value| ["github", "jira"].iter().any(|name| row["check"] == *name);
    rows.into_iter().filter(is_tracker).collect()
}

fn project_of(kind: &str) -> Project {
    let project = Project::new(json!({"batch": {"phases": [{"name": "a", "command": ["true"]}]}}));
    let source = json!({"type": kind, "id": "1", "title": "x"});
    let document = json!({"version": "1.0", "works": {"FEAT-1-x": {"source": source, "status": "pending"}}});
    project.write(".wf/schedule.json", document.to_string());
    project
}

#[test]
fn who_commits_may_stand_in_the_environment() {
    let project = Project::new(json!({}));
    let warned = |variables: &[(&str, &str)]| {
        let mut command = project.wf0(&["doctor", "--format", "json"]);
        // Whatever the machine's own configuration says.
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        for name in ["AUTHOR", "COMMITTER"]
            .iter()
            .flat_map(|who| [format!("GIT_{who}_NAME"), format!("GIT_{who}_EMAIL")])
        {
            command.env_remove(name);
        }
        let rows: Value = serde_json::from_str(&ran(command.envs(variables.iter().copied())).out).unwrap();
        rows.as_array().unwrap().iter().any(|row| row["check"] == "identity")
    };
    assert!(!warned(&[]));
    for key in ["user.name", "user.email"] {
        project.git(&["config", "--unset", key]);
    }
    assert!(warned(&[]));
    let author = [("GIT_AUTHOR_NAME", "A"), ("GIT_AUTHOR_EMAIL", "a@localhost")];
    assert!(warned(&author), "who commits is missing");
    let committer = [("GIT_COMMITTER_NAME", "A"), ("GIT_COMMITTER_EMAIL", "a@localhost")];
    assert!(!warned(&[author, committer].concat()));
}

#[test]
fn a_github_login_is_looked_at_where_works_come_from_there() {
    let project = project_of("local");
    project.script("gh", "exit 9");
    assert_eq!(rows(&project, &[]), Vec::<Value>::new());
    project.config(json!({"batch": {"sources": ["github=label:x"]}}));
    assert_eq!(rows(&project, &[])[0]["check"], "github");
    let project = project_of("github");
    for (body, state, message, hint) in [
        ("[ \"$*\" = 'auth status' ]", "ok", "gh is logged in", ""),
        (
            "echo 'You are not logged into any GitHub hosts. Run gh auth login' >&2; exit 1",
            "warning",
            "not logged in",
            "gh auth login",
        ),
        ("echo 'error connecting to github.com' >&2; exit 1", "warning", "can't be reached", "githubstatus"),
        ("exec sleep 60", "warning", "has not answered in 10 s", "gh issue list"),
    ] {
        project.script("gh", body);
        let begin = std::time::Instant::now();
        let rows = rows(&project, &[]);
        assert!(begin.elapsed() < DEADLINE);
        assert_eq!((rows.len(), rows[0]["state"].as_str()), (1, Some(state)), "{body}: {rows:?}");
        assert!(rows[0]["message"].as_str().unwrap().contains(message), "{body}: {rows:?}");
        assert!(rows[0]["hint"].as_str().unwrap_or_default().contains(hint), "{body}: {rows:?}");
    }
}

#[test]
fn jiras_variables_are_looked_at_and_tried() {
    let project = project_of("jira");
    let missing = rows(&project, &[]);
    assert_eq!(missing[0]["state"], "warning");
    assert!(missing[0]["hint"].as_str().unwrap().contains("JIRA_BASE_URL"), "{missing:?}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        for status in ["200 OK", "401 Unauthorized"] {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 4096];
            let n = stream.read(&mut head).unwrap();
            assert!(String::from_utf8_lossy(&head[..n]).starts_with("GET /rest/api/2/myself "));
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    // Named by a variable, whatever the schedule's works are.
    let project = project_of("local");
    let variables =
        [("JIRA_URL", url.as_str()), ("JIRA_EMAIL", "me@example.org"), ("JIRA_API_TOKEN", "s3cret")];
    let good = rows(&project, &variables);
    assert_eq!((good.len(), good[0]["state"].as_str()), (1, Some("ok")), "{good:?}");
    let bad = rows(&project, &variables);
    assert_eq!(bad[0]["state"], "warning");
    assert!(bad[0]["message"].as_str().unwrap().contains("does not accept the login"), "{bad:?}");
    server.join().unwrap();
}
