//! Brings a database to this program's version: the migrations, then what they leave for the program to complete.

use crate::{
    db::{Db, Error},
    kernel::{
        migrate::{MIGRATIONS, migrate},
        strict,
    },
    people::roster,
};

impl Db {
    /// Brings the schema to this program's version. Several nodes may do so at once.
    ///
    /// # Errors
    /// `Other` when a migration has been edited after it ran, when the database is from a newer
    /// version, or when a statement fails.
    pub async fn migrate(&self) -> Result<(), Error> {
        migrate(self, MIGRATIONS).await?;
        strict::complete(self).await?;
        roster::complete(self).await
    }
}
