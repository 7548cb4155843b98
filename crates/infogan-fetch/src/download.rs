//! A file from an address onto the disk: continued, bounded, verified, then named.

use std::io::{Read, Write};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body};
use url::Url;

use crate::client::{self, Failed, content_range, text};
use crate::error::{FetchError, io as io_error};
use crate::hash::{self, CHUNK, Verdict};
use crate::options::{Event, Options};
use crate::part::{Far, Part};
use crate::source::RemoteFile;

/// So many bytes gained make the count of tries begin anew, so that a line that breaks often but carries something
/// is enough for a large file, and a server that only teases is not followed for ever.
const GAIN: u64 = 1 << 20;

/// A file on its way.
pub(crate) struct Download<'a> {
    pub agent: &'a Agent,
    pub file: &'a RemoteFile,
    pub address: Url,
    pub target: &'a Path,
    pub options: &'a Options<'a>,
}

impl Download<'_> {
    /// Brings every byte here and verifies them; the caller gives them their name.
    pub fn run(&self, watch: &mut dyn FnMut(Event)) -> Result<Part, FetchError> {
        let part = Part::of(self.target);
        // Bytes from before this call may have suffered with the machine that stopped; they get one second chance.
        let mut inherited = matches!(part.far(self.address.as_str()), Far::Some(..) | Far::All);
        loop {
            self.complete(&part, watch)?;
            match hash::check(&part.path, &self.file.check, self.options, watch)? {
                Verdict::Right => return Ok(part),
                Verdict::Wrong(_) if inherited => {
                    inherited = false;
                    part.discard()?;
                    let reason = "what an earlier attempt left does not fit";
                    watch(Event::BegunAnew { file: self.target, reason });
                }
                Verdict::Wrong(found) => {
                    part.discard()?;
                    return Err(FetchError::WrongDownload {
                        address: self.address.to_string(),
                        file: self.target.into(),
                        expected: self.file.check.to_string(),
                        found,
                    });
                }
            }
        }
    }

    /// Tries until every byte is there.
    fn complete(&self, part: &Part, watch: &mut dyn FnMut(Event)) -> Result<(), FetchError> {
        let mut furthest = part.len();
        let mut tries = 0;
        loop {
            let reason = match self.attempt(part, watch) {
                Ok(()) => return Ok(()),
                Err(Failed::Final(error)) => return Err(self.unless_interrupted(error)),
                Err(Failed::Passing(reason)) => reason,
            };
            if part.len() >= furthest.saturating_add(GAIN) {
                furthest = part.len();
                tries = 0;
            }
            if tries >= self.options.retries || self.options.interrupted() {
                let kept = part.len();
                return Err(self.unless_interrupted(FetchError::Network {
                    address: self.address.to_string(),
                    file: self.target.into(),
                    reason: format!("{reason}, after {} tries", tries + 1),
                    remedy: format!(
                        "run the same command again to go on after the {kept} bytes that are kept, or choose \
                         another place with --mirror URL"
                    ),
                }));
            }
            let pause = self.options.pause.saturating_mul(1 << tries.min(10));
            tries += 1;
            watch(Event::Retrying { file: self.target, reason: &reason, attempt: tries, pause });
            self.wait(pause)?;
        }
    }

    /// One request, and its body to the disk.
    fn attempt(&self, part: &Part, watch: &mut dyn FnMut(Event)) -> Result<(), Failed> {
        let address = self.address.as_str();
        // At most twice: the second time there is nothing to go on from.
        loop {
            let (resume, known) = match part.far(address) {
                Far::All => return Ok(()),
                Far::Some(resume, total) => (Some(resume), total),
                Far::Nothing => (None, None),
            };
            let have = resume.as_ref().map_or(0, |resume| resume.from);
            if self.options.interrupted() {
                return Err(self.interrupted().into());
            }
            watch(Event::Started { file: self.target, address, have });
            let response = client::get(self.agent, &self.address, self.target, resume.as_ref())?;
            if response.status() == StatusCode::OK {
                if resume.is_some() {
                    let reason = "the server does not go on, or the file changed";
                    watch(Event::BegunAnew { file: self.target, reason });
                }
                let total = length(&response);
                self.acceptable(total)?;
                let out = part.begin(address, response.headers(), total)?;
                return self.copy(response, out, 0, total, part, watch);
            }
            let Some(resume) = resume else {
                let reason = format!("the server answers {} to a request for the whole", response.status());
                return Err(self.answer(reason).into());
            };
            let range = text(response.headers(), &header::CONTENT_RANGE).and_then(content_range);
            let continued = response.status() == StatusCode::PARTIAL_CONTENT;
            if let Some((first, total)) = range
                && continued
                && first == resume.from
                && known.is_none_or(|known| known == total)
                && self.acceptable(Some(total)).is_ok()
            {
                return self.copy(response, part.resume()?, have, Some(total), part, watch);
            }
            let reason = "the server cannot go on from there";
            watch(Event::BegunAnew { file: self.target, reason });
            part.discard()?;
        }
    }

    /// The body to the end of the part.
    fn copy(
        &self,
        response: Response<Body>,
        mut out: std::fs::File,
        mut done: u64,
        total: Option<u64>,
        part: &Part,
        watch: &mut dyn FnMut(Event),
    ) -> Result<(), Failed> {
        let limit = total.unwrap_or_else(|| self.file.most_bytes());
        let mut body = response.into_body().into_reader();
        let mut buffer = vec![0; CHUNK];
        loop {
            if self.options.interrupted() {
                return Err(self.interrupted().into());
            }
            let read = match body.read(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(client::failed(error.into(), &self.address, self.target)),
            };
            if read == 0 {
                break;
            }
            done += read as u64;
            if done > limit {
                part.discard()?;
                return Err(self.answer(format!("the server sends more than {limit} bytes")).into());
            }
            out.write_all(&buffer[..read]).map_err(io_error(&part.path, "write"))?;
            watch(Event::Progress { file: self.target, done, total });
        }
        match total.or(self.file.exact_bytes()) {
            Some(whole) if done < whole => {
                Err(Failed::Passing(format!("the connection ended after {done} of {whole} bytes")))
            }
            _ => Ok(()),
        }
    }

    /// Whether the file could be as long as the server says; told before the first byte, it spares the rest.
    fn acceptable(&self, total: Option<u64>) -> Result<(), FetchError> {
        let most = self.file.most_bytes();
        match (total, self.file.exact_bytes()) {
            (Some(total), Some(exact)) if total != exact => {
                Err(self.answer(format!("the server offers {total} bytes, but the file has {exact}")))
            }
            (Some(total), None) if total > most => {
                Err(self.answer(format!("the server offers {total} bytes, but the file has at most {most}")))
            }
            _ => Ok(()),
        }
    }

    /// Sleeps, but not through an interrupt.
    fn wait(&self, pause: Duration) -> Result<(), FetchError> {
        let begun = Instant::now();
        while let Some(left) = pause.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
            if self.options.interrupted() {
                return Err(self.interrupted());
            }
            thread::sleep(left.min(Duration::from_millis(20)));
        }
        Ok(())
    }

    fn answer(&self, reason: String) -> FetchError {
        FetchError::Answer {
            address: self.address.to_string(),
            file: self.target.into(),
            reason,
            remedy: "this is not the file, or not all of it: choose another place with --mirror URL".into(),
        }
    }

    fn interrupted(&self) -> FetchError {
        FetchError::Interrupted { file: self.target.into() }
    }

    /// A connection that was cut because of the interrupt is no error of the network.
    fn unless_interrupted(&self, error: FetchError) -> FetchError {
        match error {
            FetchError::Network { .. } if self.options.interrupted() => self.interrupted(),
            other => other,
        }
    }
}

/// The length of the whole in bytes, as the server says.
fn length(response: &Response<Body>) -> Option<u64> {
    text(response.headers(), &header::CONTENT_LENGTH)?.trim().parse().ok()
}
