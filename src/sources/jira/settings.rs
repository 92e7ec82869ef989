//! Where Jira is and how one logs in there: `JIRA_BASE_URL` or `JIRA_URL` (else `jira.domain` of the configuration),
//! `JIRA_EMAIL` or `JIRA_USERNAME`, `JIRA_API_TOKEN`, `JIRA_AUTH_TYPE`.
//!
//! The token is in here and nowhere else; nothing that prints these settings prints it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ureq::http::Uri;

use super::SOURCE;
use crate::config::JiraConfig;
use crate::error::{Code, Error, Result};
use crate::schedule::id::quoted;
use crate::sources::tracker::variable;

/// Which of the two interfaces a Jira has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Atlassian's own servers.
    Cloud,
    /// Somebody's own server: Server or Data Center.
    Server,
}

impl Dialect {
    pub fn other(self) -> Dialect {
        match self {
            Dialect::Cloud => Dialect::Server,
            Dialect::Server => Dialect::Cloud,
        }
    }
}

/// A Jira and a login.
pub(super) struct Settings {
    /// Its address, without a slash at the end.
    pub base: String,
    /// Name and port, for messages.
    pub host: String,
    /// The interface that it most likely has.
    pub dialect: Dialect,
    /// Whether that is certain.
    pub certain: bool,
    /// Who logs in, for messages.
    pub user: Option<String>,
    /// Whether nobody on the way can read along.
    pub private: bool,
    authorization: String,
    token: String,
}

impl Settings {
    pub fn read(config: &JiraConfig) -> Result<Settings> {
        let given = variable(&["JIRA_BASE_URL", "JIRA_URL"]);
        let domain = config.domain.as_deref().map(str::trim).filter(|domain| !domain.is_empty());
        let (name, address) = given.or(domain.map(|it| ("jira.domain", it.to_owned()))).ok_or_else(|| {
            Error::new(
                Code::SourceLogin,
                format!("{SOURCE} needs to know where Jira is"),
                "set JIRA_BASE_URL, as in https://example.atlassian.net, or jira.domain in .wf/config.json",
            )
        })?;
        let address = Address::parse(name, &address)?;
        let (_, token) = variable(&["JIRA_API_TOKEN"]).ok_or_else(|| {
            Error::new(
                Code::SourceLogin,
                format!("{SOURCE} needs a token for {}", address.host),
                "set JIRA_API_TOKEN; for Jira Cloud it is made at https://id.atlassian.com/manage-profile/security/api-tokens",
            )
        })?;
        let user = variable(&["JIRA_EMAIL", "JIRA_USERNAME"]).map(|(_, user)| user);
        let bearer = match variable(&["JIRA_AUTH_TYPE"]) {
            Some((_, kind)) if kind.eq_ignore_ascii_case("bearer") => true,
            Some((_, kind)) if kind.eq_ignore_ascii_case("basic") => false,
            Some((_, kind)) => {
                return Err(Error::new(
                    Code::SourceLogin,
                    format!("JIRA_AUTH_TYPE is {}, expected bearer or basic", quoted(&kind)),
                    "use bearer for a personal access token of a Data Center, or leave it out",
                ));
            }
            None => user.is_none() && !address.is_cloud,
        };
        let authorization = match (&user, bearer) {
            (_, true) => format!("Bearer {token}"),
            (Some(user), false) => format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{token}"))),
            (None, false) => {
                return Err(Error::new(
                    Code::SourceLogin,
                    format!("{SOURCE} needs to know who logs in at {}", address.host),
                    "set JIRA_EMAIL to the account that the token belongs to; for a Data Center's personal access token set JIRA_AUTH_TYPE=bearer",
                ));
            }
        };
        if token.contains(|c: char| !c.is_ascii_graphic()) {
            return Err(Error::new(
                Code::SourceLogin,
                "JIRA_API_TOKEN holds a space or another character that no token has",
                "copy the token again",
            ));
        }
        let mailed = user.as_deref().is_some_and(|user| user.contains('@'));
        let dialect = if address.is_cloud || !bearer && mailed { Dialect::Cloud } else { Dialect::Server };
        Ok(Settings {
            base: address.base,
            host: address.host,
            dialect,
            certain: address.is_cloud,
            user: user.filter(|_| !bearer),
            private: address.private,
            authorization,
            token,
        })
    }

    /// The value of the header that logs in.
    pub fn authorization(&self) -> &str {
        &self.authorization
    }

    /// `text`, in which a server may have sent back what it was sent, without the token.
    pub fn without_token(&self, text: &str) -> String {
        let encoded = self.authorization.split_once(' ').map_or("", |(_, encoded)| encoded);
        text.replace(encoded, "…").replace(&self.token, "…")
    }
}

struct Address {
    base: String,
    host: String,
    is_cloud: bool,
    private: bool,
}

