use proptest::prelude::*;

use super::*;
use crate::schedule::{Source, SourceType};
use crate::sources::issue::Issue;
use crate::sources::records::Listed;

fn issue(key: &str, title: &str, body: &str) -> Issue {
    Issue {
        tracker: if key.contains('-') { SourceType::Jira } else { SourceType::Github },
        key: key.into(),
        repository: None,
        title: title.into(),
        body: body.into(),
        labels: Vec::new(),
        closed: false,
        url: None,
        priority: None,
        blocked_by: Vec::new(),
        blocks: Vec::new(),
    }
}

fn link(key: &str, closed: Option<bool>) -> Link {
    Link { key: key.into(), repository: None, closed }
}

fn local(id: &str, depends: &[&str]) -> Item {
    let id = WorkId::new(id).unwrap();
    let work = WorkRecord::new(Source::local(&id, None));
    Listed { id, work, depends: depends.iter().map(|it| (*it).to_owned()).collect() }.into()
}

fn resolved(items: Vec<Item>) -> Works {
    Reading::new(items, &Patterns::default()).unwrap().works(&HashMap::new())
}

fn edges(works: &Works) -> Vec<String> {
    works.edges.iter().map(|it| format!("{} → {} {} {}", it.from, it.to, it.origin, it.resolved)).collect()
}

/// The edges of issue 1, whose text this is, among 3, 12, 120, PROJ-7 and three local works.
fn of_text(body: &str) -> Vec<String> {
    let items = vec![
        issue("1", "one", body).into(),
        issue("3", "three", "").into(),
        issue("12", "twelve", "").into(),
        issue("120", "login form", "").into(),
        issue("PROJ-7", "seven", "").into(),
        local("setup-db", &[]),
        local("FEAT-9-user-auth", &[]),
        local("FEAT-9-user-api", &[]),
        Issue { closed: true, ..issue("8", "eight", "Depends on #1. Blocks #3") }.into(),
    ];
    edges(&resolved(items))
        .into_iter()
        .filter(|edge| edge.starts_with("FEAT-1-one"))
        .map(|it| it[15..].into())
        .collect()
}

#[test]
fn references_mean_the_works_they_name() {
    for (body, expected) in [
        ("Depends on #3 and #12", &["FEAT-3-three text work", "FEAT-12-twelve text work"][..]),
        ("Requires proj-7", &["JIRA-PROJ-7-seven text work"]),
        ("Requires PROJ-77", &["PROJ-77 text external"]),
        ("Depends on FEAT-12-twelve", &["FEAT-12-twelve text work"]),
        ("Depends on FEAT-12", &["FEAT-12-twelve text work"]),
        ("after: FEAT-120-login", &["FEAT-120-login-form text work"]),
        ("Depends on FEAT-9-user", &["FEAT-9-user text unknown"]),
        ("Depends on FEAT-9-user-au", &["FEAT-9-user-auth text work"]),
        ("Depends on FEAT-77", &["FEAT-77 text unknown"]),
        ("Depends on setup-db and third-party work", &["setup-db text work"]),
        ("Depends on #99", &["GH-99 text external"]),
        ("Depends on #8", &["FEAT-8-eight text closed"]),
        ("Depends on owner/repo#12", &["GH-owner.repo-12 text external"]),
        ("Depends on https://github.com/owner/repo/issues/12", &["GH-owner.repo-12 text external"]),
        ("Depends on https://example.com/a/../b?c=1", &["URL-example.com-a-b-c-1 text external"]),
        ("Depends on https://x.atlassian.net/browse/PROJ-7", &["JIRA-PROJ-7-seven text work"]),
        ("Requires UTF-8 and SHA-256", &[]),
        ("Depends on #1", &[]),
        ("Depends on #3, #3. Blocked by FEAT-3", &["FEAT-3-three text work"]),
    ] {
        assert_eq!(of_text(body), expected, "{body}");
    }
}

