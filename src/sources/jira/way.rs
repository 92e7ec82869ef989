//! The way to a Jira: over a proxy, and with whose certificates, by the variables that other programs go by as well.

use ureq::http::Uri;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::SOURCE;
use super::settings::{Settings, is_loopback};
use crate::error::{Code, Error, Result};
use crate::sources::tracker::{Place, variable};

/// The proxy: `HTTPS_PROXY` or `HTTP_PROXY` by the kind of address, else `ALL_PROXY`, but not for what `NO_PROXY` names.
pub(super) fn proxy(settings: &Settings) -> Result<Option<ureq::Proxy>> {
    let uri: Option<Uri> = settings.base.parse().ok();
    if uri.as_ref().and_then(Uri::host).is_none_or(is_loopback) {
        return Ok(None);
    }
    let secure = settings.base.starts_with("https");
    let names = if secure { ["HTTPS_PROXY", "https_proxy"] } else { ["http_proxy", "HTTP_PROXY"] };
    let given = variable(&names).or_else(|| variable(&["ALL_PROXY", "all_proxy"]));
    let Some((name, address)) = given else { return Ok(None) };
    let build = || {
        let given = ureq::Proxy::new(&address)?;
        let mut proxy = ureq::Proxy::builder(given.protocol()).host(given.host()).port(given.port());
        if let Some(user) = given.username() {
            proxy = proxy.username(user);
        }
        if let Some(password) = given.password() {
            proxy = proxy.password(password);
        }
        let without = variable(&["NO_PROXY", "no_proxy"]).map(|(_, list)| list).unwrap_or_default();
        for host in without.split(',').map(str::trim).filter(|host| !host.is_empty()) {
            proxy = proxy.no_proxy(host);
            // Everybody else takes a bare domain for the hosts below it as well.
            proxy = if host.starts_with(['.', '*']) { proxy } else { proxy.no_proxy(&format!(".{host}")) };
        }
        proxy.build()
    };
    build().map(Some).map_err(|_| {
        // The address may hold a password.
        Error::new(
            Code::SourceUnreachable,
            format!("{SOURCE}: {name} is no address of a proxy"),
            "write it as in http://proxy.example:3128",
        )
    })
}

/// Who vouches for servers: `SSL_CERT_FILE`, else whom browsers trust.
pub(super) fn tls(place: &Place<'_>) -> Result<TlsConfig> {
    let Some((name, path)) = variable(&["SSL_CERT_FILE"]) else { return Ok(TlsConfig::default()) };
    let path = place.root.join(path);
    let text = std::fs::read(&path).map_err(|error| {
        Error::file("read", &path, &error).with_hint(format!("correct {name}, or leave it out"))
    })?;
    let certificates: Vec<_> = parse_pem(&text)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    Ok(TlsConfig::builder().root_certs(RootCerts::from(certificates)).build())
}
