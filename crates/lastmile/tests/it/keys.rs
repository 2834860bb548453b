//! The unique keys of the schema have names that both engines know them by.

use std::collections::BTreeSet;

use store::{
    db::{Class, Engine, Error, Key, Row, Tx},
    params,
};

use crate::{app::TestApp, both};

both!(every_unique_index_is_a_key, who_comes_second_is_told_the_key);

/// The index and what a violation of it names.
async fn indexes(app: &TestApp) -> BTreeSet<(String, String)> {
    const SQLITE: &str = "select il.name, group_concat(m.name || '.' || ii.name, ', ') from sqlite_master m \
         join pragma_index_list(m.name) il join pragma_index_info(il.name) ii \
         where m.type = 'table' and il.\"unique\" = 1 and il.origin <> 'pk' group by il.name";
    const POSTGRES: &str = "select cast(i.relname as text), string_agg(t.relname || '.' || a.attname, ', ' order by k.ord) \
         from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid \
         join pg_namespace n on n.oid = t.relnamespace and n.nspname = current_schema() \
         cross join lateral unnest(x.indkey::int2[]) with ordinality as k(att, ord) \
         join pg_attribute a on a.attrelid = t.oid and a.attnum = k.att \
         where x.indisunique and not x.indisprimary group by i.relname";
    let text = match app.app.db.engine() {
        Engine::Sqlite => SQLITE,
        Engine::Postgres => POSTGRES,
    };
    let rows: Result<Vec<Row>, Error> = app.app.db.read(async move |tx: &Tx| tx.rows(text.to_owned(), &[]).await).await;
    let rows = rows.expect("the schema");
    rows.iter().map(|row| (row.get(0).expect("a name"), row.get(1).expect("its columns"))).collect()
}

async fn every_unique_index_is_a_key(app: TestApp) {
    let known: BTreeSet<(String, String)> =
        Key::ALL.iter().map(|key| (key.index().to_string(), key.columns().to_string())).collect();
    assert_eq!(indexes(&app).await, known, "store::db::keys has a row for every unique index, and no other");
}

async fn who_comes_second_is_told_the_key(app: TestApp) {
    let isp = app.actor.isp;
    for name in ["ali", "bob"] {
        app.customer(name, app.gold).await;
    }
    let twice: Result<u64, Error> = app
        .app
        .db
        .tx(Class::Interactive, async move |tx: &Tx| {
            tx.run("update customer set username_key = 'one name' where isp_id = $1".to_owned(), &params![isp]).await
        })
        .await;
    assert_eq!(twice, Err(Error::Taken(Key::CustomerUsername)));
}
