//! What comes bit by bit: events and logs. Each look waits a moment and no longer, so that Ctrl-C, a consumer that has
//! left and a shell that has gone are all noticed.

use std::time::{Duration, Instant};

use nu_protocol::{
    ByteStream, ByteStreamType, ListStream, PipelineData, PipelineMetadata, Signals, Span, Value,
};

use super::failure::in_stream;
use super::rows::{Density, Row};
use crate::commands::demo::Demo;
use crate::commands::logs::{Logs, Piece, heading};
use crate::commands::watch::{self, Next, Watch};
use crate::error::Result;

/// How long a look waits: well under the 0.2 s within which Ctrl-C has to give the prompt back.
const LOOK: Duration = Duration::from_millis(100);

/// Whether the session still wants more.
struct Session {
    signals: Signals,
    parent: u32,
}

impl Session {
    fn new(signals: &Signals) -> Session {
        Session { signals: signals.clone(), parent: std::os::unix::process::parent_id() }
    }

    /// A shell that was killed is no longer this process's parent.
    fn has_gone(&self) -> bool {
        self.signals.interrupted() || std::os::unix::process::parent_id() != self.parent
    }
}

/// The events of a batch as rows. After each `pulse` without one comes a row `pulse`: only when a row is sent does
/// Nushell say that nobody reads any more.
pub fn events(watch: Watch, pulse: Option<Duration>, signals: &Signals, span: Span) -> PipelineData {
    let rows = rows(watch, pulse, signals, span);
    PipelineData::list_stream(ListStream::new(rows, span, signals.clone()), None)
}

fn rows(
    watch: Watch,
    pulse: Option<Duration>,
    signals: &Signals,
    span: Span,
) -> impl Iterator<Item = Value> + Send + 'static {
    let session = Session::new(signals);
    let mut watch = Some(watch);
    let mut last = Instant::now();
    std::iter::from_fn(move || {
        loop {
            if session.has_gone() {
                watch = None;
            }
            let row = match watch.as_mut()?.next(LOOK, &[]) {
                Ok(Next::Came(row)) => row,
                Ok(Next::Nothing) if pulse.is_some_and(|pulse| last.elapsed() >= pulse) => {
                    watch::Row::pulse()
                }
                Ok(Next::Nothing) => continue,
                Ok(Next::Over) => {
                    watch = None;
                    return None;
                }
                Err(error) => {
                    watch = None;
                    return Some(Value::error(in_stream(&error, span), span));
                }
            };
            last = Instant::now();
            return Some(row.record(Density::Typed, span));
        }
    })
}

/// The events of a demo, which is stopped where nobody reads on.
pub fn demo(watch: Watch, demo: Demo, signals: &Signals, span: Span) -> PipelineData {
    /// Stops what still runs, if anything does.
    struct Stopped(Demo);
    impl Drop for Stopped {
        fn drop(&mut self) {
            if let Err(error) = crate::commands::stop::all(&self.0.project) {
                super::caller::tell(error.what());
            }
        }
    }
    let demo = Stopped(demo);
    let rows = rows(watch, None, signals, span).inspect(move |_| {
        let _lives_as_long_as_the_stream = &demo;
    });
    PipelineData::list_stream(ListStream::new(rows, span, signals.clone()), None)
}

/// Logs as text.
#[expect(clippy::result_large_err, reason = "the error of a generator is Nushell's to choose")]
pub fn text(mut logs: Logs, signals: &Signals, span: Span) -> PipelineData {
    let session = Session::new(signals);
    let mut headed = false;
    let mut rest = Rest::default();
    let mut piece = move |out: &mut Vec<u8>| -> Result<bool> {
        loop {
            if session.has_gone() {
                return Ok(false);
            }
            match logs.next(LOOK, &[])? {
                Next::Came(Piece::Attempt { phase, number }) => {
                    rest.end(out);
                    out.extend_from_slice(heading(&phase, number, headed).as_bytes());
                    headed = true;
                }
                Next::Came(Piece::Bytes(bytes)) => rest.pass(bytes, out),
                Next::Nothing => {}
                Next::Over => {
                    rest.end(out);
                    return Ok(!out.is_empty());
                }
            }
            // One that gives nothing has ended.
            if !out.is_empty() {
                return Ok(true);
            }
        }
    };
    let stream =
        ByteStream::from_fn(span, signals.clone(), ByteStreamType::String, move |out: &mut Vec<u8>| {
            piece(out).map_err(|error| in_stream(&error, span))
        });
    let about = PipelineMetadata::default().with_content_type(Some("text/plain".to_owned()));
    PipelineData::byte_stream(stream, Some(about))
}

/// What was read of a character that isn't whole yet.
#[derive(Debug, Default)]
struct Rest(Vec<u8>);

impl Rest {
    /// Passes on what is whole, with a replacement for what can't be text.
    fn pass(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.0.extend_from_slice(bytes);
        let cut = match self.0.utf8_chunks().last() {
            // At most three bytes that may yet become a character; four are none.
            Some(last) if std::str::from_utf8(last.invalid()).is_err_and(|it| it.error_len().is_none()) => {
                self.0.len() - last.invalid().len()
            }
            _ => self.0.len(),
        };
        let kept = self.0.split_off(cut);
        out.extend_from_slice(String::from_utf8_lossy(&self.0).as_bytes());
        self.0 = kept;
    }

    /// Passes on what is left: it will not become whole any more.
    fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(String::from_utf8_lossy(&self.0).as_bytes());
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_come_whole_however_the_pieces_are_cut() {
        let text = "häß→🚀 \u{7f}ok".as_bytes();
        for cut in 1..text.len() {
            let (mut rest, mut out) = (Rest::default(), Vec::new());
            text.chunks(cut).for_each(|piece| rest.pass(piece, &mut out));
            rest.end(&mut out);
            assert_eq!(out, text, "cut every {cut} bytes");
        }
        let (mut rest, mut out) = (Rest::default(), Vec::new());
        rest.pass(b"a\xff\xfeb\xf0\x9f", &mut out);
        rest.end(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "a\u{fffd}\u{fffd}b\u{fffd}");
    }
}
