//! Who calls: the folder, environment and configuration of the Nushell session, never this process's own.

use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nu_plugin::{EngineInterface, EvaluatedCall};
use nu_protocol::{
    FromValue, HandlerGuard, LabeledError, PipelineData, PipelineMetadata, Span, Spanned, Value,
};

use super::failure::labeled;
use super::pipeline::failure_in;
use super::rows::{Density, Row, table};
use crate::commands::Answer;
use crate::error::{About, Code, Error, Result};
use crate::platform::children::Interrupt;
use crate::platform::environment::{self, Variables};
use crate::project::Project;
use crate::schedule::{WorkId, WorkerNumber};

/// `$env.config.plugins.wf0`: all keys optional, unknown keys are left alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// How many workers `batch start` opens where `--parallel` does not say.
    pub parallel: Option<u32>,
    /// The pulse of `batch watch` where `--pulse` does not say.
    pub pulse: Option<Duration>,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// [`Code::Config`] at the value that has the wrong type.
    pub fn read(value: &Value) -> std::result::Result<Settings, LabeledError> {
        let record = value.as_record().map_err(|_| wrong(value, "$env.config.plugins.wf0", "a record"))?;
        let mut settings = Settings::default();
        for (key, value) in record {
            let wrong = |expected: &str| wrong(value, &format!("$env.config.plugins.wf0.{key}"), expected);
            match key.as_str() {
                "parallel" => {
                    let number = value.as_int().ok().and_then(|it| u32::try_from(it).ok());
                    settings.parallel =
                        Some(number.filter(|it| *it > 0).ok_or_else(|| wrong("a whole number, 1 or more"))?);
                }
                "pulse" => {
                    let span = value.as_duration().ok().and_then(|it| u64::try_from(it).ok());
                    let span = span
                        .filter(|it| *it > 0)
                        .ok_or_else(|| wrong("a duration of some length, as in 5sec"))?;
                    settings.pulse = Some(Duration::from_nanos(span));
                }
                _ => {}
            }
        }
        Ok(settings)
    }
}

fn wrong(value: &Value, what: &str, expected: &str) -> LabeledError {
    let found = match value {
        Value::Int { .. } | Value::Duration { .. } => {
            value.to_expanded_string("", &nu_protocol::Config::default())
        }
        other => other.get_type().to_string(),
    };
    let error = Error::new(
        Code::Config,
        format!("{what} is {found}, expected {expected}"),
        "correct it in config.nu, or take it out",
    );
    labeled(&error, value.span())
}

/// One call of a command.
pub struct Caller<'a> {
    engine: &'a EngineInterface,
    call: &'a EvaluatedCall,
    piped: Value,
}