#[test]
fn both_directions_and_other_subjects_are_followed() {
    let works = resolved(vec![
        issue("3", "a", "Blocks #7 and #99").into(),
        issue("7", "b", "#9 is blocked by #3").into(),
        issue("9", "c", "#9 depends on #7").into(),
    ]);
    assert_eq!(
        edges(&works),
        ["FEAT-7-b → FEAT-3-a text work", "FEAT-9-c → FEAT-3-a text work", "FEAT-9-c → FEAT-7-b text work"]
    );
    assert_eq!(works.edges[0].text.as_deref(), Some("Blocks #7 and #99"));
}

#[test]
fn what_the_tracker_says_comes_first_and_each_edge_once() {
    let mut waits = issue("2", "b", "Depends on #3 and #1");
    waits.blocked_by =
        vec![link("1", Some(false)), link("50", Some(true)), link("51", None), link("2", None)];
    let mut first = issue("1", "a", "");
    first.blocks = vec![link("2", None), link("3", None), link("77", None)];
    let works = resolved(vec![first.into(), waits.into(), issue("3", "c", "").into()]);
    assert_eq!(
        edges(&works),
        [
            "FEAT-2-b → FEAT-1-a native work",
            "FEAT-2-b → GH-50 native closed",
            "FEAT-2-b → GH-51 native external",
            "FEAT-2-b → FEAT-3-c text work",
            "FEAT-3-c → FEAT-1-a native work",
        ]
    );
    let names: Vec<&str> = works.works["FEAT-2-b"].dependencies.iter().map(WorkId::as_str).collect();
    assert_eq!(names, ["FEAT-1-a", "GH-51", "FEAT-3-c"], "what is closed is satisfied");
    assert_eq!(works.notices, ["'FEAT-2-b' depends on itself: that is dropped"]);
}

#[test]
fn issues_outside_can_be_asked_for_and_are_satisfied_where_they_are_closed() {
    let here = |key: &str, body: &str| Issue { repository: Some("o/r".into()), ..issue(key, "x", body) };
    let items = || vec![here("1", "Depends on #50, #51, e/l#7, PROJ-1 and #2").into(), here("2", "").into()];
    let reading = Reading::new(items(), &Patterns::default()).unwrap();
    let outside = |repository: &str, key: &str| Outside {
        tracker: SourceType::Github,
        repository: Some(repository.into()),
        key: key.into(),
    };
    assert_eq!(reading.outside(), [outside("o/r", "50"), outside("o/r", "51"), outside("e/l", "7")]);
    let works = reading.works(&HashMap::from([(outside("o/r", "50"), true), (outside("o/r", "51"), false)]));
    assert_eq!(
        edges(&works),
        [
            "FEAT-1-x → GH-50 text closed",
            "FEAT-1-x → GH-51 text external",
            "FEAT-1-x → GH-e.l-7 text external",
            "FEAT-1-x → PROJ-1 text unknown",
            "FEAT-1-x → FEAT-2-x text work",
        ]
    );
}

#[test]
fn numbers_are_those_of_the_own_repository() {
    let at = |repository: &str, key: &str, title: &str, body: &str| -> Item {
        Issue { repository: Some(repository.into()), ..issue(key, title, body) }.into()
    };
    let works = resolved(vec![
        at("o/A", "1", "a", "Depends on #2 and O/B#3"),
        at("o/A", "2", "b", ""),
        at("o/B", "2", "c", "Depends on #3 and https://github.com/o/a/issues/1"),
        at("o/B", "3", "d", ""),
        local("LOCAL-1", &["#2", "#3"]),
    ]);
    assert_eq!(
        edges(&works),
        [
            "FEAT-1-a → FEAT-2-b text work",
            "FEAT-1-a → FEAT-3-d text work",
            "FEAT-2-c → FEAT-3-d text work",
            "FEAT-2-c → FEAT-1-a text work",
            "LOCAL-1 → GH-2 config unknown",
            "LOCAL-1 → FEAT-3-d config work",
        ]
    );
    assert_eq!(works.notices, ["'LOCAL-1' depends on 'GH-2', which fits 'FEAT-2-b' as well as 'FEAT-2-c'"]);
    let same = vec![at("o/A", "1", "", ""), at("o/B", "1", "", "")];
    let error = Reading::new(same, &Patterns::default()).unwrap_err();
    assert!(error.what().contains("o/a#1 and o/B#1 would both be 'FEAT-1'"), "{error}");
}

