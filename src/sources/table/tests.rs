use super::*;
use crate::schedule::references::Patterns;
use crate::sources::resolve::{Reading, Works};

fn works(name: &str, text: &[u8]) -> Result<Works> {
    let table = read(name, text)?;
    Ok(Reading::new(table.items, &Patterns::default())?.works(&Default::default()))
}

fn shown(works: &Works) -> Vec<String> {
    works
        .works
        .iter()
        .map(|(id, work)| {
            let on: Vec<&str> = work.dependencies.iter().map(WorkId::as_str).collect();
            format!("{id} {} [{}]", work.priority.map_or("-".into(), |it| it.to_string()), on.join(" "))
        })
        .collect()
}

#[test]
fn one_list_in_four_forms_gives_the_same_works() {
    let expected = ["A-1 - []", "B-1 4 [A-1]", "C-1 - [A-1 B-1]"];
    for (name, text) in [
        (
            "x",
            r##"[{"work_id": "A-1", "title": "First"}, {"work_id": "B-1", "dependencies": ["A-1"], "priority": 4},
               {"work_id": "C-1", "dependencies": "A-1, B-1"}]"##,
        ),
        (
            "x",
            "{\"work_id\": \"A-1\"}\n\n{\"work_id\": \"B-1\", \"dependencies\": [\"A-1\"], \"priority\": 4}\r\n{\"work_id\": \"C-1\", \"dependencies\": \"A-1 B-1\"}",
        ),
        ("x", "work_id,dependencies,priority,title\nA-1,,,First\nB-1,A-1,4,\nC-1,\"A-1, B-1\",,\n"),
        ("x", "title;work_id;priority;dependencies\nFirst;A-1;;\n\"a;b\nc\";B-1;4;A-1\n;C-1;;A-1 B-1\n"),
        ("x.tsv", "\u{feff}work_id\tdependencies\tpriority\nA-1\t\t\nB-1\tA-1\t4\nC-1\tA-1,B-1\t\n"),
        (
            "x",
            r#"{"works": {"A-1": {}, "B-1": {"dependencies": ["A-1"], "priority": 4}, "C-1": {"dependencies": ["A-1", "B-1"]}}}"#,
        ),
    ] {
        assert_eq!(shown(&works(name, text.as_bytes()).unwrap()), expected, "{text}");
    }
}

#[test]
fn rows_of_gh_are_recognised_as_issues() {
    let old = r##"[
        {"number": 100, "title": "Create the database", "body": "", "labels": [{"id": "x", "name": "enhancement"}],
         "state": "OPEN", "url": "https://github.com/o/r/issues/100", "milestone": null, "assignees": []},
        {"number": 456, "title": "Login is broken", "body": "**Blocked by:** #100, #99", "labels": [{"name": "bug"}, {"name": "P1"}],
         "state": "OPEN", "url": "https://github.com/o/r/issues/456", "milestone": {"title": "v1"}},
        {"number": 7, "title": "Old", "body": "", "labels": [], "state": "CLOSED", "url": "https://github.com/o/r/issues/7"}]"##;
    let found = works("x", old.as_bytes()).unwrap();
    assert_eq!(
        shown(&found),
        [
            "FEAT-100-create-the-database - []",
            "FIX-456-login-is-broken 1 [FEAT-100-create-the-database GH-99]"
        ]
    );
    let node = r#"{"number": 100, "state": "OPEN", "repository": {"nameWithOwner": "o/r"}}"#;
    let closed = r#"{"number": 50, "state": "CLOSED", "url": "https://github.com/o/r/issues/50"}"#;
    let other = r#"{"number": 100, "state": "OPEN", "repository": {"nameWithOwner": "else/where"}}"#;
    for blocked in [
        format!("[{node}, {closed}, {other}]"),
        format!(r#"{{"nodes": [{node}, {closed}, {other}], "totalCount": 3}}"#),
    ] {
        let text = format!(
            r#"[{{"number": 100, "title": "Base", "url": "https://github.com/o/r/issues/100"}},
                {{"number": 3, "title": "x", "url": "https://github.com/o/r/issues/3", "blockedBy": {blocked}}}]"#
        );
        let found = works("x", text.as_bytes()).unwrap();
        assert_eq!(shown(&found), ["FEAT-100-base - []", "FEAT-3-x - [FEAT-100-base GH-else.where-100]"]);
        let edges: Vec<String> =
            found.edges.iter().map(|it| format!("{} {} {}", it.to, it.origin, it.resolved)).collect();
        assert_eq!(
            edges,
            ["FEAT-100-base native work", "GH-50 native closed", "GH-else.where-100 native external"]
        );
    }
    let short = r#"[{"number": 3, "title": "x", "blockedBy": {"nodes": [], "totalCount": 60}}]"#;
    assert!(read("x", short.as_bytes()).unwrap().notices[0].contains("only 0 of 60 issues in `blockedBy`"));
    let csv = "number,title,labels,body,state\n3,Fix it,\"bug,P2\",Depends on #4,OPEN\n4,Base,,,OPEN\n";
    assert_eq!(
        shown(&works("x", csv.as_bytes()).unwrap()),
        ["FIX-3-fix-it 2 [FEAT-4-base]", "FEAT-4-base - []"]
    );
    let lines = "{\"number\": 3, \"title\": \"x\"}\n{\"work_id\": \"A-1\", \"dependencies\": [\"#3\"]}";
    assert_eq!(shown(&works("x", lines.as_bytes()).unwrap()), ["FEAT-3-x - []", "A-1 - [FEAT-3-x]"]);
}

