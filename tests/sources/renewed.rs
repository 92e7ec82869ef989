//! What becomes of a schedule whose sources are read again.

use serde_json::{Value, json};

use crate::support::Project;
use crate::trackers::with_gh;
use crate::{create, edges, issue, project, shop, works};

#[test]
fn reading_again_keeps_what_is_done_and_what_was_edited() {
    let project = project();
    create(&project, &shop(), &[]);
    let (base, auth, login) =
        ("FEAT-100-create-the-database", "FEAT-123-add-authentication", "FIX-456-fix-the-login");
    project.ok(&["work", "claim", base, "1"]);
    let held = project
        .run_with_input(&["schedule", "create", "--from", "-"], Value::from(shop()).to_string().as_bytes());
    assert!(held.err.contains("is claimed by a script"), "{held:?}");
    project.ok(&["work", "complete", base, "1"]);
    project.ok(&["schedule", "edit", login, "priority=7", "remove-dep=GH-99", &format!("add-dep={base}")]);
    project.ok(&["schedule", "edit", login, "remove-dep=GH-acme.legal-7"]);
    // 100 was closed meanwhile and is not listed any more, 123 has another title, 500 is new.
    let again = vec![
        issue(123, "Add authentication and tokens", "Blocked by #100"),
        issue(456, "Fix the login", "Depends on #123, acme/legal#7, #99 and #500"),
        issue(500, "Write the help", ""),
    ];
    let ran = create(&project, &again, &[]);
    assert_eq!(ran.err, "", "it is done, and nobody has to do anything about it");
    assert_eq!(
        works(&project),
        [
            format!("{base} 1 completed"),
            "FEAT-500-write-the-help 1 pending".to_owned(),
            format!("{auth} 2 pending"),
            format!("{login} 7 pending"),
        ]
    );
    let said = "Depends on #123, acme/legal#7, #99 and #500";
    assert_eq!(
        edges(&project),
        [
            format!("{auth} | {base} | text | work | Blocked by #100"),
            format!("{login} | {auth} | text | work | {said}"),
            format!("{login} | FEAT-500-write-the-help | text | work | {said}"),
            format!("{login} | {base} | manual | work | -"),
        ]
    );
    let document = project.document();
    assert_eq!(document["works"][base]["source"]["vanished"], true);
    assert_eq!(document["works"][auth]["source"]["title"], "Add authentication and tokens");
    create(&project, &shop(), &[]);
    assert_eq!(project.document()["works"][base]["source"]["vanished"], Value::Null);
    assert_eq!(project.state(base), "completed");
    create(&project, &again, &["--force"]);
    assert_eq!(works(&project).len(), 3, "--force starts over");
    assert_eq!(project.document()["works"][login]["priority"], 2, "and no edit by hand is left");
}

#[test]
fn a_work_whose_issue_is_closed_meanwhile_counts_as_completed_until_it_is_open_again() {
    let project = project();
    let (base, auth, login) =
        ("FEAT-100-create-the-database", "FEAT-123-add-authentication", "FIX-456-fix-the-login");
    create(&project, &shop(), &[]);
    project.ok(&["schedule", "edit", login, "remove-dep=GH-99", "remove-dep=GH-acme.legal-7"]);
    let mut closed = shop();
    closed[0]["state"] = json!("CLOSED");
    let file = project.around().join("other.json");
    std::fs::write(&file, Value::from(closed).to_string()).unwrap();
    let again = ["schedule", "create", "--from", file.to_str().unwrap()];
    let statuses = |project: &Project| [base, auth, login].map(|id| project.state(id));
    let looked = project.run(&[&again[..], &["--dry-run"]].concat());
    assert!(looked.out.contains(&format!("{base}  1         completed")), "{looked:?}");
    assert_eq!(statuses(&project), ["pending"; 3]);
    let ran = project.run(&again);
    assert!(ran.err.contains(&format!("closed: {base}; they count as completed")), "{ran:?}");
    assert_eq!(statuses(&project), ["completed", "pending", "pending"]);
    assert_eq!(edges(&project)[0], format!("{auth} | {base} | text | closed | **Blocked by:** #100"));
    assert!(project.ok(&["schedule", "why", base]).contains("its issue is closed"));
    // Once is enough to say it, and it goes on.
    let ran = project.run(&again);
    assert!(!ran.err.contains("closed"), "{ran:?}");
    assert_eq!(statuses(&project), ["completed", "pending", "pending"]);
    project.ok(&["work", "claim", auth, "1"]);
    project.ok(&["work", "complete", auth, "1"]);
    // Open again, it is to be done.
    let ran = create(&project, &shop(), &[]);
    assert!(ran.err.contains(&format!("open again: {base}; they are pending")), "{ran:?}");
    assert_eq!(statuses(&project), ["pending", "completed", "pending"]);
    assert_eq!(project.document()["works"][base]["source"]["closed"], Value::Null);
    // Who wants it to run though it is closed gets his way.
    project.run(&again);
    assert_eq!(statuses(&project), ["completed", "completed", "pending"]);
    let mut document = project.document();
    document["works"][base]["status"] = json!("pending");
    std::fs::write(project.root().join(".wf/schedule.json"), document.to_string()).unwrap();
    project.run(&again);
    assert_eq!(statuses(&project), ["pending", "completed", "pending"]);
}

