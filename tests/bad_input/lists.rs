//! `schedule create`: sources that are missing, broken or contradict each other.

use crate::answers::{holds, meaning, misuse, refusal, unchanged, with_works};

#[test]
fn a_list_that_breaks_the_form_is_refused_with_its_place_and_replaces_nothing() {
    let project = with_works();
    let before = meaning(&project);
    let deep = "[".repeat(200_000);
    let long = format!(r#"[{{"work_id": "A", "priority": "{}"}}]"#, "x".repeat(1 << 20));
    let cases: [(&[u8], &str); 27] = [
        (b"", "standard input line 1 column 0: it is empty"),
        (b"hello", "this is no JSON value"),
        (
            b"work_id,priority\nA,high\n",
            "row 1, column `priority`: expected a whole number, found the text 'high'",
        ),
        (b"work_id,priority\nA\n", "standard input row 1: 1 columns, expected 2"),
        (b"- work_id: A", "standard input line 1"),
        (b"{\"work_id\": \"A\"}\n{\"work_id\": ", "standard input line 2 column 12: it ends where a value"),
        (b"[{\"work_id\": \"A\"}] x", "something follows the end of the document"),
        (b"[{\"work_id\": \"A\"", "it ends inside"),
        (b"[]", "the schedule would have no works"),
        (b"[7]", "at [0]: the number 7, expected an object"),
        (b"[null]", "at [0]: null, expected an object"),
        (b"[[\"A\"]]", "at [0]: a list, expected an object"),
        (b"[{\"title\": \"x\"}]", "at [0]: missing field 'work_id'"),
        (b"[{\"work_id\": 7}]", "at [0].work_id: the number 7, expected a text"),
        (b"[{\"work_id\": \"A\"}, {\"work_id\": \"../x\"}]", "at [1].work_id: '../x' cannot name a work"),
        (b"[{\"work_id\": \"A\\u0000\"}]", r"'A\u{0}' cannot name a work"),
        (b"[{\"work_id\": \"A\xff\"}]", "at [0].work_id: a text is not in UTF-8"),
        (b"[{\"work_id\": \"A\", \"title\": \"\xff\"}]", "at [0].title: a text is not in UTF-8"),
        (b"[{\"work_id\": \"A\", \"title\": 7}]", "at [0].title: the number 7, expected a text"),
        (
            b"[{\"work_id\": \"A\", \"priority\": \"high\"}]",
            r#"at [0].priority: the text "high", expected a whole"#,
        ),
        (b"[{\"work_id\": \"A\", \"dependencies\": 7}]", "at [0].dependencies: expected a list of work ids"),
        (
            b"[{\"work_id\": \"A\", \"dependencies\": [\"../x\"]}]",
            "at [0].dependencies: '../x' cannot name a work",
        ),
        (
            b"[{\"work_id\": \"A\", \"source\": {\"type\": \"x\", \"id\": \"1\"}}]",
            "at [0].source.type: 'x', expected one of",
        ),
        (b"[{\"work_id\": \"A\"}, {\"work_id\": \"A\"}]", "standard input has 'A' twice"),
        (b"{\"works\": {\"A\": {\"work_id\": \"B\"}}}", "standard input has work_id 'B' under the key 'A'"),
        (deep.as_bytes(), "it is nested too deeply"),
        (long.as_bytes(), "expected a whole number"),
    ];
    for (content, part) in cases {
        let case: String = String::from_utf8_lossy(content).chars().take(80).collect();
        let ran = project.run_with_input(&["schedule", "create", "--force", "--from", "-"], content);
        let text = refusal(&case, &project, &ran);
        holds(&case, &text, &[part]);
        // What was given is not what --force replaces.
        assert!(!text.contains("--force"), "{text}");
        unchanged(&case, &project, &before);
    }
}

#[test]
fn a_source_that_cannot_be_read_or_comes_twice_is_named() {
    let project = with_works();
    let create = |more: &[&str]| {
        let mut command = vec!["schedule", "create", "--force"];
        command.extend(more);
        project.run(&command)
    };
    let before = meaning(&project);
    let cases: [(&[&str], &[&str]); 6] = [
        (
            &["--from", "missing.json"],
            &["cannot read missing.json: no such file or directory", "help: check that"],
        ),
        (&["--from", "/"], &["cannot read /: is a directory"]),
        (&["--from", "/dev/null"], &["/dev/null line 1 column 0: it is empty"]),
        (&["--from", "a\n\u{1b}[31mb"], &["cannot read a [31mb: no such file"]),
        (&["local=A-1,A-1"], &["'A-1' stands in local= twice", "help: name it once"]),
        (&["local=A-1", "--from", "-"], &["standard input line 1 column 0: it is empty"]),
    ];
    for (arguments, parts) in cases {
        let case = format!("{arguments:?}");
        holds(&case, &refusal(&case, &project, &create(arguments)), parts);
        unchanged(&case, &project, &before);
    }
    for arguments in
        [&[][..], &["local="], &["local=,"], &["what"], &["what=A"], &["--from"], &["--from", ""]]
    {
        misuse(&format!("{arguments:?}"), &create(arguments));
    }
    let none = misuse("none", &project.run(&["schedule", "create", "--all"]));
    holds("none", &none, &["--all reads the sources of batch.sources, and there are none"]);
    unchanged("nothing", &project, &before);
}

#[test]
fn what_a_script_has_claimed_is_not_replaced() {
    let project = with_works();
    project.ok(&["work", "claim", "FIX-9-typo", "7"]);
    let before = meaning(&project);
    for command in [&["schedule", "clear"][..], &["schedule", "create", "--force", "local=A-1"]] {
        let text = refusal("claimed", &project, &project.run(command));
        holds(
            "claimed",
            &text,
            &["'FIX-9-typo' is claimed by a script as worker-7", "`wf0 work release worker-7`"],
        );
    }
    unchanged("nothing", &project, &before);
    project.ok(&["work", "release", "worker-7"]);
    project.ok(&["schedule", "clear"]);
}
