//! What of a line a change was about, where live sessions need to know.

pub use crate::kernel::work::Touched;
