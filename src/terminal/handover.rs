//! The file through which a process gets its arguments, folder and environment, byte for byte.
//!
//! It holds secrets (the environment), so it is made exclusively, for its owner only, and lives for the moment
//! between opener and opened. **Whoever unlinks it decides**: the opened process goes on only if it removed the
//! file itself; an opener that gives up removes it first, and may then open the process in another way.
//!
//! It knows nothing of tmux or of how the process is started.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;

use crate::error::{Code, Error, Result};
use crate::platform::environment;

use super::Launch;

const FORM: &[u8] = b"wf0 hand-over 1";
const PREFIX: &str = "open-";
const SUFFIX: &str = ".handover";
/// No opener waits as long as this: an older file was left by one that was killed.
const LEFT: Duration = Duration::from_secs(120);

/// What is handed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Handover {
    /// The program, an absolute path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<OsString>,
    /// Its working folder.
    pub folder: PathBuf,
    /// Its log.
    pub log: PathBuf,
    /// Its whole environment.
    pub environment: Vec<(OsString, OsString)>,
}

/// The opener's end: a file that waits to be taken.
#[derive(Debug)]
pub(super) struct Waiting {
    path: PathBuf,
    withdrawn: Cell<bool>,
}

impl Waiting {
    /// Its path, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it has been taken. Where the folder cannot be read it counts as not taken.
    pub fn is_taken(&self) -> bool {
        fs::symlink_metadata(&self.path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
    }

    /// Takes it back, once and for all; `false` where the process has it already, and goes on.
    pub fn withdraw(&self) -> bool {
        if !self.withdrawn.get() {
            self.withdrawn.set(fs::remove_file(&self.path).is_ok());
        }
        self.withdrawn.get()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.withdraw();
    }
}

impl Handover {
    /// What `launch` asks for, with this environment.
    pub fn of(launch: &Launch<'_>) -> Result<Handover> {
        let absolute = |path: &Path| {
            std::path::absolute(path).map_err(|error| Error::file("find the full path of", path, &error))
        };
        Ok(Handover {
            program: absolute(launch.program)?,
            arguments: launch.arguments.clone(),
            folder: absolute(launch.root)?,
            log: absolute(launch.log)?,
            environment: environment::all(),
        })
    }

    /// Writes it into `folder`, under a name that nobody has.
    pub fn write(&self, folder: &Path) -> Result<Waiting> {
        let bytes = self.encode()?;
        let folder = std::path::absolute(folder)
            .map_err(|error| Error::file("find the full path of", folder, &error))?;
        let failed = |error| Error::file("write a hand-over file into", &folder, &error);
        let mut file = tempfile::Builder::new()
            .prefix(PREFIX)
            .suffix(SUFFIX)
            .rand_bytes(12)
            .tempfile_in(&folder)
            .map_err(failed)?;
        file.write_all(&bytes).map_err(failed)?;
        let (_, path) = file.keep().map_err(|kept| failed(kept.error))?;
        Ok(Waiting { path, withdrawn: Cell::new(false) })
    }

    fn encode(&self) -> Result<Vec<u8>> {
        let count = OsString::from(self.arguments.len().to_string());
        let paths = [self.folder.as_os_str(), self.log.as_os_str(), self.program.as_os_str(), &count];
        let arguments = self.arguments.iter().map(OsString::as_os_str);
        let environment =
            self.environment.iter().flat_map(|(key, value)| [key.as_os_str(), value.as_os_str()]);
        let mut bytes = Vec::from(FORM);
        bytes.push(0);
        for record in paths.into_iter().chain(arguments).chain(environment) {
            if record.as_bytes().contains(&0) {
                return Err(Error::new(
                    Code::Process,
                    format!(
                        "{} holds a NUL byte, which no program can be given",
                        crate::schedule::id::quoted(&record.to_string_lossy())
                    ),
                    "use a name without it",
                ));
            }
            bytes.extend_from_slice(record.as_bytes());
            bytes.push(0);
        }
        Ok(bytes)
    }

