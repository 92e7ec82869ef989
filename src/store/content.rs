//! schedule.json as a file: reading it, and telling one version of it from another.

use std::hash::Hasher;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::error::{Code, Error, Result};

/// What stands in the document at `path`; `None` where there is none.
///
/// # Errors
/// [`Code::File`]: it can't be read, or something lies there that can't be a document.
pub fn read_document(path: &Path) -> Result<Option<Vec<u8>>> {
    match usable(path)? {
        Some(_) => read(path).map(Some),
        None => Ok(None),
    }
}

/// Reads a file whole.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::file("read", path, &error))
}

/// The file at `path`, `None` where there is none. A folder would be swapped away by publishing, a pipe would be
/// waited for, and a link that leads nowhere would look like no file at all: these are refused.
fn usable(path: &Path) -> Result<Option<std::fs::Metadata>> {
    let what = match std::fs::metadata(path) {
        Ok(about) if about.is_file() => return Ok(Some(about)),
        Ok(about) if about.is_dir() => "is a folder, not a file",
        Ok(_) => "is no ordinary file",
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.is_symlink() => {
            "is a link that leads nowhere"
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::file("look at", path, &error)),
    };
    Err(Error::new(
        Code::File,
        format!("{} {what}", path.display()),
        "move it away, then run the same command again",
    ))
}

/// What tells one version of a file from another without reading it; `None` where there is no file.
pub(super) fn signature(path: &Path) -> Result<Option<String>> {
    Ok(usable(path)?.map(|about| {
        format!(
            "{}:{}:{}:{}.{}:{}.{}",
            about.dev(),
            about.ino(),
            about.size(),
            about.mtime(),
            about.mtime_nsec(),
            about.ctime(),
            about.ctime_nsec()
        )
    }))
}

/// A name for a content. Not secret: it only tells our own documents from others', length and 128 bits.
pub(super) fn hash(bytes: &[u8]) -> String {
    let half = |seed: u64| {
        let mut hasher = std::hash::DefaultHasher::new();
        hasher.write_u64(seed);
        hasher.write(bytes);
        hasher.finish()
    };
    format!("{}-{:016x}{:016x}", bytes.len(), half(1), half(2))
}