#[test]
fn what_is_done_is_not_called_vanished_and_what_was_taken_out_stays_out() {
    let project = project();
    let issues = [issue(1, "a", "Depends on #99 and the rework in #2"), issue(2, "b", ""), issue(3, "c", "")];
    create(&project, &issues, &[]);
    project.ok(&["schedule", "edit", "FEAT-1-a", "remove-dep=GH-99", "add-dep=FEAT-2-b"]);
    project.ok(&["work", "claim", "FEAT-3-c", "1"]);
    project.ok(&["work", "complete", "FEAT-3-c", "1"]);
    // 99 is among them now, and 3, which is done, no more.
    let again = [issues[0].clone(), issues[1].clone(), issue(99, "base", "")];
    let ran = create(&project, &again, &[]);
    assert_eq!(ran.err, "", "{ran:?}");
    assert_eq!(edges(&project), ["FEAT-1-a | FEAT-2-b | manual | work | -"]);
    let ran = create(&project, &[&again[..], &[issue(3, "c", "")]].concat(), &[]);
    assert!(ran.err.contains("completed here: FEAT-3-c; they stay completed"), "{ran:?}");
    assert_eq!(project.state("FEAT-3-c"), "completed");
}

#[test]
fn a_fault_that_passes_fails_the_source_and_leaves_what_is_known() {
    let project = project();
    with_gh(&project, &[issue(1, "a", "Depends on #3")]);
    std::fs::write(project.around().join("closed"), "3\n").unwrap();
    project.ok(&["schedule", "create", "github=label:scheduled"]);
    let before = project.document();
    let gh = std::fs::read_to_string(project.around().join("bin/gh")).unwrap();
    let broken = gh
        .replace("'api graphql'", "'api graphql'*) echo 'gh: HTTP 502: Bad Gateway' >&2; exit 1 ;;\n'api x'");
    std::fs::write(project.around().join("bin/gh"), broken).unwrap();
    let ran = project.run(&["schedule", "create", "github=label:scheduled"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("GitHub can't be reached: gh: HTTP 502"), "{ran:?}");
    assert_eq!(project.document(), before);
}

#[test]
fn works_that_github_lists_no_more_are_asked_for_whether_they_are_closed() {
    let project = project();
    with_gh(&project, &[issue(99, "The base", ""), issue(100, "More", "Depends on #99")]);
    project.ok(&["schedule", "create", "github=label:scheduled"]);
    assert_eq!(works(&project), ["FEAT-99-the-base 1 pending", "FEAT-100-more 2 pending"]);
    std::fs::write(project.around().join("closed"), "100\n").unwrap();
    with_gh(&project, &[issue(7, "Another", "")]);
    let ran = project.run(&["schedule", "create", "github=label:scheduled"]);
    assert_eq!(
        works(&project),
        ["FEAT-99-the-base 1 pending", "FEAT-7-another 1 pending", "FEAT-100-more 2 completed"]
    );
    assert!(ran.err.contains("any more: FEAT-99-the-base; they stay"), "{ran:?}");
    assert_eq!(ran.err.matches("FEAT-99-the-base").count(), 1, "said once: {ran:?}");
    let ready = project.ok(&["schedule", "why", "FEAT-99-the-base"]);
    assert!(ready.contains("no source names it any more"), "{ready}");
    // Where the list is empty, they lie where they lay.
    std::fs::write(project.around().join("closed"), "99\n").unwrap();
    with_gh(&project, &[]);
    let ran = project.run(&["schedule", "create", "github=label:scheduled"]);
    assert_eq!(project.state("FEAT-99-the-base"), "completed", "{ran:?}");
}

#[test]
fn other_sources_add_to_a_schedule_and_take_nothing_away() {
    let project = project();
    create(&project, &shop(), &[]);
    let ran = project.run(&["schedule", "create", "local=DOCS-1-guide,FEAT-100-create-the-database"]);
    assert_eq!((ran.code, ran.err.contains("vanished")), (0, false), "{ran:?}");
    assert_eq!(works(&project).len(), 4);
    assert_eq!(project.document()["sources"].as_array().unwrap().len(), 2);
    assert_eq!(project.document()["works"]["FEAT-100-create-the-database"]["source"]["type"], "github");
    let before = project.document();
    let ran = project.run(&["schedule", "create", "local=E-1", "--from", "missing.json"]);
    assert!(ran.err.contains("cannot read missing.json"), "{ran:?}");
    assert_eq!(project.document(), before);
}
