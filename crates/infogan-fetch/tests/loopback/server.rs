//! A server for one test: says what the test wants said, remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What was asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// Such as `/d/file`.
    pub path: String,
    /// Where the rest is wanted from.
    pub from: Option<usize>,
    /// If the file is still this one.
    pub if_range: Option<String>,
    /// How many requests came before this one.
    pub nth: usize,
}

/// What a server does when its words are said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Then {
    /// Closes the connection.
    Close,
    /// Says nothing more and keeps the connection.
    Stall,
    /// Goes on with zeros as long as somebody listens.
    Endless,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The code.
    pub status: u16,
    /// Name and value.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent.
    pub body: Vec<u8>,
    /// What the header says is sent.
    pub length: Option<usize>,
    /// What comes after it.
    pub then: Then,
}

impl Reply {
    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self { status, headers: vec![], body: vec![], length: Some(0), then: Then::Close }
    }

    /// The whole of `content`.
    pub fn whole(content: &[u8]) -> Self {
        Self { body: content.to_vec(), length: Some(content.len()), ..Self::status(200) }
    }

    /// What an honest server says: the rest of `content` if it is still the one called `tag`, or the whole.
    pub fn honest(request: &Request, content: &[u8], tag: &str) -> Self {
        let reply = match request.from {
            Some(from) if request.if_range.as_deref() == Some(tag) => Self::rest(content, from),
            _ => Self::whole(content),
        };
        reply.with("ETag", tag)
    }

    /// `content` from this byte on.
    pub fn rest(content: &[u8], from: usize) -> Self {
        let (last, total) = (content.len() - 1, content.len());
        let reply = Self { status: 206, ..Self::whole(&content[from..]) };
        reply.with("Content-Range", format!("bytes {from}-{last}/{total}"))
    }

    /// One more header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Only so much of the body, then this.
    pub fn cut(mut self, bytes: usize, then: Then) -> Self {
        self.body.truncate(bytes);
        Self { then, ..self }
    }

    /// A header that promises another length, or none.
    pub fn promising(self, length: Option<usize>) -> Self {
        Self { length, ..self }
    }
}

/// Serves until it is dropped.
pub struct Server {
    at: SocketAddr,
    asked: Arc<Mutex<Vec<Request>>>,
    over: Arc<AtomicBool>,
}

impl Server {
    pub fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = listener.local_addr().expect("its address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let over = Arc::new(AtomicBool::new(false));
        let (answer, log, stop) = (Arc::new(answer), Arc::clone(&asked), Arc::clone(&over));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                thread::spawn(move || serve(stream, &*answer, &log));
            }
        });
        Self { at, asked, over }
    }

    /// Serves `content` honestly.
    pub fn of(content: &[u8]) -> Self {
        let content = content.to_vec();
        Self::start(move |request| Reply::honest(request, &content, "\"1\""))
    }

    /// An address for `--mirror`.
    pub fn mirror(&self) -> String {
        format!("http://{}/d/", self.at)
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().expect("the log").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // The listener waits for somebody.
        let _ = TcpStream::connect(self.at);
    }
}

fn serve(mut stream: TcpStream, answer: &dyn Fn(&Request) -> Reply, log: &Mutex<Vec<Request>>) {
    let Some(reader) = stream.try_clone().ok().map(BufReader::new) else { return };
    let lines: Vec<String> =
        reader.lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let Some(path) = lines.first().and_then(|line| line.split(' ').nth(1)) else { return };
    let header = |name: &str| {
        let found = lines.iter().filter_map(|line| line.split_once(": "));
        found.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
    };
    let range = header("range");
    let from = range.and_then(|text| text.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
    let request = {
        let mut log = log.lock().expect("the log");
        let request = Request { path: path.into(), from, if_range: header("if-range"), nth: log.len() };
        log.push(request.clone());
        request
    };
    let reply = answer(&request);
    let mut head = format!("HTTP/1.1 {} Said\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if let Some(length) = reply.length {
        head += &format!("Content-Length: {length}\r\n");
    }
    head += "\r\n";
    if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&reply.body)).is_err() {
        return;
    }
    match reply.then {
        Then::Close => {}
        Then::Stall => {
            // Until the other side has enough of it.
            let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
            let _ = stream.read(&mut [0]);
        }
        Then::Endless => while stream.write_all(&[0; 65536]).is_ok() {},
    }
}
