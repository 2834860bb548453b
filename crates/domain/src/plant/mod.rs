//! Equipment and what is watched: what names it may have, and since when it is as it is.

pub mod reach;
