//! The plugin among others: added, used, listed; and what happens where it isn't there.

use crate::fixture;
use crate::nu::{PLUGIN, ran};

#[test]
fn it_is_added_once_and_used_by_every_session_after() {
    let project = fixture::fresh();
    let added = ran(&mut project.nu_with_registry(&format!("plugin add '{PLUGIN}'")));
    assert_eq!((added.code, added.err.as_str()), (0, ""), "{added:?}");
    let listed = ran(&mut project.nu_with_registry("plugin list | select name version | to nuon"));
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(listed.out.trim(), format!("[[name, version]; [\"wf0\", \"{version}\"]]"), "{listed:?}");
    let used = ran(&mut project.nu_with_registry("plugin use wf0; wf0 batch status | length"));
    assert_eq!(used.out.trim(), "5", "{used:?}");
    // A session begins with what is in the registry, and examples with their results are kept there.
    let known = ran(&mut project.nu_with_registry("help wf0 schedule show"));
    assert!(known.out.contains("wf0 schedule show --flat"), "{known:?}");
}

#[test]
fn without_it_the_same_words_reach_the_command_line() {
    let project = fixture::fresh();
    let wf0 = std::path::Path::new(env!("CARGO_BIN_EXE_wf0"));
    std::os::unix::fs::symlink(wf0, project.around().join("bin/wf0")).unwrap();
    let bare = |code: &str| {
        let mut command = project.at_home(&*crate::nu::NU);
        ran(command.args(["-n", "--no-std-lib", "-c", code]))
    };
    let said = bare("wf0 batch status");
    assert!(said.out.contains("Batch Execution Status"), "{said:?}");
    let rows = bare("wf0 batch status --format json | from json | get work_id | length");
    assert_eq!(rows.out.trim(), "5", "{rows:?}");
    // And with it, `^` does.
    assert!(project.nu_ok("^wf0 batch status").contains("Batch Execution Status"));
}
