//! Works named on the command line: `local=FEAT-1-a,FIX-2-b`.

use indexmap::IndexMap;

use crate::error::{Code, Error, Result};
use crate::schedule::{Source, WorkId, WorkRecord};

/// The works of a list of identifiers, separated by commas.
///
/// # Errors
/// [`Code::WorkId`], [`Code::Duplicate`], [`Code::Usage`] for an empty list.
pub fn read(ids: &str) -> Result<IndexMap<WorkId, WorkRecord>> {
    let mut works = IndexMap::new();
    for text in ids.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let id = WorkId::new(text)?;
        let work = WorkRecord::new(Source::local(&id, None));
        if works.insert(id.clone(), work).is_some() {
            return Err(Error::new(
                Code::Duplicate,
                format!("'{id}' stands in local= twice"),
                "name it once",
            )
            .with_about(id.as_str()));
        }
    }
    if works.is_empty() {
        return Err(Error::new(
            Code::Usage,
            "local= names no work",
            "give identifiers, as in local=FEAT-1-a,FIX-2-b",
        ));
    }
    Ok(works)
}