#[test]
fn what_a_spreadsheet_takes_for_a_number_is_text_where_text_is_wanted() {
    let rows =
        serde_json::from_str(r#"[{"work_id": 7, "title": 2024}, {"number": 3, "title": true}]"#).unwrap();
    let table = from_values("the table", rows).unwrap();
    let told = format!("{table:?}");
    assert!(
        told.contains(r#"WorkId("7")"#) && told.contains("2024") && told.contains(r#"title: "true""#),
        "{told}"
    );
}

#[test]
fn refusals_name_row_and_column() {
    let json = |text: &str| from_values("the table", serde_json::from_str(text).unwrap()).unwrap_err();
    for (text, expected) in [
        (
            r#"[{"work_id": "A"}, {"work_id": "B", "dependencies": 7}]"#,
            "the table row 2, column `dependencies`: expected a list of work ids, found the number 7",
        ),
        (
            r#"[{"work_id": "B", "dependencies": [["x"]]}]"#,
            "the table row 1, column `dependencies`: expected a list of work ids, found a list",
        ),
        (
            r#"[{"work_id": "B", "dependencies": ["../x"]}]"#,
            "the table row 1, column `dependencies`: '../x' cannot name a work: it contains '/'",
        ),
        (r#"[{"work_id": {}}]"#, "the table row 1, column `work_id`: expected a text, found a record"),
        (
            r#"[{"work_id": "../x"}]"#,
            "the table row 1, column `work_id`: '../x' cannot name a work: it contains '/'",
        ),
        (r#"[{"title": "x"}]"#, "the table row 1 has no column `work_id`"),
        (r#"[{"work_id": null}]"#, "the table row 1, column `work_id`: it is empty"),
        (r#"[7]"#, "the table row 1: the number 7, expected a record"),
        (
            r#"[{"work_id": "A", "priority": "high"}]"#,
            "the table row 1, column `priority`: expected a whole number, found the text 'high'",
        ),
        (
            r#"[{"number": 0, "title": "x"}]"#,
            "the table row 1, column `number`: expected the number of an issue",
        ),
        (
            r#"[{"number": 1, "title": "x", "blockedBy": [{}]}]"#,
            "the table row 1, column `blockedBy`: expected a list of issues, found a record",
        ),
        (
            r#"[{"number": 1, "title": "x", "labels": 3}]"#,
            "the table row 1, column `labels`: expected a list of labels, found the number 3",
        ),
        (r#"[{"work_id": "A"}, {"work_id": "A"}]"#, "the table has 'A' twice"),
    ] {
        assert_eq!(json(text).what(), expected);
    }
    for (text, expected) in [
        (
            &b"[{\"number\":1,\"title\":\"a\",\"body\":\"x\"},\n{\"number\":2,\"ti"[..],
            "the pipe line 2 column 15: it ends inside a text",
        ),
        (b"[{\"number\":1,\"title\":\"a\"},]", "the pipe line 1 column 27: "),
        (
            b"Key,Summary\nSHOP-1,A\n",
            "the pipe line 1 has no column `work_id`, nor `number` or `key` of issues: 'Key', 'Summary'",
        ),
        (b"hello, world\n", "the pipe line 1 has no column"),
        (b"work_id,title\nFEAT-1-a,A\nFEAT-2-b,\"B\nFEAT-3-c,C\n", "the pipe row 2: a quote is never closed"),
    ] {
        let error = read("the pipe", text).unwrap_err();
        assert!(error.what().starts_with(expected), "{error}");
    }
    assert_eq!(works("x.csv", b"work_id,title\nA-1,\"a \"\"b\"\"\nc\"\nB-1,5\" d").unwrap().works.len(), 2);
    for bad in [
        &b"[{\"work_id\": \"../x\"}]"[..],
        b"[{\"title\": \"no id\"}]",
        b"[{\"work_id\": \"A\"}, {\"work_id\": \"A\"}]",
        b"[{\"work_id\": \"A\", \"dependencies\": 7}]",
        b"work_id,priority\nA,high\n",
        b"work_id,priority\nA\n",
        b"work_id\n\xff\n",
        b"{\"work_id\": \"A\"}\n{\n",
        b"[",
        b"",
        b"7",
    ] {
        let error = read("works.json", bad).unwrap_err();
        assert!(error.what().contains("works.json"), "{error}");
    }
}
