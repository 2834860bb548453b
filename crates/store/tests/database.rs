//! One story on both engines: what `db.rs` promises.

use store::db::{Class, Db, Error, Location, Tx};
use store::{params, sql};

#[tokio::test]
async fn a_transaction_is_seen_by_the_next_read() {
    let db = Db::open(&Location::Memory).await.unwrap();
    db.migrate().await.unwrap();
    db.tx(Class::Interactive, async |tx: &Tx| {
        tx.run("create table t (a bigint primary key, b text)".to_owned(), &[]).await?;
        tx.run("insert into t values ($1, $2)".to_owned(), &params![1, "x"]).await
    })
    .await
    .unwrap();
    let one: i64 =
        db.read(async |tx: &Tx| tx.row(sql!("select 1 + $1"), &params![1]).await?.unwrap().get(0)).await.unwrap();
    assert_eq!(one, 2);
    let rows: Result<_, Error> = db.read(async |tx: &Tx| tx.rows("select a, b from t".to_owned(), &[]).await).await;
    assert_eq!(rows.unwrap()[0].get::<i64>(0), Ok(1));
    db.close().await;
}
