//! The writer thread and its group commit.
//!
//! Several bodies share one `begin immediate`: each but the first runs inside a savepoint, and one
//! commit (one fsync) makes all of them durable; only then is anybody answered. A body's error
//! rolls back its own savepoint. If the shared commit fails, or SQLite rolls the whole transaction
//! back by itself (disk full, interrupt), the others run again, each alone.

use std::{path::PathBuf, rc::Rc, sync::Arc, time::Instant};

use super::{
    WRITER_CACHE_KIB,
    connection::{Handle, open_connection, translate},
    run_body,
    wal::{WAL_LIMIT_PAGES, Wal, checkpoint},
};
use crate::db::{
    Error,
    queue::{Item, Queue},
    turns::{self, Turns},
};

pub(super) struct Writer {
    handle: Rc<Handle>,
    queue: Arc<Queue>,
    wal: Option<Arc<Wal>>,
    turns: Arc<Turns>,
}

/// A body of the group whose transaction is not committed yet.
struct Member {
    item: Item,
    refused: Option<Error>,
}

impl Writer {
    pub(super) fn open(
        path: Option<PathBuf>,
        queue: Arc<Queue>,
        wal: Option<Arc<Wal>>,
        turns: Arc<Turns>,
    ) -> Result<Writer, Error> {
        let mut handle = open_connection(path.as_ref(), WRITER_CACHE_KIB)?;
        if let Some(wal) = &wal {
            let mode: String = handle
                .connection
                .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
                .map_err(translate)?;
            if mode != "wal" {
                return Err(Error::Other(format!("the database file stays in journal mode {mode}")));
            }
            let limit = i64::from(WAL_LIMIT_PAGES) * 4096;
            handle.connection.pragma_update(None, "journal_size_limit", limit).map_err(translate)?;
            // The hook takes the place of SQLite's own checkpoint after every thousand pages.
            let wal = wal.clone();
            handle
                .connection
                .wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages: i32| {
                    wal.has(u32::try_from(pages).unwrap_or(0));
                    Ok(())
                }))
                .map_err(translate)?;
        }
        Ok(Writer { handle: Rc::new(handle), queue, wal, turns })
    }

    pub(super) fn work(self) {
        while let Some(first) = self.queue.first() {
            for item in self.group(first) {
                self.alone(item);
            }
            self.help_checkpoint();
        }
        if self.wal.is_some() {
            checkpoint(&self.handle.connection, "truncate");
        }
    }

    /// Runs what waits in one transaction, commits and answers. What lost its work through no
    /// fault of its own is handed back.
    fn group(&self, first: Item) -> Vec<Item> {
        let _turn = self.turns.begin();
        let began = Instant::now();
        let mut settled: Vec<Member> = Vec::new();
        let mut members: Vec<Member> = Vec::new();
        let mut lost: Vec<Item> = Vec::new();
        let mut next = Some(first);
        while let Some(mut item) = next {
            if !item.job.is_abandoned() {
                let shared = self.in_transaction();
                let refused = self.attempt(&mut item).err();
                let member = Member { item, refused };
                match (shared, self.in_transaction()) {
                    (_, true) => members.push(member),
                    // It was alone and left nothing to commit.
                    (false, false) => settled.push(member),
                    // It took the transaction down: the others' work is gone.
                    (true, false) => {
                        lost.extend(members.drain(..).map(|member| member.item));
                        settled.push(member);
                    }
                }
            }
            next = self.queue.another(began.elapsed());
        }
        match self.commit() {
            Ok(()) => answer(members),
            Err(_) => lost.extend(members.into_iter().map(|member| member.item)),
        }
        answer(settled);
        lost
    }

    /// A group of one: its failure is its own.
    fn alone(&self, mut item: Item) {
        let _turn = self.turns.begin();
        let refused = self.attempt(&mut item).err();
        let refused = match self.commit() {
            Ok(()) => refused,
            Err(error) => Some(error),
        };
        answer(vec![Member { item, refused }]);
    }

    fn in_transaction(&self) -> bool {
        !self.handle.connection.is_autocommit()
    }

    /// Runs one body, its effects kept if it succeeded and gone if not. `Err` is what to answer
    /// in place of the body's own result.
    fn attempt(&self, item: &mut Item) -> Result<(), Error> {
        let nested = self.in_transaction();
        self.control(if nested { "savepoint body" } else { "begin immediate" })?;
        let result = run_body(item, &self.handle, turns::WRITER_LIMIT);
        if !self.in_transaction() {
            return match result {
                Ok(true) => Err(Error::Other("SQLite rolled the transaction back".into())),
                Ok(false) => Ok(()),
                Err(error) => Err(error),
            };
        }
        match result {
            Ok(true) if nested => self.control("release body"),
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => {
                if nested {
                    self.control("rollback to body")?;
                    self.control("release body")?;
                } else {
                    self.control("rollback")?;
                }
                result.map(|_| ())
            }
        }
    }

    fn commit(&self) -> Result<(), Error> {
        if !self.in_transaction() {
            return Ok(());
        }
        let done = self.control("commit");
        if done.is_err() && self.in_transaction() {
            self.control("rollback")?;
        }
        done
    }

    fn control(&self, text: &str) -> Result<(), Error> {
        let mut statement = self.handle.connection.prepare_cached(text).map_err(translate)?;
        statement.raw_execute().map(drop).map_err(translate)
    }

    /// Under a load that never pauses, the background checkpoint never catches up with the last
    /// page, and the WAL could not start over.
    fn help_checkpoint(&self) {
        if let Some(wal) = &self.wal
            && wal.is_over_limit()
        {
            wal.copied(checkpoint(&self.handle.connection, "passive"));
        }
    }
}