impl<'a> Caller<'a> {
    /// Who called. Nothing is asked of the session yet: each question costs as much as reading ten works.
    pub fn new(engine: &'a EngineInterface, call: &'a EvaluatedCall) -> Caller<'a> {
        Caller { engine, call, piped: Value::nothing(call.head) }
    }

    /// The same with what came through the pipe, in which errors find their place.
    ///
    /// # Errors
    /// What came is an error.
    pub fn with(self, input: PipelineData) -> std::result::Result<Caller<'a>, LabeledError> {
        Ok(Caller { piped: input.into_value(self.head())?, ..self })
    }

    /// What came through the pipe.
    pub fn piped(&self) -> &Value {
        &self.piped
    }

    /// What the session's configuration says.
    ///
    /// # Errors
    /// It has a value of the wrong type.
    pub fn settings(&self) -> std::result::Result<Settings, LabeledError> {
        self.engine
            .get_plugin_config()?
            .map_or_else(|| Ok(Settings::default()), |value| Settings::read(&value))
    }

    /// Where the command itself stands in what was typed.
    pub fn head(&self) -> Span {
        self.call.head
    }

    /// The folder one is in.
    ///
    /// # Errors
    /// The session does not answer.
    pub fn folder(&self) -> std::result::Result<PathBuf, LabeledError> {
        Ok(self.engine.get_current_dir()?.into())
    }

    /// A path as it was given, from the folder one is in.
    ///
    /// # Errors
    /// As [`Caller::folder`].
    pub fn path(&self, given: impl AsRef<Path>) -> std::result::Result<PathBuf, LabeledError> {
        Ok(self.folder()?.join(given))
    }

    /// The folder in which to look for the project: `--project` or `$env.WF0_PROJECT_ROOT`, which have to be exactly that
    /// one, with the place of what names it; or where one is.
    ///
    /// # Errors
    /// As [`Caller::folder`].
    pub fn start(&self) -> std::result::Result<(PathBuf, Option<Span>), LabeledError> {
        if let Some(given) = self.call.get_flag::<Spanned<String>>("project")? {
            return Ok((self.path(&given.item)?, Some(given.span)));
        }
        let inherited = self.engine.get_env_var("WF0_PROJECT_ROOT")?;
        let inherited = inherited.as_ref().and_then(|it| it.as_str().ok()).filter(|it| !it.is_empty());
        match inherited {
            Some(root) => Ok((self.path(root)?, Some(self.head()))),
            None => Ok((self.folder()?, None)),
        }
    }

    /// The project: as [`Caller::start`] says.
    ///
    /// # Errors
    /// There is none.
    pub fn project(&self) -> std::result::Result<Project, LabeledError> {
        let (folder, given) = self.start()?;
        match given {
            Some(span) => Project::at(&folder).map_err(|error| labeled(&error, span)),
            None => Project::find(&folder).map_err(|error| labeled(&error, self.head())),
        }
    }

    /// Does something in the session's environment.
    ///
    /// # Errors
    /// What `act` gives, at the argument that it is about.
    pub fn within<T>(&self, act: impl FnOnce() -> Result<T>) -> std::result::Result<T, LabeledError> {
        let variables = variables(self.engine)?;
        environment::within(variables, act).map_err(|error| self.failure(&error))
    }

    /// An error at the argument that it is about, at the cell that came through the pipe, or at the command.
    pub fn failure(&self, error: &Error) -> LabeledError {
        let argument = match error.about() {
            Some(About::Text(text)) => self.argument(text).map(|span| labeled(error, span)),
            _ => None,
        };
        argument.or_else(|| failure_in(error, &self.piped)).unwrap_or_else(|| labeled(error, self.head()))
    }

    fn argument(&self, about: &str) -> Option<Span> {
        let named = self.call.named.iter().filter_map(|(_, value)| value.as_ref());
        // A flag's value says more about what is meant than the work that a command is about.
        let given = named.chain(&self.call.positional);
        let items = given.flat_map(|value| match value {
            Value::List { vals, .. } => vals.as_slice(),
            one => std::slice::from_ref(one),
        });
        let is_it = |text: &str| text == about || text.split([',', '=']).any(|part| part.trim() == about);
        items.into_iter().find(|it| it.as_str().is_ok_and(is_it)).map(Value::span)
    }

    /// A table. On a narrow terminal the columns `first` get their space before the others.
    pub fn table<R: Row>(&self, rows: &[R], density: Density, first: &[&str]) -> PipelineData {
        let about = PipelineMetadata::default().with_table_width_priority_columns(self.head(), first);
        PipelineData::value(table(rows, density, self.head()), Some(about))
    }

    /// A record.
    pub fn record<R: Row>(&self, row: &R) -> PipelineData {
        PipelineData::value(row.record(Density::Typed, self.head()), None)
    }

    /// The work that an argument names.
    ///
    /// # Errors
    /// [`Code::WorkId`] where it can't name any.
    pub fn work(&self, position: usize) -> std::result::Result<WorkId, LabeledError> {
        let id: Spanned<String> = self.call.req(position)?;
        WorkId::new(id.item).map_err(|error| labeled(&error, id.span))
    }

    /// The worker that an argument names, as 7 or worker-7.
    ///
    /// # Errors
    /// [`Code::Usage`] where it is none.
    pub fn worker(&self, position: usize) -> std::result::Result<WorkerNumber, LabeledError> {
        let given: Value = self.call.req(position)?;
        given.coerce_str()?.parse().map_err(|error| labeled(&error, given.span()))
    }

    /// How many workers are asked for: `--parallel`, then the configuration.
    ///
    /// # Errors
    /// [`Code::Usage`] where it is no number of workers.
    pub fn parallel(&self) -> std::result::Result<Option<u32>, LabeledError> {
        let Some(given) = self.call.get_flag::<Spanned<i64>>("parallel")? else {
            return Ok(self.settings()?.parallel);
        };
        match u32::try_from(given.item).ok().filter(|number| *number > 0) {
            Some(number) => Ok(Some(number)),
            None => {
                let what = format!("{} is no number of workers", given.item);
                Err(labeled(&Error::new(Code::Usage, what, "give a whole number, 1 or more"), given.span))
            }
        }
    }

    /// How often a quiet stream gives a row: `--pulse`, then the configuration.
    ///
    /// # Errors
    /// [`Code::Usage`] where it is no time span.
    pub fn pulse(&self) -> std::result::Result<Option<Duration>, LabeledError> {
        let Some(given) = self.call.get_flag::<Value>("pulse")? else {
            return Ok(self.settings()?.pulse);
        };
        match u64::try_from(given.as_duration()?).ok().filter(|span| *span > 0) {
            Some(span) => Ok(Some(Duration::from_nanos(span))),
            None => {
                let error =
                    Error::new(Code::Usage, "a pulse must come after some time", "give one as in 5sec");
                Err(labeled(&error, given.span()))
            }
        }
    }

    /// Refuses the first of the flags `others` that is given beside the flag `one`.
    ///
    /// # Errors
    /// [`Code::Usage`] at that flag.
    pub fn exclude(&self, one: &str, others: &[&str]) -> std::result::Result<(), LabeledError> {
        if !self.is_given(one)? {
            return Ok(());
        }
        for other in others {
            if self.is_given(other)? {
                let what = format!("--{one} and --{other} exclude each other");
                return Err(labeled(&Error::new(Code::Usage, what, "leave one out"), self.flag(other)));
            }
        }
        Ok(())
    }

    /// Whether a flag is given, and is not a switch that says `=false`.
    ///
    /// # Errors
    /// It has a value of the wrong type.
    pub fn is_given(&self, flag: &str) -> std::result::Result<bool, LabeledError> {
        let named = self.call.named.iter().find(|(name, _)| name.item == flag);
        Ok(match named {
            Some((_, Some(Value::Bool { .. }))) => self.call.has_flag(flag)?,
            given => given.is_some(),
        })
    }

    /// Where a flag stands.
    pub fn flag(&self, flag: &str) -> Span {
        let named = self.call.named.iter().find(|(name, _)| name.item == flag);
        named.map_or(self.head(), |(name, value)| value.as_ref().map_or(name.span, Value::span))
    }

    /// The density that `--flat` asks for.
    ///
    /// # Errors
    /// The flag has a value that is no bool.
    pub fn density(&self) -> std::result::Result<Density, LabeledError> {
        Ok(if self.call.has_flag("flat")? { Density::Flat } else { Density::Typed })
    }

    /// The answer's value; what people should know beside it goes to standard error.
    pub fn told<T>(&self, answer: Answer<T>) -> T {
        answer.notices.iter().for_each(|line| tell(line));
        answer.value
    }

    /// Raised by Ctrl-C.
    ///
    /// # Errors
    /// The session takes no handler.
    pub fn interrupt(&self) -> std::result::Result<CtrlC, LabeledError> {
        let refused = |error: std::io::Error| {
            let what = format!("cannot listen for Ctrl-C: {}", crate::error::plain(&error));
            labeled(&Error::new(Code::Process, what, "end other programs"), self.head())
        };
        let (heard, ring) = UnixStream::pair().map_err(refused)?;
        ring.set_nonblocking(true).map_err(refused)?;
        let flag = self.engine.signals().clone();
        let guard = self.engine.register_signal_handler(Box::new(move |_| {
            // Full, it has been rung already.
            let _ = std::io::Write::write(&mut &ring, &[1]);
        }))?;
        Ok(CtrlC { flag, heard, _guard: Arc::new(guard) })
    }
}

