//! Works named on the command line: `local=FEAT-1-a,FIX-2-b`.

use std::collections::HashSet;

use super::records::{Item, Listed};
use crate::error::{Code, Error, Result};
use crate::schedule::{Source, WorkId, WorkRecord};

/// The works of a list of identifiers, separated by commas.
///
/// # Errors
/// [`Code::WorkId`], [`Code::Duplicate`], [`Code::Usage`] for an empty list.
pub fn read(ids: &str) -> Result<Vec<Item>> {
    let (mut items, mut seen) = (Vec::new(), HashSet::new());
    for text in ids.split(',').map(str::trim).filter(|text| !text.is_empty()) {
        let id = WorkId::new(text)?;
        if !seen.insert(id.clone()) {
            return Err(Error::new(
                Code::Duplicate,
                format!("'{id}' stands in local= twice"),
                "name it once",
            ));
        }
        let work = WorkRecord::new(Source::local(&id, None));
        items.push(Item::from(Listed { id, work, depends: Vec::new() }));
    }
    if items.is_empty() {
        return Err(Error::new(
            Code::Usage,
            "local= names no work",
            "give identifiers, as in local=FEAT-1-a,FIX-2-b",
        ));
    }
    Ok(items)
}
