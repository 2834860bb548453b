//! Every statement is right on both engines, and none uses what a distributed PostgreSQL lacks.

use store::{
    db::{Db, Location},
    testing,
};

#[tokio::test]
async fn every_statement_prepares_on_sqlite() {
    let db = Db::open(&Location::Memory).await.expect("a database");
    db.migrate().await.expect("migrations");
    let count = testing::prepare_all(&db).await.expect("every statement prepares");
    assert!(count > 50, "only {count} statements are registered");
}

#[tokio::test]
async fn every_statement_prepares_on_postgres() {
    let Some(server) = testing::postgres() else { return };
    let db = Db::open(&Location::Postgres(server.database("prepare"))).await.expect("a database");
    db.migrate().await.expect("migrations");
    testing::prepare_all(&db).await.expect("every statement prepares");
}

#[test]
fn no_statement_uses_what_distributed_engines_lack() {
    assert_eq!(testing::foreign_statements(), Vec::<String>::new());
}
