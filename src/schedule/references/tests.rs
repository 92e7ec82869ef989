use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::error::Code;

/// What a text says, in short: `12` for "waits for 12", `>7` for "7 waits for this", `7<3` where it speaks of 7.
fn says(text: &str) -> String {
    shown(&Patterns::default(), text)
}

fn shown(patterns: &Patterns, text: &str) -> String {
    let one = |it: Reference| {
        let subject = it.subject.map(|subject| format!("{}<", subject.display())).unwrap_or_default();
        let direction = if it.direction == Direction::Blocks { ">" } else { "" };
        let sure = if it.target.is_certain() { "" } else { "?" };
        format!("{subject}{direction}{}{sure}", it.target.display())
    };
    patterns.find(text).depends.into_iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Every known way of writing it, and what must come of it.
const CASES: &[(&str, &str, &str)] = &[
    ("default pattern", "depends on #12", "#12"),
    ("default pattern", "blocked by #12", "#12"),
    ("default pattern", "requires PROJ-7", "PROJ-7"),
    ("default pattern", "after: FEAT-12-login", "FEAT-12-login"),
    ("default pattern", "after: FEAT-12-user-login", "FEAT-12-user-login"),
    ("case", "DEPENDS ON #12", "#12"),
    ("case", "Requires proj-7", "proj-7"),
    ("emphasis", "**Blocked by:** #1, #3", "#1 #3"),
    ("emphasis", "**Blocked by**: **#1** and *#3*", "#1 #3"),
    ("emphasis", "_Depends on_ #1", "#1"),
    ("emphasis", "__Depends on:__ #1", "#1"),
    ("emphasis", "**Blocked** by #1", "#1"),
    ("emphasis", "<b>Blocked by:</b> #1<br>#3", "#1 #3"),
    ("list", "- Depends on #1\n* Blocked by #3\n1. Requires #5", "#1 #3 #5"),
    ("list", "Blocked by:\n- #1\n- #3\n\nRelated:\n- #5", "#1 #3"),
    ("list", "## Blocked by\n\n- [ ] #1 The base\n- [x] #3\n\n## Related\n\n- #5", "#1 #3"),
    ("list", "### Dependencies\n* #1\n  * see also #9\n* #3: more", "#1 #3"),
    ("list", "- Blocked by:\n  - #1\n  - #3\n- #5", "#1 #3"),
    ("list", "Depends on\n\n- the base (#1)\n- Name: #3\n- see #9\n- none, not #9", "#1 #3"),
    ("list", "## Dependencies\n\nNone.\n\n- #5", ""),
    ("list", "Depends on:\n#1\n#3\n#5 is another matter", "#1 #3"),
    ("list", "Depends on the following:\n- #1\n- #3", "#1 #3"),
    ("list", "Blocked by these issues:\n\n1. #1 a\n2. #3 b", "#1 #3"),
    ("list", "Depends on:\n#1 database\n#3 auth\n#5 is another matter", "#1 #3"),
    ("list", "Depends on:\nthird-party work\n#3", "third-party?"),
    ("list", "Depends on: #1\n            #3\nand more", "#1 #3"),
    ("list", "## Dependencies\n\n- Backend\n  - #1\n  - #3", "#1 #3"),
    ("list", "## Dependencies\n\n### Internal\n- #1\n### Related\n- #3", "#1"),
    ("list", "blocked_by:\n  - 3\n  - 5", "#3 #5"),
    ("list", "dependsOn: [#1, #3]\nblockedBy: #5", "#1 #3 #5"),
    ("own words", "## Dependencies\n\n- Blocked by: none\n- Blocking: #2", ">#2"),
    ("own words", "## Dependencies\n- Required by: #2\n- Needed by #3", ">#2 >#3"),
    (
        "own words",
        "## Dependencies\n- #2 depends on this\n- #3 requires this issue\n- #5 is blocked by this",
        ">#2 >#3 >#5",
    ),
    ("own words", "## Dependencies\n- Depended on by: #2\n- Used by #3\n- Part of #5\n- Enables: #7", ""),
    ("own words", "## Dependencies\n- #2 needs this\n- #3 (this blocks it)\n- Must be merged before #5", ""),
    ("own words", "## Dependencies\n- #1 (blocked by #9)", "#1 #1<#9"),
    ("own words", "## Tasks\n- [ ] #1\n- [ ] #2 (depends on #1)\n- [ ] #3 (blocked by #2)", "#2<#1 #3<#2"),
    ("own words", "#1 blocks this issue", "#1"),
    ("own words", "Depends on:\n- [ ] #9 The API (blocks #10)", "#9 #9<>#10"),
    ("own words", "Depends on:\n- #9: the API, blocked by #10", "#9 #9<#10"),
    ("own words", "Dependencies:\n- #9 Auth (needed by #10)\n- #7", "#9 #9<>#10 #7"),
    ("own words", "Depends on:\n- [ ] #9 – depends on #10", "#9 #9<#10"),
    ("own words", "## Dependencies\n- #9 Mend the code block\n- #10", "#9 #10"),
    ("several subjects", "#8 and #9 block this", "#8 #9"),
    ("several subjects", "#7, #8 and #9 are blocking this", "#7 #8 #9"),
    ("several subjects", "#8 and #9 depend on this", ">#8 >#9"),
    ("several subjects", "#8 & #9 depend on #7", "#8<#7 #9<#7"),
    ("several subjects", "Related to #5, #7 is blocked by #3", "#7<#3"),
    ("several subjects", "The code block #7 is wrong, road block this", ""),
    ("two labels", "**Blocked by:** #9 **Blocks:** #7", "#9 >#7"),
    ("two labels", "Blocks: #7 Depends on: #9", ">#7 #9"),
    ("two labels", "Parent: #7 Depends on: #9", "#9"),
    ("two labels", "Depends on #9\rBlocks #7\u{2028}Requires #5\r\n", "#9 >#7 #5"),
    ("struck out", "<del>Depends on #9</del> <s>depends on #8</s> depends on #7", "#7"),
    ("code", "<code>blocked by #8</code> and <pre>blocked by #9</pre>", ""),
    ("negation", "Formerly blocked by #9", ""),
    ("negation", "Previously blocked by #9, now free", ""),
    ("negation", "Dependencies: independent of #9", ""),
    ("number", "### Depends on\n\n9", "#9"),
    ("number", "### Depends on\n\n9, 10", "#9 #10"),
    ("number", "### Depends on\n\n9 days", ""),
    ("heading", "**Dependencies**\n\n- #1", "#1"),
    ("heading", "## 4. Dependencies & Blockers (hard)\n- #1", "#1"),
    ("heading", "## Task Dependencies\n- #1", "#1"),
    ("heading", "## Dependency injection\n- #1", ""),
    ("heading", "## No dependencies\n- #1", ""),
    ("heading", "<h2>Prerequisites</h2>\n\n- #1", "#1"),
    ("heading", "Blocked by\n----------\n#1", "#1"),
    ("heading", "## After\n- #12 looks better", ""),
    ("quote", "> Blocked by #1", "#1"),
    ("quote", "> > - **Blocked by:** #1", "#1"),
    ("several", "Depends on #1, #3 and #5", "#1 #3 #5"),
    ("several", "Depends on #1 #3", "#1 #3"),
    ("several", "Depends on #1/#3 & #5; #7", "#1 #3 #5 #7"),
    ("several", "Depends on #1, and also on #3", "#1 #3"),
    ("several", "Depends on #1; blocked by #3. Requires PROJ-7", "#1 #3 PROJ-7"),
    ("several", "Depends on: #1 the base, #3 the rest. And #9", "#1 #3"),
    ("several", "Depends on both the issues #1 and 3", "#1 #3"),
    ("several", "Depends on PR #1, issues #3 & #4, and/or #5 + #6; #8", "#1 #3 #4 #5 #6 #8"),
    ("several", "Depends on #1-#3", "#1 #3"),
    ("several", "Depends on #1 to #3 and #5..#7", "#1 #3 #5 #7"),
    ("several", "Depends on #1 - #3 waits, too", "#1"),
    ("wrapped", "This work depends on\n#1 and\n#3", "#1 #3"),
    ("wrapped", "It is blocked\nby #1", "#1"),
    ("wrapped", "Depends on #1\n#9 is related", "#1"),
    ("colon", "Blocked by #3", "#3"),
    ("colon", "Blocked by: #3", "#3"),
    ("colon", "Blocked by : #3", "#3"),
    ("colon", "Blocked by：#3", "#3"),
    ("colon", "| Depends on | #3, #5 |", "#3 #5"),
    ("colon", "Dependencies: #3, PROJ-7", "#3 PROJ-7"),
    ("colon", "Dependencies - #1, #3", "#1 #3"),
    ("colon", "Dependencies (hard): #1", "#1"),
    ("colon", "The dependencies - #1 is one - are listed", ""),
    ("colon", "Dependencies are listed in #3", ""),
    ("number", "Depends on: 12, 14", "#12 #14"),
    ("number", "Depends on 3 reviewers", ""),
    ("number", "Requires: 16", ""),
    ("number", "Depends on: 3 days of work", ""),
    ("number", "Blocked by GH-12", "#12"),
    ("negation", "Depends on: none. Related to #5", ""),
    ("negation", "Depends on: none, see #5", ""),
    ("negation", "Depends on nothing (see #5)", ""),
    ("negation", "Blocked by: n/a\n\n#5", ""),
    ("negation", "This does not depend on #5", ""),
    ("negation", "This doesn’t depend on #5", ""),
    ("negation", "No longer blocked by #5", ""),
    ("negation", "is not currently blocked by #5", ""),
    ("negation", "never requires #5", ""),
    ("negation", "Blocked by #5? No.", ""),
    ("negation", "Not ready: blocked by #5", "#5"),
    ("negation", "not started because blocked by #5", "#5"),
    ("negation", "not only blocked by #5", "#5"),
    ("negation", "~~Depends on #5~~ Depends on #6", "#6"),
    ("direction", "Blocks #7", ">#7"),
    ("direction", "**Blocks:** #7, #8", ">#7 >#8"),
    ("direction", "Blocking:\n- #7", ">#7"),
    ("direction", "Required by #7 and #8", ">#7 >#8"),
    ("direction", "It is needed by: #7", ">#7"),
    ("direction", "Unblocks #7, non-blocking #8", ""),
    ("direction", "Blocked by #3. Blocks #7.", "#3 >#7"),
    ("direction", "#7 is blocked by #3", "#7<#3"),
    ("direction", "Note that #1 requires #2, and #3 is blocked by #4", "#1<#2 #3<#4"),
    ("direction", "Related to #5. Depends on #3", "#3"),
    ("external", "Depends on owner/repo#12", "owner/repo#12"),
    ("external", "Depends on repo#12", "repo#12"),
    (
        "external",
        "Depends on https://github.com/owner/repo/issues/12.",
        "https://github.com/owner/repo/issues/12",
    ),
    ("external", "Blocked by [#12](https://github.com/o/r/issues/12)", "https://github.com/o/r/issues/12"),
    ("external", "Blocked by <https://tracker.example/browse/AB-3>", "https://tracker.example/browse/AB-3"),
    ("link", "Blocked by [#12](#there), [#14]", "#12 #14"),
    ("silent", "```\nDepends on #1\n```", ""),
    ("silent", "~~~sh\nDepends on #1\n~~~\nDepends on #2", "#2"),
    ("silent", "> ```\n> Depends on #1\n> ```", ""),
    ("silent", "As in\n\n    Depends on #1\n\nDepends on #2", "#2"),
    ("silent", "- As in\n\n        Depends on #1", ""),
    ("speaks", "- This one\n\n    Depends on #1", "#1"),
    ("silent", "`Depends on #1`", ""),
    ("silent", "Depends on `#1`", ""),
    ("silent", "Depends on ``a ` #1``, #2", ""),
    ("silent", "<!-- Depends on #1 -->", ""),
    ("silent", "Depends on <!-- like #1 --> #2", "#2"),
    ("silent", "<!--\nDepends on #1\n\nBlocked by #3\n-->\nDepends on #2", "#2"),
    ("speaks", "- [ ] Depends on #1", "#1"),
    ("speaks", "- [x] Depends on #1", "#1"),
    ("remark", "depends on #12 and #14 (see #99)", "#12 #14"),
    ("remark", "depends on #12 (see #99), #14", "#12 #14"),
    ("remark", "(depends on #12), unlike #99", "#12"),
    ("remark", "Depends on: the base (#12)", "#12"),
    ("remark", "Depends on the rework in #12", ""),
    ("twice", "Depends on #1, #1. Blocked by #1", "#1"),
    ("words", "dependson #1, unrequires #2, re-blocked by #3, thereafter #4", ""),
    ("words", "a regression after #3 was merged", ""),
    ("words", "After #3", "#3"),
    ("words", "After #3 we saw it", ""),
    ("words", "depends on #12a, #13", ""),
    ("words", "depends on &#39;", ""),
    ("words", "Depends on third-party work", "third-party?"),
    ("words", "closes #5, fixes #6, see #7, #8", ""),
    ("unicode", "依存: Depends on #3、#4 です", "#3 #4"),
    ("unicode", "Depends on\u{a0}#3", "#3"),
    ("unicode", "Depends on \u{202e}#3", "#3"),
    ("unicode", "Depends on #１２", ""),
    ("unicode", "\u{feff}Depends on #3\r\nRelated", "#3"),
];

#[test]
fn every_known_way_of_writing_a_dependency_is_read_as_it_is_meant() {
    let wrong: Vec<String> = CASES
        .iter()
        .filter(|(_, text, expected)| says(text) != *expected)
        .map(|(kind, text, expected)| format!("{kind}: {text:?}: {:?}, expected {expected:?}", says(text)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_reference_carries_its_line() {
    let text = "Hello\n\n> - **Depends on:** #1,\u{1b}[31m\n>   #3\n\nBlocked by:\n- [ ] #5 base\n\nThis needs it, requires\n#7 and\n#8.";
    let lines: Vec<String> = Patterns::default()
        .find(text)
        .depends
        .iter()
        .map(|it| format!("{}: {}", it.target.display(), it.line))
        .collect();
    assert_eq!(
        lines,
        [
            "#1: > - **Depends on:** #1,[31m",
            "#5: - [ ] #5 base",
            "#7: This needs it, requires … #7 and",
            "#8: This needs it, requires … #8."
        ]
    );
    let long = format!("{} depends on #7 {}", "x ".repeat(10_000), "y".repeat(10_000));
    let line = &Patterns::default().find(&long).depends[0].line;
    assert!(line.contains("depends on #7") && line.chars().count() < 210, "{line}");
}

#[test]
fn what_only_stands_near_the_words_is_passed_over_and_told() {
    for (text, expected) in [
        ("Depends on the rework in #12 and #14. See #15", "#12 #14"),
        ("Requires care, PROJ-7 was hard", "PROJ-7"),
        ("Blocked by #1 the base of #2", "#2"),
        ("Depends on #12\n#13 is another matter", ""),
        ("depends on #12 and #14 (see #99)", ""),
        ("Depends on: none. Related to #5", ""),
        ("Depends on: none, see #5", ""),
        ("does not depend on the rework in #12", ""),
        ("Depends on #1, like the rework in #12", ""),
        ("Blocks the rework in #12", ""),
        ("Depends on:\n- the rework in #12 and more\n- see #13", "#12"),
        ("Depends on the rework in #12, depends on #12", ""),
        ("Depends on 3 reviewers", ""),
        ("Does this depend on #1? Blocked by #3?", "#1 #3"),
        ("## Dependencies\n\nWe need #1 and PROJ-7 before it.", "#1 PROJ-7"),
        ("## Dependencies\n\n| Issue | Why |\n|---|---|\n| #1 | schema |\n| #3 | api |", "#1 #3"),
    ] {
        let passed = Patterns::default().find(text).passed;
        let shown: Vec<String> = passed.iter().map(|it| it.target.display()).collect();
        assert_eq!(shown.join(" "), expected, "{text}");
    }
    let many = "Depends on the rework in #1 of #2 ".repeat(1000);
    assert_eq!(Patterns::default().find(&many).passed.len(), PASSED);
}

#[test]
fn users_patterns_are_tried_beside_and_an_empty_list_reads_nothing() {
    let own =
        |list: &[&str]| Patterns::new(Some(&list.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>()));
    let patterns = own(&[r"needs #(\d+)", r"waits for (\S+)"]).unwrap();
    for (text, expected) in [
        ("NEEDS #3. Depends on #4", "#4 #3"),
        ("needs owner/repo#3, waits for owner/repo#5", "owner/repo#5"),
        ("no longer needs #3", ""),
        ("`needs #3`", ""),
        ("waits for FEAT-3-a-b.", "FEAT-3-a-b"),
        ("waits for it", "it"),
    ] {
        assert_eq!(shown(&patterns, text), expected, "{text}");
    }
    assert_eq!(shown(&own(&[r"#(\d+)"]).unwrap(), "see owner/repo#12"), "owner/repo#12");
    assert_eq!(shown(&own(&[r"after: ([A-Z]+-\d+-\w+)"]).unwrap(), "after: FEAT-1-a-b"), "FEAT-1-a-b");
    assert_eq!(shown(&own(&[]).unwrap(), "Depends on #3"), "");
    assert_eq!(shown(&Patterns::new(None).unwrap(), "Depends on #3"), "#3");
}

#[test]
fn a_pattern_that_cannot_be_used_is_refused_by_name() {
    for (pattern, part) in [
        (r"needs #(\d+", "'needs #(\\d+' does not compile: unclosed group"),
        (r"\d{1,1000000}", r"'\d{1,1000000}' is too large"),
        (r"(\d{1,1000000})", "is too large"),
        (r"needs #\d+", "has no group"),
        (r"(a)\1", "does not compile: backreferences are not supported"),
        (r"(?=a)(b)", "does not compile: look-around"),
        ("", "has no group"),
    ] {
        let error = Patterns::new(Some(&[pattern.to_owned()])).unwrap_err();
        assert_eq!(error.code(), Code::Config);
        assert!(error.what().contains(part), "{}", error.what());
        assert!(error.what().contains("batch.dependency_patterns"), "{}", error.what());
    }
}

#[test]
fn a_megabyte_of_anything_is_read_in_linear_time() {
    // An unoptimised build is given a quarter of it.
    let (size, bound) = if cfg!(debug_assertions) { (1 << 18, 5) } else { (1 << 20, 2) };
    let bound = Duration::from_secs(bound);
    let evil =
        Patterns::new(Some(&[r"((?:a|aa)+b)".into(), r"x(.*)y".into(), r"(\w+\s+)*needs #(\d+)".into()]))
            .unwrap();
    for unit in [
        "depends on ",
        "depends on #1 ",
        "#",
        "`",
        "``` ",
        "<!--",
        "<!-- `",
        "`<!-- -->",
        "~~",
        "> ",
        "- ",
        "[",
        "[x](",
        "(",
        "Blocked by: #1 (",
        "Depends on: #1 a, ",
        "#1, ",
        "\0",
        "\u{202e}",
        "\u{1b}[31m",
        "é",
        "a",
        "x",
        "*_",
        "<b",
        "not ",
        "1",
        "-1",
        "http://",
        "depends on\n",
        "- depends on:\n",
        "\n",
        " ",
        "blocked ",
        "after ",
        "| ",
    ] {
        let text = unit.repeat(size / unit.len());
        let begin = Instant::now();
        Patterns::default().find(&text);
        let took = begin.elapsed();
        assert!(took < bound, "{unit:?} took {took:?}");
        let begin = Instant::now();
        evil.find(&text);
        let took = begin.elapsed();
        assert!(took < bound * 2, "{unit:?} took {took:?} with patterns");
    }
}

fn pieces() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "depends on",
        "Blocked by",
        "requires",
        "after",
        "blocks",
        "Dependencies",
        ":",
        " ",
        " ",
        " ",
        "\n",
        "\n\n",
        "- ",
        "> ",
        "## ",
        "#1",
        "#23",
        "#4",
        "PROJ-7",
        "FEAT-23-x",
        "o/r#5",
        "https://h/o/r/issues/6",
        "[#8](u)",
        "(",
        ")",
        ",",
        "and",
        "not",
        "none",
        "`",
        "```\n",
        "<!--",
        "-->",
        "**",
        "_",
        "~~",
        "(see #9)",
        "12",
        ".",
        "é",
        "\u{202e}",
        "\0",
        "\\",
        "[",
        "]",
        "|",
        "x",
    ];
    proptest::collection::vec(proptest::sample::select(PIECES), 0..30).prop_map(|all| all.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]
    #[test]
    fn nothing_is_found_that_is_not_named(text in prop_oneof![pieces(), any::<String>()]) {
        let said = Patterns::default().find(&text);
        for passed in &said.passed {
            prop_assert!(said.depends.iter().all(|it| it.target != passed.target));
            let number = passed.target.display();
            prop_assert!(text.contains(number.trim_start_matches('#')), "{number} in {text:?}");
        }
        for found in said.depends {
            for target in found.subject.iter().chain([&found.target]) {
                let named = match target {
                    Target::Number(number) => number.clone(),
                    Target::Elsewhere { repository, number } => format!("{repository}#{number}"),
                    Target::Url(text) | Target::Name { text, .. } => text.clone(),
                };
                prop_assert!(text.contains(&named), "{named} in {text:?}");
            }
            prop_assert!(!found.line.contains(|c: char| c.is_control()));
        }
    }

    #[test]
    fn code_and_comments_say_nothing_whatever_they_hold(text in pieces()) {
        let quiet = text.replace("```", "").replace("-->", "");
        prop_assert_eq!(says(&format!("````\n{quiet}\n````\n")), "");
        prop_assert_eq!(says(&format!("<!-- {quiet} -->")), "");
    }
}
