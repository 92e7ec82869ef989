//! What a project's sessions are called, and the mark by which they are known as its own.
//!
//! tmux expands, and runs, what it finds in names: both are of letters that mean nothing to it, whatever the
//! project's folder is called. Nothing here talks to tmux.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Role;

/// The names a session may have, first choice first.
pub(super) fn names_for(role: Role, root: &Path) -> [String; 3] {
    let name = role.session_name();
    let project = project_name(root);
    let full = format!("{name}-{project}-{:08x}", short_hash(root.as_os_str().as_bytes()));
    [name.clone(), format!("{name}-{project}"), full]
}

/// The root's folder name in the letters that tmux reads as they are.
fn project_name(root: &Path) -> String {
    let name = root.file_name().unwrap_or(OsStr::new("root")).to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' };
    name.chars().take(40).map(plain).collect()
}

/// FNV-1a folded to 32 bits: the same in every build, unlike the standard library's hashers.
fn short_hash(bytes: &[u8]) -> u32 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325, step);
    (hash ^ (hash >> 32)) as u32
}

/// A project's mark: its path, everything but plain letters as `=XX`.
pub(super) fn tag_of(root: &Path) -> String {
    let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    let mut tag = String::new();
    for byte in root.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => {
                tag.push(char::from(*byte))
            }
            _ => tag.push_str(&format!("={byte:02x}")),
        }
    }
    tag
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::id::WorkerNumber;

    #[test]
    fn names_are_of_safe_letters_whatever_the_folder_is_called() {
        let role = Role::Worker(WorkerNumber::new(12).unwrap());
        let long = format!("/p/{}", "x".repeat(255));
        for root in ["/p/#(touch x)", "/p/a b;'\"\n$(id)`id`:.", "/p/größe", "/", &long] {
            let names = names_for(role, Path::new(root));
            assert_eq!(names[0], "wf-batch-worker-12");
            for name in names {
                assert!(
                    name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')),
                    "{name}"
                );
                assert!(name.len() < 100);
            }
        }
        assert_eq!(names_for(Role::Scheduler, Path::new("/p/shop"))[1], "wf-batch-scheduler-shop");
        let (one, two) = (Path::new("/a/shop"), Path::new("/b/shop"));
        assert_ne!(names_for(role, one)[2], names_for(role, two)[2]);
    }

    #[test]
    fn marks_tell_any_two_folders_apart() {
        let roots = ["/a", "/a=20", "/a ", "/a\n", "/a;", "/A", "/a/b", "/ä"];
        let tags: std::collections::BTreeSet<String> =
            roots.iter().map(|root| tag_of(Path::new(root))).collect();
        assert_eq!(tags.len(), roots.len());
        assert!(tags.iter().all(|tag| !tag.contains([' ', '\n', ';', '#'])));
    }
}
