//! Asking a Jira: one request after another, each within a time, with what passes by itself tried again, and every
//! other answer turned into what one can do about it.
//!
//! Requests run on a thread of their own, so that an interrupt needn't wait for a slow server. Redirects are not
//! followed: the login goes to the address that was given and to no other.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use ureq::Agent;
use ureq::http::HeaderMap;

use super::SOURCE;
use super::settings::Settings;
use super::way::{proxy, tls};
use crate::error::{Code, Error, Result, plain};
use crate::platform::children::{Interrupt, wait_readable};
use crate::sources::tracker::{Place, interrupted, said};

/// The longest that one request may take.
const REQUEST: Duration = Duration::from_secs(60);
const CONNECT: Duration = Duration::from_secs(15);
/// Most that one answer may hold: a page of a hundred issues.
const MOST_BYTES: u64 = 64 << 20;
/// How often something is asked for.
const TRIES: u32 = 4;
/// How often where Jira says when to come back.
const TRIES_WHEN_TOLD: u32 = 10;
/// Before the second try; doubles.
const PAUSE: Duration = Duration::from_millis(500);

/// A Jira that can be asked.
pub(super) struct Connection {
    pub settings: Settings,
    agent: Agent,
    until: Instant,
    patience: Duration,
}

/// Why there is no answer.
pub(super) struct Refusal {
    /// What Jira answered with, where it did.
    pub status: Option<u16>,
    pub error: Error,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        Refusal { status: None, error }
    }
}

struct Raw {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Raw {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Connection {
    pub fn new(settings: Settings, place: &Place<'_>) -> Result<Connection> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .proxy(proxy(&settings)?)
            .tls_config(tls(place)?)
            .user_agent(concat!("wf0/", env!("CARGO_PKG_VERSION")))
            .accept("application/json")
            .build();
        let until = Instant::now() + place.patience;
        Ok(Connection { settings, agent: config.into(), until, patience: place.patience })
    }

