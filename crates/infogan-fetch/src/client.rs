//! One request: what comes back, and whether asking again could help.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ureq::http::{HeaderMap, Response, StatusCode, header};
use ureq::{Agent, Body, Proxy};
use url::Url;

use crate::address;
use crate::error::FetchError;
use crate::options::Options;

/// More redirects than any honest server needs.
const MOST_REDIRECTS: u32 = 8;

/// What to do where no other network would help.
const FAULT: &str =
    "the server or a proxy on the way may be at fault: choose another place with --mirror URL";

/// Why a request came to nothing.
pub(crate) enum Failed {
    /// Another try may succeed.
    Passing(String),
    /// Another try would end the same way.
    Final(FetchError),
}

impl From<FetchError> for Failed {
    fn from(error: FetchError) -> Self {
        Self::Final(error)
    }
}

/// What may be continued: from this byte, if the file is still the one that `validator` names.
pub(crate) struct Resume {
    pub from: u64,
    pub validator: String,
}

/// Calls `work` with an agent whose connections are cut when the interrupt flag is set: a thread that waits for a
/// silent server could not look at the flag itself.
pub(crate) fn with_agent<T>(options: &Options, work: impl FnOnce(&Agent) -> T) -> T {
    let agent = Agent::new_with_config(
        Agent::config_builder()
            .proxy(if options.proxy_from_environment { Proxy::try_from_env() } else { None })
            // Followed here: the library would read the body of a redirect, however long.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_resolve(Some(options.connect))
            .timeout_connect(Some(options.connect))
            .timeout_per_read(Some(options.stall))
            .timeout_per_write(Some(options.stall))
            .user_agent(concat!("infogan/", env!("CARGO_PKG_VERSION")))
            // A hash is of the file, not of what a server makes of it on the way.
            .accept_encoding("identity")
            .build(),
    );
    thread::scope(|scope| {
        let (over, watched) = mpsc::channel::<()>();
        if options.interrupt.is_some() {
            let agent = agent.clone();
            scope.spawn(move || {
                while watched.recv_timeout(Duration::from_millis(20)) == Err(mpsc::RecvTimeoutError::Timeout)
                {
                    if options.interrupted() {
                        return agent.shutdown();
                    }
                }
            });
        }
        let result = work(&agent);
        drop(over);
        result
    })
}

/// Asks for `address` and follows redirects. The answer is 200, 206 or 416.
pub(crate) fn get(
    agent: &Agent,
    address: &Url,
    file: &Path,
    resume: Option<&Resume>,
) -> Result<Response<Body>, Failed> {
    let answer = |reason: String, remedy: &str| {
        let address = address.to_string();
        Failed::Final(FetchError::Answer { address, file: file.into(), reason, remedy: remedy.into() })
    };
    let mut here = address.clone();
    for _ in 0..=MOST_REDIRECTS {
        let mut request = agent.get(here.as_str());
        if let Some(resume) = resume {
            request = request
                .header(header::RANGE, format!("bytes={}-", resume.from))
                .header(header::IF_RANGE, &resume.validator);
        }
        let response = request.call().map_err(|error| failed(error, &here, file))?;
        let status = response.status();
        match status {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
                return Ok(response);
            }
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                let location = text(response.headers(), &header::LOCATION).unwrap_or_default();
                here = address::redirected(&here, location)
                    .map_err(|reason| answer(reason, "choose another place with --mirror URL"))?;
            }
            _ if status.is_server_error()
                || status == StatusCode::REQUEST_TIMEOUT
                || status == StatusCode::TOO_MANY_REQUESTS =>
            {
                return Err(Failed::Passing(format!("the server answers {status}")));
            }
            _ => {
                let remedy = "the file may have moved: choose another place with --mirror URL";
                return Err(answer(format!("the server answers {status}"), remedy));
            }
        }
    }
    Err(answer(
        format!("more than {MOST_REDIRECTS} redirects, the last to {here}"),
        "choose another place with --mirror URL",
    ))
}

/// What a failed request or a failed read of its body means.
pub(crate) fn failed(error: ureq::Error, address: &Url, file: &Path) -> Failed {
    use std::io::ErrorKind;
    let remedy = match &error {
        ureq::Error::Timeout(ureq::Timeout::PerRead) => {
            return Failed::Passing("the server sends nothing any more".into());
        }
        ureq::Error::Timeout(_) => return Failed::Passing("the server does not answer in time".into()),
        ureq::Error::Io(io) => match io.kind() {
            ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::ConnectionAborted
            | ErrorKind::BrokenPipe
            | ErrorKind::TimedOut => return Failed::Passing("the connection broke".into()),
            // What rustls says of a certificate that nobody vouches for.
            ErrorKind::InvalidData => FAULT,
            _ => "check the network and HTTPS_PROXY, or choose another place with --mirror URL",
        },
        ureq::Error::HostNotFound => {
            "check the network and HTTPS_PROXY; without a network, put the files into the folder by hand"
        }
        _ => FAULT,
    };
    let remedy = remedy.to_owned();
    let reason = match error {
        ureq::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    };
    Failed::Final(FetchError::Network { address: address.to_string(), file: file.into(), reason, remedy })
}

/// A header as text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `bytes 5-9/10` → 5, 10. Anything that does not go on to the end is no use here.
pub(crate) fn content_range(text: &str) -> Option<(u64, u64)> {
    let (range, total) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, total): (u64, u64, u64) =
        (first.parse().ok()?, last.parse().ok()?, total.parse().ok()?);
    (first <= last && last.checked_add(1)? == total).then_some((first, total))
}

#[cfg(test)]
mod tests {
    use super::content_range;

    #[test]
    fn ranges_are_read() {
        assert_eq!(content_range("bytes 5-9/10"), Some((5, 10)));
        assert_eq!(content_range("bytes 0-0/1"), Some((0, 1)));
        for odd in [
            "",
            "bytes",
            "bytes 5-8/10",
            "bytes 9-5/10",
            "bytes 5-9/*",
            "bytes */10",
            "items 5-9/10",
            "bytes 0-18446744073709551615/18446744073709551615",
            "bytes -1-9/10",
        ] {
            assert_eq!(content_range(odd), None, "{odd}");
        }
    }
}