#[test]
fn one_issue_from_two_sources_is_one_work() {
    let first = Issue {
        repository: Some("o/r".into()),
        url: Some("https://github.com/o/r/issues/1".into()),
        ..issue("1", "a", "")
    };
    let again = Issue {
        priority: Some(3),
        blocked_by: vec![link("2", None)],
        ..issue("1", "renamed", "Depends on #3")
    };
    let named = |id: &str, depends: &[&str]| local(id, depends);
    let works = resolved(vec![
        first.into(),
        again.into(),
        issue("2", "b", "").into(),
        named("FEAT-2-b", &["FEAT-3"]),
        named("FEAT-3-c", &[]),
        issue("3", "c", "").into(),
    ]);
    let ids: Vec<&str> = works.works.keys().map(WorkId::as_str).collect();
    assert_eq!(ids, ["FEAT-1-a", "FEAT-2-b", "FEAT-3-c"]);
    assert_eq!(works.works["FEAT-1-a"].priority, Some(3));
    assert_eq!(works.works["FEAT-3-c"].source.as_ref().unwrap().kind, SourceType::Github);
    assert_eq!(
        edges(&works),
        [
            "FEAT-1-a → FEAT-2-b native work",
            "FEAT-1-a → FEAT-3-c text work",
            "FEAT-2-b → FEAT-3-c config work",
        ]
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn no_text_makes_an_edge_to_a_work_that_it_does_not_name(
        bodies in proptest::collection::vec(
            proptest::collection::vec(proptest::sample::select(&[
                "depends on", "Blocked by:", "requires", "after:", "blocks", "Dependencies:", " ", " ", "\n", "\n- ", "#1",
                "#12", "#2", "#20", "1", "o/r#2", "AB-1", "AB-12", "FEAT-1", "FEAT-2-x", "feat-2", "https://h/o/r/issues/1",
                ",", "and", "not", "(", ")", "`", "```\n", "<!--", "-->", "**", "GH-2", "x-y", "UTF-8",
            ][..]), 0..25),
            6,
        ),
    ) {
        let keys = ["1", "12", "2", "20", "AB-1", "AB-12"];
        let bodies: Vec<String> = bodies.into_iter().map(|parts| parts.concat()).collect();
        let items = keys.iter().zip(&bodies).map(|(key, body)| issue(key, "x", body).into()).collect();
        let works = resolved(items);
        let body = |id: &WorkId| {
            let key = id.as_str().trim_start_matches("FEAT-").trim_start_matches("JIRA-").trim_end_matches("-x");
            keys.iter().position(|known| *known == key).map(|n| (keys[n], &bodies[n]))
        };
        let names = |text: &str, key: &str| text.split(|c: char| !c.is_ascii_digit()).any(|number| number == key.trim_start_matches("AB-"));
        for edge in works.edges.iter().filter(|edge| edge.resolved == Resolved::Work) {
            let ((from, _), (to, _)) = (body(&edge.from).unwrap(), body(&edge.to).unwrap());
            // Some text names both, or one of them where it is about itself.
            let said = keys.iter().zip(&bodies).any(|(key, text)| {
                (*key == from || names(text, from)) && (*key == to || names(text, to)) && (names(text, from) || names(text, to))
            });
            prop_assert!(said, "{} → {}: {bodies:?}", edge.from, edge.to);
            prop_assert!(edge.text.is_some() && edge.origin == Origin::Text);
            prop_assert!(edge.from != edge.to);
        }
        for (id, work) in &works.works {
            let mut once = HashSet::new();
            prop_assert!(work.dependencies.iter().all(|on| on != id && once.insert(on)));
        }
    }
}
