//! PostgreSQL: not written yet.
use super::job::Job;
use super::{Class, Error, Row, Sql, Value};

pub(super) struct Postgres;
pub(super) struct Session;

fn none<T>() -> Result<T, Error> {
    Err(Error::Unavailable("PostgreSQL is not supported yet".into()))
}

impl Postgres {
    pub(super) async fn open(_url: &str) -> Result<Postgres, Error> {
        none()
    }
    pub(super) fn write(&self, _class: Class, _job: Box<dyn Job>) {}
    pub(super) fn read(&self, _job: Box<dyn Job>) {}
    pub(super) async fn close(&self) {}
}

impl Session {
    pub(super) async fn rows(&self, _: &Sql, _: &[Value]) -> Result<Vec<Row>, Error> {
        none()
    }
    pub(super) async fn run(&self, _: &Sql, _: &[Value]) -> Result<u64, Error> {
        none()
    }
    pub(super) async fn insert_many(&self, _: &str, _: &str, _: &[Vec<Value>]) -> Result<u64, Error> {
        none()
    }
    pub(super) async fn batch(&self, _: &str) -> Result<(), Error> {
        none()
    }
    pub(super) async fn prepare(&self, _: &Sql) -> Result<(), Error> {
        none()
    }
}