impl Address {
    fn parse(name: &str, text: &str) -> Result<Address> {
        // A password in it must not get into a message.
        let shown = if text.contains('@') { "an address with '@' in it".to_owned() } else { quoted(text) };
        let refuse = |why: &str| {
            Error::new(
                Code::SourceLogin,
                format!("{name} is {shown}: {why}"),
                "write it as in https://example.atlassian.net, or https://example.com/jira",
            )
        };
        let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
        let uri: Uri = whole.parse().map_err(|_| refuse("this is no address"))?;
        let scheme = uri.scheme_str().unwrap_or_default().to_owned();
        let Some(authority) = uri.authority().filter(|_| matches!(scheme.as_str(), "http" | "https")) else {
            return Err(refuse("this is no http or https address"));
        };
        if authority.as_str().contains('@') {
            return Err(refuse("a login belongs into JIRA_EMAIL and JIRA_API_TOKEN"));
        }
        if uri.query().is_some() || whole.contains('#') {
            return Err(refuse("this is the address of a page, expected that of Jira itself"));
        }
        let host = authority.host().to_ascii_lowercase();
        if host.is_empty() {
            return Err(refuse("it names no host"));
        }
        let site = [".atlassian.net", ".jira.com", ".atlassian-us-gov-mod.net"];
        let is_site = site.iter().any(|end| host.ends_with(end));
        // What follows a site's name leads to one of its pages.
        let path = if is_site { "" } else { uri.path().trim_end_matches('/') };
        Ok(Address {
            base: format!("{scheme}://{authority}{path}"),
            host: authority.as_str().to_owned(),
            is_cloud: is_site || host == "api.atlassian.com",
            private: scheme == "https" || is_loopback(&host),
        })
    }
}

/// Whether it is this very machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::environment;

    fn settings(variables: &[(&str, &str)], domain: Option<&str>) -> Result<Settings> {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        let config = JiraConfig { domain: domain.map(str::to_owned) };
        environment::within(variables.collect(), || Settings::read(&config))
    }

    #[test]
    fn addresses_and_logins_are_read_from_every_name_they_go_by() {
        const CLOUD: [(&str, &str); 2] = [("JIRA_EMAIL", "me@x.org"), ("JIRA_API_TOKEN", "secret\n")];
        let mut with_url = CLOUD.to_vec();
        with_url.push(("JIRA_URL", "https://x.atlassian.net/jira/software/projects/ABC"));
        for it in [settings(&with_url, None), settings(&CLOUD, Some("x.atlassian.net"))] {
            let it = it.unwrap();
            assert_eq!((it.base.as_str(), it.dialect), ("https://x.atlassian.net", Dialect::Cloud));
            assert_eq!(it.authorization(), "Basic bWVAeC5vcmc6c2VjcmV0");
            assert!(it.private && it.certain);
        }
        let server = [("JIRA_BASE_URL", "http://jira.example:8080/jira/"), ("JIRA_API_TOKEN", "secret")];
        let it = settings(&server, Some("ignored.example")).unwrap();
        assert_eq!((it.base.as_str(), it.dialect), ("http://jira.example:8080/jira", Dialect::Server));
        assert_eq!(it.authorization(), "Bearer secret");
        assert!(!it.private && !it.certain);
        let mut named = server.to_vec();
        named.extend([("JIRA_USERNAME", "me"), ("JIRA_AUTH_TYPE", " ")]);
        assert_eq!(settings(&named, None).unwrap().authorization(), "Basic bWU6c2VjcmV0");
        named.push(("JIRA_AUTH_TYPE", "Bearer"));
        assert_eq!(settings(&named, None).unwrap().authorization(), "Bearer secret");
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_without_a_secret() {
        let token = ("JIRA_API_TOKEN", "hunter2");
        for (variables, expected) in [
            (&[][..], "where Jira is"),
            (&[("JIRA_URL", "x.atlassian.net")], "a token for x.atlassian.net"),
            (&[("JIRA_URL", "x.atlassian.net"), token], "who logs in"),
            (&[("JIRA_URL", "ftp://x"), token], "no http or https"),
            (&[("JIRA_URL", "https://me:hunter2@x.org"), token], "a login belongs into"),
            (&[("JIRA_URL", "https://x.org/?a=b"), token], "the address of a page"),
            (&[("JIRA_URL", "https://"), token], "JIRA_URL is 'https://'"),
            (&[("JIRA_URL", "x y"), token], "no address"),
            (&[("JIRA_URL", "x.org"), token, ("JIRA_AUTH_TYPE", "oauth")], "JIRA_AUTH_TYPE is 'oauth'"),
            (&[("JIRA_URL", "x.org"), ("JIRA_API_TOKEN", "hunter2 \r\nX: y")], "no token has"),
        ] {
            let error = settings(variables, None).err().unwrap();
            assert_eq!(error.code(), Code::SourceLogin);
            assert!(error.what().contains(expected), "{error}");
            assert!(!error.what().contains("hunter2"), "{error}");
        }
    }
}
