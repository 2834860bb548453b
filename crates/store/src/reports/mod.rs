//! Figures and lists for those who look.

pub mod books;
pub mod dashboard;
pub mod overview;
pub mod why;
