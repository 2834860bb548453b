//! One integration-test binary. Each chapter is a subject; `app` is the product in one process with a clock moved by
//! hand, `nas` a router over real UDP.

mod access;
mod accounting;
mod acts;
mod app;
mod attempts;
mod backup;
mod bounds;
mod crash;
mod credentials;
mod desk;
mod desk_api;
mod edits;
mod ends;
mod examples;
mod facts;
mod fixed;
mod four;
mod fup;
mod golden_path;
mod guessing;
mod home;
mod hostile;
mod hotspot;
mod ispbills_billing;
mod jaze;
mod jaze_depth;
mod kept;
mod keys;
mod listening;
mod lists;
mod managed;
mod measure;
mod namesakes;
mod nas;
mod nodes;
mod once;
mod orders;
mod pages;
mod peers;
mod plant;
mod platform;
mod races;
mod receivables;
mod resellers;
mod rights;
mod rules;
mod sealed;
mod selling;
mod senders;
mod statements;
mod tidy;
mod town;
mod usage;
mod vouchers;
mod webhooks;
mod whole;
mod why;
mod wildcards;
mod zal;
mod zal_money;
mod zal_office;

/// Runs a story on SQLite, and on PostgreSQL where it is installed.
#[macro_export]
macro_rules! both {
    ($($name:ident),* $(,)?) => {
        mod sqlite { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name($crate::app::TestApp::sqlite().await).await;
            }
        )* }
        mod postgres { $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if let Some(app) = $crate::app::TestApp::postgres(stringify!($name)).await {
                    super::$name(app).await;
                }
            }
        )* }
    };
}
