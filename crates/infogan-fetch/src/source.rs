//! What a data set consists of, where it lies and how it is recognised.

use std::fmt;

/// A data set: data for [`fetch`](crate::fetch), no code.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// What the user types, such as `fashion-mnist`.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The usual address, up to and with the last slash; a mirror replaces it.
    pub base: &'static str,
    /// The files, in the order in which they are fetched.
    pub files: &'static [RemoteFile],
}

impl Source {
    /// Bytes to download, from the usual address, when nothing is there yet.
    pub fn bytes(&self, optional: bool) -> u64 {
        self.files.iter().filter(|file| optional || !file.optional).map(|file| file.bytes).sum()
    }
}

/// One file at the address of a [`Source`].
#[derive(Clone, Copy, Debug)]
pub struct RemoteFile {
    /// Its name there and here: one plain path component.
    pub name: &'static str,
    /// Its length in bytes at the usual address. A check of the file itself implies this length; a check of
    /// what is inside leaves a mirror free to compress anew.
    pub bytes: u64,
    /// Whether the set is usable without it, so that it is fetched on request only.
    pub optional: bool,
    /// How the right file is recognised.
    pub check: Check,
    /// What to take out of it when it is a `.tar.gz`; empty for a file that is used as it lies.
    pub members: &'static [Member],
}

impl RemoteFile {
    /// The length when only one length can be right.
    pub(crate) fn exact_bytes(&self) -> Option<u64> {
        match self.check.covers {
            Covers::File => Some(self.bytes),
            Covers::InsideGzip { .. } => None,
        }
    }

    /// More bytes than this are never written.
    pub(crate) fn most_bytes(&self) -> u64 {
        match self.check.covers {
            Covers::File => self.bytes,
            // Stored without compression, gzip adds 5 bytes for each block and a header.
            Covers::InsideGzip { bytes } => bytes.saturating_add(bytes / 1000).saturating_add(64 * 1024),
        }
    }
}

/// A SHA-256 and what it is of.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// 64 lower-case hexadecimal digits.
    pub sha256: &'static str,
    /// What was hashed.
    pub covers: Covers,
    /// Who says so.
    pub origin: Origin,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inside = if self.covers == Covers::File { "" } else { " inside" };
        write!(f, "SHA-256 {}{inside} ({})", self.sha256, self.origin)
    }
}

/// What a hash is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Covers {
    /// The file as it lies.
    File,
    /// What a gzip file holds, so that it does not matter who compressed it.
    InsideGzip {
        /// The length of the content, in bytes.
        bytes: u64,
    },
}

/// Where a hash is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This project hashed the real files.
    Ours,
    /// Somebody else published it and this project could not check it.
    Published(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours => f.write_str("taken by this project from the real files"),
            Self::Published(by) => write!(f, "published by {by}"),
        }
    }
}

/// One file inside an archive.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its path in the archive and below the folder: plain names joined by `/`.
    pub path: &'static str,
    /// How long it may be.
    pub size: Size,
}

/// The length of an archive's member, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Exactly so many.
    Exactly(u64),
    /// So many or fewer; for texts whose length is not known here.
    AtMost(u64),
}

impl Size {
    pub(crate) fn fits(self, bytes: u64) -> bool {
        match self {
            Self::Exactly(size) => bytes == size,
            Self::AtMost(size) => bytes <= size,
        }
    }

    pub(crate) fn most(self) -> u64 {
        match self {
            Self::Exactly(size) | Self::AtMost(size) => size,
        }
    }
}