    fn decode(bytes: &[u8]) -> Option<Handover> {
        let bytes = bytes.strip_suffix(&[0])?;
        let mut records = bytes.split(|byte| *byte == 0);
        if records.next()? != FORM {
            return None;
        }
        let mut next = || records.next().map(|record| OsString::from_vec(record.to_vec()));
        let (folder, log, program) = (next()?.into(), next()?.into(), next()?.into());
        let count: usize = next()?.to_str()?.parse().ok()?;
        let mut arguments = Vec::new();
        for _ in 0..count {
            arguments.push(next()?);
        }
        let mut environment = Vec::new();
        while let Some(key) = next() {
            environment.push((key, next()?));
        }
        Some(Handover { program, arguments, folder, log, environment })
    }
}

/// A hand-over file that has been read but not yet taken.
#[derive(Debug)]
pub(super) struct Offer {
    /// What it says.
    pub handover: Handover,
    path: PathBuf,
}

impl Offer {
    /// Reads `path`, which must be a file of ours that nobody else can have written.
    pub fn read(path: &Path) -> Result<Offer> {
        let failed = |error| Error::file("read the hand-over file", path, &error);
        let mut file: File = OpenOptions::new()
            .read(true)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
            .open(path)
            .map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        let ours = about.uid() == rustix::process::geteuid().as_raw();
        if !about.is_file() || !ours || about.mode() & 0o077 != 0 || about.nlink() != 1 {
            return Err(Error::new(
                Code::Process,
                format!("the hand-over file {} is not a plain file of yours alone", path.display()),
                "start the batch again with `wf0 batch start`; this command is not for typing",
            ));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        match Handover::decode(&bytes) {
            Some(handover) => Ok(Offer { handover, path: path.to_owned() }),
            None => Err(Error::new(
                Code::Process,
                format!("the hand-over file {} is not whole, or of another version of wf0", path.display()),
                "start the batch again with `wf0 batch start`",
            )),
        }
    }

    /// Takes it: removes the file. Fails where the opener has withdrawn it.
    pub fn take(self) -> Result<Handover> {
        match fs::remove_file(&self.path) {
            Ok(()) => Ok(self.handover),
            Err(error) => Err(Error::file("take the hand-over file", &self.path, &error)),
        }
    }
}

/// Removes what killed openers left in `folder`. Safe at any time: a file that is removed is a process that
/// does not start.
pub(super) fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let old = |entry: &fs::DirEntry| {
        let made = entry.metadata().and_then(|about| about.modified()).ok();
        made.and_then(|made| SystemTime::now().duration_since(made).ok()).is_some_and(|age| age > LEFT)
    };
    for entry in entries.flatten() {
        if is_ours(&entry.file_name()) && old(&entry) {
            // Another sweep may have been faster.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_ours(name: &OsStr) -> bool {
    name.as_bytes().starts_with(PREFIX.as_bytes()) && name.as_bytes().ends_with(SUFFIX.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn example() -> Handover {
        Handover {
            program: "/opt/wf0".into(),
            arguments: vec!["".into(), "a\nb;".into(), OsString::from_vec(vec![0xff, b'=', b'\''])],
            folder: "/a b\n#(touch x)".into(),
            log: "/log".into(),
            environment: vec![
                ("EMPTY".into(), "".into()),
                ("SECRET".into(), "line one\nline two = three".into()),
                (OsString::from_vec(vec![0xfe]), OsString::from_vec(vec![0xff])),
            ],
        }
    }

    #[test]
    fn every_byte_arrives_and_the_file_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let waiting = example().write(folder.path()).unwrap();
        assert_eq!(fs::metadata(waiting.path()).unwrap().mode() & 0o777, 0o600);
        assert!(!waiting.is_taken());
        let handover = Offer::read(waiting.path()).unwrap().take().unwrap();
        assert_eq!(handover, example());
        assert!(waiting.is_taken());
        assert!(!waiting.withdraw());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_withdrawn_offer_cannot_be_taken() {
        let folder = tempfile::tempdir().unwrap();
        let waiting = example().write(folder.path()).unwrap();
        let offer = Offer::read(waiting.path()).unwrap();
        assert!(waiting.withdraw() && waiting.withdraw());
        assert_eq!(offer.take().unwrap_err().code(), Code::File);
    }

    #[test]
    fn a_file_cut_short_anywhere_is_refused_or_complete() {
        let whole = example().encode().unwrap();
        for length in 0..whole.len() {
            if let Some(short) = Handover::decode(&whole[..length]) {
                // A cut between two variables cannot be told from a smaller environment.
                assert!(short.environment.len() < 3);
                assert_eq!(short.arguments, example().arguments);
            }
        }
        let nul = Handover { arguments: vec![OsString::from("a\0b")], ..example() };
        assert_eq!(nul.encode().unwrap_err().code(), Code::Process);
    }

    #[test]
    fn links_and_files_that_others_can_read_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let waiting = example().write(folder.path()).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(waiting.path(), &link).unwrap();
        assert!(Offer::read(&link).is_err());
        let hard = folder.path().join("hard");
        fs::hard_link(waiting.path(), &hard).unwrap();
        assert!(Offer::read(&hard).is_err());
        fs::remove_file(hard).unwrap();
        assert!(Offer::read(waiting.path()).is_ok());
        fs::set_permissions(waiting.path(), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Offer::read(waiting.path()).is_err());
        assert!(Offer::read(folder.path()).is_err());
    }

    #[test]
    fn only_old_files_of_ours_are_swept() {
        let folder = tempfile::tempdir().unwrap();
        let young = example().write(folder.path()).unwrap();
        let old = example().write(folder.path()).unwrap();
        let other = folder.path().join("open-me.txt");
        fs::write(&other, "").unwrap();
        let past = SystemTime::now() - 2 * LEFT;
        for path in [old.path(), &other] {
            File::options().write(true).open(path).unwrap().set_modified(past).unwrap();
        }
        sweep(folder.path());
        assert!(old.is_taken());
        assert!(!young.is_taken());
        assert!(other.exists());
    }
}