fn answer(members: Vec<Member>) {
    for Member { item, refused } in members {
        item.job.finish(refused);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::sqlite::wal::IDLE;
    use crate::db::{Class, Db, Location, Tx, Value};
    use crate::params;
    use std::time::Duration;

    const ENDLESS: &str = "with recursive n (i) as (select 1 union all select i + 1 from n) ";

    struct File(PathBuf);

    impl File {
        fn new(name: &str) -> File {
            let folder = std::env::temp_dir().join(format!("lastmile-sqlite-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            File(folder.join("data.db"))
        }

        async fn open(&self) -> Db {
            let db = Db::open(&Location::File(self.0.clone())).await.unwrap();
            run(&db, "create table if not exists t (id bigint primary key, b blob)", vec![]).await.unwrap();
            db
        }

        fn wal_length(&self) -> u64 {
            std::fs::metadata(self.0.with_extension("db-wal")).map_or(0, |file| file.len())
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
        }
    }

    async fn run(db: &Db, text: &'static str, values: Vec<Value>) -> Result<u64, Error> {
        db.tx(Class::Interactive, async move |tx: &Tx| tx.run(text.to_owned(), &values).await).await
    }

    #[tokio::test]
    async fn an_endless_read_is_stopped() {
        let file = File::new("endless");
        let db = file.open().await;
        let text = format!("{ENDLESS} select count(*) from n");
        let done = db.read(async move |tx: &Tx| tx.rows(text.clone(), &[]).await).await;
        assert_eq!(done, Err(Error::TimedOut));
        db.close().await;
    }

    /// No one of its statements is long enough to be interrupted.
    #[tokio::test]
    async fn a_body_that_never_stops_asking_is_stopped() {
        let db = Db::open(&Location::Memory).await.unwrap();
        let done: Result<(), Error> = db
            .tx(Class::Interactive, async |tx: &Tx| {
                loop {
                    // What it makes of a refusal is its own affair.
                    if tx.rows("select 1".to_owned(), &[]).await.is_err() {
                        return Ok(());
                    }
                }
            })
            .await;
        assert_eq!(done, Err(Error::TimedOut));
        assert!(db.held().longest >= turns::WRITER_LIMIT && !db.held().overdue, "{:?}", db.held());
        db.close().await;
    }

    /// SQLite answers an interrupted write by rolling back everything, the neighbours' work too.
    #[tokio::test]
    async fn an_endless_write_does_not_take_its_neighbours_down() {
        let file = File::new("neighbours");
        let db = file.open().await;
        let endless = async {
            let text = format!("{ENDLESS} insert into t (id, b) select i + 1000, null from n where i < 0");
            db.tx(Class::Interactive, async move |tx: &Tx| tx.run(text.clone(), &[]).await).await
        };
        let insert = |id: i64| run(&db, "insert into t (id, b) values ($1, null)", params![id].to_vec());
        // The first holds the writer up, so that the others form one group.
        let hold = db.tx(Class::Interactive, async |_: &Tx| {
            std::thread::sleep(Duration::from_millis(50));
            Ok::<(), Error>(())
        });
        let (held, before, endless, after) = tokio::join!(hold, insert(1), endless, insert(2));
        assert_eq!((held, before, endless, after), (Ok(()), Ok(1), Err(Error::TimedOut), Ok(1)));
        let rows = db.read(async |tx: &Tx| tx.rows("select id from t order by id".to_owned(), &[]).await).await;
        assert_eq!(rows.unwrap().len(), 2);
        db.close().await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_log_stays_short_under_load_and_goes_when_idle() {
        let file = File::new("wal");
        let db = file.open().await;
        let mut all = tokio::task::JoinSet::new();
        for caller in 0..8_i64 {
            let db = db.clone();
            all.spawn(async move {
                for n in 0..60_i64 {
                    let values = params![(caller << 32) | n, vec![7_u8; 400_000]].to_vec();
                    run(&db, "insert into t (id, b) values ($1, $2)", values).await.unwrap();
                }
            });
        }
        let mut longest = 0;
        while !all.is_empty() {
            longest = longest.max(file.wal_length());
            let _ = tokio::time::timeout(Duration::from_millis(5), all.join_next()).await;
        }
        let limit = u64::from(WAL_LIMIT_PAGES) * 4096;
        assert!(longest < 2 * limit, "{longest} bytes of log while 190 MB were written");
        let deadline = Instant::now() + 5 * IDLE;
        while file.wal_length() > 0 {
            assert!(Instant::now() < deadline, "{} bytes of log left", file.wal_length());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        db.close().await;
    }
}
