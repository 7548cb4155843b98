//! Pictures and labels in; u8 sets, seeded order and drawn data sets out. Knows no tensor library.

pub mod random;