    /// Asks for `path`; gives the body of the answer.
    pub fn get(
        &self,
        path: &str,
        query: &[(&str, String)],
        interrupt: &mut dyn Interrupt,
    ) -> std::result::Result<Vec<u8>, Refusal> {
        let mut tries: u32 = 0;
        loop {
            tries += 1;
            let pause = PAUSE * (1 << (tries - 1).min(5));
            let raw = match self.once(path, query, interrupt)? {
                Ok(raw) => raw,
                Err(error) if passes(&error) && tries < TRIES && pause < self.left() => {
                    self.pause(pause, interrupt)?;
                    continue;
                }
                Err(error) => return Err(self.unreachable(&error).into()),
            };
            let told = raw.header("retry-after").and_then(seconds).map(|told| told.max(PAUSE));
            let most = if told.is_some() { TRIES_WHEN_TOLD } else { TRIES };
            let again = raw.status == 429 || (500..600).contains(&raw.status) && raw.status != 501;
            let pause = told.unwrap_or(pause);
            if again && tries < most && pause < self.left() {
                self.pause(pause, interrupt)?;
            } else if raw.status == 200 && !was_turned_away(&raw) {
                return Ok(raw.body);
            } else {
                return Err(Refusal { status: Some(raw.status), error: self.refusal(&raw, told) });
            }
        }
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// One request, on a thread of its own.
    fn once(
        &self,
        path: &str,
        query: &[(&str, String)],
        interrupt: &mut dyn Interrupt,
    ) -> Result<std::result::Result<Raw, ureq::Error>> {
        let limit = self.left().min(REQUEST);
        if limit.is_zero() {
            return Ok(Err(ureq::Error::Timeout(ureq::Timeout::Global)));
        }
        let mut request = self.agent.get(format!("{}{path}", self.settings.base));
        for (key, value) in query {
            request = request.query(key, value);
        }
        let request = request.header("Authorization", self.settings.authorization());
        let request = request.config().timeout_global(Some(limit)).build();
        let no_thread = |error: std::io::Error| {
            Error::new(
                Code::Process,
                format!("{SOURCE}: no request can be made: {}", plain(&error)),
                "end some other programs, then run the same command again",
            )
        };
        let (bell, rope) = UnixStream::pair().map_err(no_thread)?;
        let (give, take) = mpsc::channel();
        let ask = move || {
            let answer = request.call().and_then(|answer| {
                let (parts, mut body) = answer.into_parts();
                let body = body.with_config().limit(MOST_BYTES).read_to_vec()?;
                Ok(Raw { status: parts.status.as_u16(), headers: parts.headers, body })
            });
            // Nobody waits any more after an interrupt.
            let _ = give.send(answer);
            drop(rope);
        };
        std::thread::Builder::new().name("jira".into()).spawn(ask).map_err(no_thread)?;
        let end = Instant::now() + limit + Duration::from_secs(1);
        loop {
            match take.try_recv() {
                Ok(answer) => return Ok(answer),
                Err(mpsc::TryRecvError::Disconnected) => return Ok(Err(ureq::Error::ConnectionFailed)),
                Err(mpsc::TryRecvError::Empty) => {}
            }
            if interrupt.raised() {
                return Err(interrupted(SOURCE));
            }
            if Instant::now() > end {
                return Ok(Err(ureq::Error::Timeout(ureq::Timeout::Global)));
            }
            let mut fds = interrupt.fds();
            fds.push(bell.as_fd());
            wait_readable(&fds, Duration::from_secs(1));
        }
    }

    fn pause(&self, length: Duration, interrupt: &mut dyn Interrupt) -> Result<()> {
        let until = Instant::now() + length;
        loop {
            if interrupt.raised() {
                return Err(interrupted(SOURCE));
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            wait_readable(&interrupt.fds(), left.min(Duration::from_secs(1)));
        }
    }

    fn unreachable(&self, error: &ureq::Error) -> Error {
        let host = &self.settings.host;
        let (what, hint) = match error {
            ureq::Error::Timeout(_) => (
                format!("{host} has not answered in time ({} s for all of it)", self.patience.as_secs()),
                "see whether Jira is well, then run the same command again",
            ),
            ureq::Error::HostNotFound => {
                (format!("there is no host {host}"), "correct JIRA_BASE_URL, or check the connection")
            }
            error if is_distrust(error) => (
                format!("{host} can't be trusted as Jira: {}", said(&error.to_string())),
                "set SSL_CERT_FILE to a file with the certificates that your own servers are signed by",
            ),
            ureq::Error::BodyExceedsLimit(_) => {
                return Error::new(
                    Code::SourceLimit,
                    format!("{SOURCE}: {host} answered with more than {} MiB at once", MOST_BYTES >> 20),
                    "ask for fewer issues",
                );
            }
            ureq::Error::Io(error) => (
                format!("{host} can't be reached: {}", plain(error)),
                "check the connection and JIRA_BASE_URL, then run the same command again",
            ),
            other => (
                format!(
                    "{host} can't be reached: {}",
                    self.settings.without_token(&said(&other.to_string()))
                ),
                "check the connection and JIRA_BASE_URL, then run the same command again",
            ),
        };
        Error::new(Code::SourceUnreachable, format!("{SOURCE}: {what}"), hint)
    }

    /// What an answer means that is none.
    fn refusal(&self, raw: &Raw, told: Option<Duration>) -> Error {
        let host = &self.settings.host;
        let (code, what, hint) = match raw.status {
            300..=399 => (
                Code::SourceRefused,
                format!(
                    "{host} sends on to {}",
                    raw.header("location").map_or("nowhere".into(), without_query)
                ),
                "set JIRA_BASE_URL to the address where Jira really is; the login is sent to no other",
            ),
            200 | 401 => (
                Code::SourceLogin,
                format!("{host} does not accept the login"),
                "make a new token and set JIRA_API_TOKEN; Cloud wants JIRA_EMAIL as well, a Data Center's token JIRA_AUTH_TYPE=bearer",
            ),
            403 if raw.header("x-authentication-denied-reason").is_some() => (
                Code::SourceLogin,
                format!("{host} wants to see a person first, after failed logins"),
                "log in there once in a browser, then run the same command again",
            ),
            403 => (
                Code::SourceLogin,
                format!("{host} does not let this login see that"),
                "use the token of an account that may browse these projects",
            ),
            404 => (
                Code::SourceRefused,
                format!("there is no Jira at {}", self.settings.base),
                "correct JIRA_BASE_URL, with the path that Jira lies at",
            ),
            410 => (
                Code::SourceRefused,
                format!("{host} no longer has the search that wf0 uses"),
                "update wf0, or give the issues with --from",
            ),
            400 | 414 => (
                Code::SourceRefused,
                format!("{host} can't read the query"),
                "correct the JQL; try it in Jira's own search; Cloud wants it bounded, as in project = ABC AND …",
            ),
            429 => (
                Code::SourceLimit,
                match told {
                    Some(told) => format!("{host} allows no more requests for {} s", told.as_secs()),
                    None => format!("{host} allows no more requests for now"),
                },
                "run the same command again later",
            ),
            500.. => (
                Code::SourceUnreachable,
                format!("{host} is out of order (status {})", raw.status),
                "see whether Jira is well, then run the same command again",
            ),
            status => (
                Code::SourceRefused,
                format!("{host} answered with status {status}"),
                "check JIRA_BASE_URL and the JQL",
            ),
        };
        let end = self.settings.without_token(&complaint(&raw.body));
        let end = if end.is_empty() { end } else { format!(": {}", said(&end)) };
        Error::new(code, format!("{SOURCE}: {what}{end}"), hint)
    }
}

/// Whether nobody vouches for the server. Found out while reading, it comes as a failed reading.
fn is_distrust(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => true,
        ureq::Error::Io(error) => error.to_string().contains("certificate"),
        _ => false,
    }
}

/// Whether it is worth trying again at once.
fn passes(error: &ureq::Error) -> bool {
    use std::io::ErrorKind as Kind;
    matches!(error, ureq::Error::Io(error) if matches!(
        error.kind(),
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::UnexpectedEof | Kind::Interrupted
    ))
}

/// Jira may let one in as nobody where a login fails, and then shows what nobody may see: often nothing.
fn was_turned_away(raw: &Raw) -> bool {
    let reason = raw.header("x-seraph-loginreason").unwrap_or_default().to_ascii_uppercase();
    reason.contains("FAILED") || reason.contains("DENIED")
}

/// `Retry-After`: seconds, or a date.
fn seconds(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    let seconds = at.as_second().saturating_sub(jiff::Timestamp::now().as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// What Jira says is wrong; nothing where it is no JSON, since web pages say nothing shortly.
fn complaint(body: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let listed = answer["errorMessages"].as_array().into_iter().flatten();
    let named = answer["errors"].as_object().into_iter().flat_map(|errors| errors.values());
    let single = ["message", "errorMessage"].iter().map(|key| &answer[*key]);
    let all: Vec<&str> = listed.chain(named).chain(single).filter_map(Value::as_str).collect();
    all.join("; ")
}

fn without_query(location: &str) -> String {
    said(location.split(['?', '#', ';']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_both_forms() {
        assert_eq!(seconds("7"), Some(Duration::from_secs(7)));
        assert_eq!(seconds("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert!(seconds("Fri, 21 Oct 2095 07:28:00 GMT").unwrap() > Duration::from_secs(1 << 30));
        assert_eq!(seconds("soon"), None);
        assert_eq!(seconds("-1"), None);
    }

    #[test]
    fn complaints_are_found_wherever_jira_puts_them() {
        for (body, expected) in [
            (r#"{"errorMessages":["a","b"],"errors":{"jql":"c"}}"#, "a; b; c"),
            (r#"{"message":"d"}"#, "d"),
            (r#"{"errorMessages":7}"#, ""),
            ("<html>", ""),
            ("", ""),
        ] {
            assert_eq!(complaint(body.as_bytes()), expected);
        }
    }
}
