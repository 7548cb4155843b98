//! `fetch` against servers that behave and servers that do not, all on this machine.

mod archives;
mod downloads;
mod faults;
mod server;
mod support;
