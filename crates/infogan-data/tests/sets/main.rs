//! The usual binary data sets as they are and as they should not be. Every file is written here byte by byte.

mod build;
mod damage;
mod detection;
mod reading;
mod storing;
mod svhn;