/// Says something beside the data, as the command line does.
pub fn tell(line: &str) {
    use std::io::Write;
    // A terminal that has gone must not end what was asked for.
    let _ = writeln!(std::io::stderr(), "wf0: {}", crate::schedule::id::printable(line));
}

/// The session's variables as other programs get them: lists (PATH) joined, what is no text left out.
fn variables(engine: &EngineInterface) -> std::result::Result<Variables, LabeledError> {
    let mut variables = Variables::new();
    for (name, value) in engine.get_env_vars()? {
        let text = match &value {
            Value::List { vals, .. } => {
                let parts: Vec<&str> = vals.iter().filter_map(|it| it.as_str().ok()).collect();
                (parts.len() == vals.len()).then(|| parts.join(":"))
            }
            Value::String { .. } | Value::Int { .. } | Value::Float { .. } | Value::Bool { .. } => value
                .coerce_string()
                .ok()
                .or_else(|| bool::from_value(value.clone()).ok().map(|it| it.to_string())),
            _ => None,
        };
        if let Some(text) = text.filter(|text| !text.contains('\0') && !name.contains(['=', '\0'])) {
            variables.insert(OsString::from(name), OsString::from(text));
        }
    }
    Ok(variables)
}

/// Ctrl-C in the session, as something to wait for.
pub struct CtrlC {
    flag: nu_protocol::Signals,
    heard: UnixStream,
    _guard: Arc<HandlerGuard>,
}

impl Interrupt for CtrlC {
    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        vec![self.heard.as_fd()]
    }
    fn raised(&mut self) -> bool {
        self.flag.interrupted()
    }
}
