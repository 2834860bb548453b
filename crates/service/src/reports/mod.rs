//! What is looked at: the front page, dashboards, office lists, and why a line stands as it does.

pub mod dashboard;
pub mod office;
pub mod overview;
pub mod why;
