//! The sealing key, changed while servers run: a new key is added to the file and opens (`add`), then it seals and everything is
//! sealed anew with it (`use`), then the old one goes (`drop`); `change` does all of it where one server runs. Each step may end
//! anywhere and be said again. Servers read the file anew within [`LOOK`].

use std::{
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use anyhow::{Context, bail};
use service::{
    App, Clock, Location, Vault,
    kernel::{
        reseal::{self, Resealed},
        vault::{Key, parse_keys, random_bytes, write_private},
    },
};

use crate::{cli::KeyCommand, control, lock, private, react, server, settings::Settings};

/// How often a server looks whether its key file is another.
pub const LOOK: Duration = Duration::from_secs(5);

pub fn run(command: &KeyCommand) -> anyhow::Result<()> {
    let (options, step) = match command {
        KeyCommand::Add(options) => (options, Step::Add),
        KeyCommand::Use(options) => (options, Step::Use),
        KeyCommand::Drop(options) => (options, Step::Drop),
        KeyCommand::Change(options) => (options, Step::Change),
    };
    let settings = Settings::load(&options.config)?;
    if settings.secrets.key.is_some() {
        bail!("the key stands in the settings (secrets.key): write `1:…` and `next 2:…` there by hand, one a line");
    }
    react(step.take(&settings))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Add,
    Use,
    Drop,
    Change,
}

impl Step {
    async fn take(self, settings: &Settings) -> anyhow::Result<()> {
        let file = File::of(settings)?;
        match self {
            Step::Add => {
                let id = file.write(added(&file.read()?)?)?;
                println!(
                    "Key {id} is in {} and opens. With several servers give the file to each of them, then: key use",
                    file.0.display()
                );
            }
            Step::Use => {
                let id = file.write(used(&file.read()?)?)?;
                let done = anew(settings, &file).await?;
                println!(
                    "Key {id} seals; {} values were sealed anew with it. When every server has the file: key drop",
                    done.values
                );
            }
            Step::Drop => drop_old(settings, &file).await?,
            Step::Change => {
                let keys = file.read()?;
                // What an earlier command began is gone on with.
                if keys.len() == 1 {
                    file.write(added(&keys)?)?;
                    known(settings).await?;
                }
                if file.read()?.iter().any(|key| key.is_next) {
                    file.write(used(&file.read()?)?)?;
                }
                drop_old(settings, &file).await?;
            }
        }
        Ok(())
    }
}

/// Seals what the old keys have sealed, and then forgets them.
async fn drop_old(settings: &Settings, file: &File) -> anyhow::Result<()> {
    let keys = file.read()?;
    if keys.iter().any(|key| key.is_next) {
        bail!("a key waits to be used: `lastmile key use` first");
    }
    let done = anew(settings, file).await?;
    if done.closed > 0 {
        bail!("{} values do not open with the keys of {}: the old key stays", done.closed, file.0.display());
    }
    // Other servers sealed with the old key until they read the file.
    known(settings).await?;
    let late = anew(settings, file).await?;
    if late.closed > 0 {
        bail!("{} values do not open with the keys of {}: the old key stays", late.closed, file.0.display());
    }
    let id = file.write(newest(&keys)?)?;
    println!(
        "Key {id} is the only one; {} values were sealed anew. Backups of before open with the old key alone: keep it with them.",
        done.values + late.values
    );
    Ok(())
}

/// Until every server has read the file.
async fn known(settings: &Settings) -> anyhow::Result<()> {
    // The server of a SQLite file is told; those of PostgreSQL look.
    if matches!(settings.location()?, Location::Postgres(_)) {
        println!("Waiting {} s for servers to read the key file.", 2 * LOOK.as_secs());
        tokio::time::sleep(2 * LOOK).await;
    }
    Ok(())
}

/// Seals everything anew, in the server that holds the database, or here.
async fn anew(settings: &Settings, file: &File) -> anyhow::Result<Resealed> {
    let location = settings.location()?;
    if let Some(directory) = server::directory(&location)
        && lock::attempt(directory)?.is_none()
    {
        return control::reseal(directory).await;
    }
    let _lock = server::lock(&location)?;
    let vault = Vault::of(&file.read()?).context("the key file holds no key that seals")?;
    let app = server::core(server::open(&location).await?, Clock::System, vault);
    let done = reseal::reseal(&app).await;
    app.db.close().await;
    done.map_err(crate::router::said)
}

// ---- the file ----

struct File(PathBuf);

impl File {
    fn of(settings: &Settings) -> anyhow::Result<File> {
        let path = PathBuf::from(&settings.secrets.key_file);
        private::refuse_readable(&path, "the key")?;
        Ok(File(path))
    }

    fn read(&self) -> anyhow::Result<Vec<Key>> {
        read(&self.0)
    }

    /// Takes the place of what was there in one step, so that no moment has half a file; the key that seals.
    fn write(&self, keys: Vec<Key>) -> anyhow::Result<u8> {
        let beside = self.0.with_extension("new");
        match std::fs::remove_file(&beside) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error).context("an old file"),
            Ok(()) | Err(_) => {}
        }
        let text: String = keys.iter().map(Key::line).collect();
        write_private(&beside, text.as_bytes()).with_context(|| format!("cannot write {}", beside.display()))?;
        std::fs::rename(&beside, &self.0).with_context(|| format!("cannot replace {}", self.0.display()))?;
        let directory = self.0.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::File::open(directory)?.sync_all()?;
        std::io::stdout().flush()?;
        Ok(keys.iter().map(|key| key.id).max().unwrap_or_default())
    }
}

fn read(path: &Path) -> anyhow::Result<Vec<Key>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let keys = parse_keys(&text).filter(|keys| keys.iter().any(|key| !key.is_next));
    keys.with_context(|| format!("{}: lines of `id:64 hex digits` are expected", path.display()))
}

/// With a new key that opens and does not seal.
fn added(keys: &[Key]) -> anyhow::Result<Vec<Key>> {
    if keys.iter().any(|key| key.is_next) {
        bail!("a key waits already: `lastmile key use`");
    }
    let last = keys.iter().map(|key| key.id).max().unwrap_or_default();
    let Some(id) = last.checked_add(1) else { bail!("keys are counted to 255") };
    let mut keys = keys.to_vec();
    keys.push(Key { id, key: random_bytes(), is_next: true });
    Ok(keys)
}

/// The waiting key seals.
fn used(keys: &[Key]) -> anyhow::Result<Vec<Key>> {
    if keys.len() == 1 {
        bail!("there is one key, and it seals: `lastmile key add` first");
    }
    Ok(keys.iter().map(|key| Key { is_next: false, ..key.clone() }).collect())
}

/// The key that seals alone.
fn newest(keys: &[Key]) -> anyhow::Result<Vec<Key>> {
    let newest = keys.iter().filter(|key| !key.is_next).max_by_key(|key| key.id).context("there is no key")?;
    Ok(vec![newest.clone()])
}

// ---- a server's part ----

/// Reads the file anew whenever it is another, until it is told to stop.
pub async fn follow(app: App, path: PathBuf) {
    let stamp = |path: &Path| std::fs::metadata(path).and_then(|found| Ok((found.modified()?, found.len()))).ok();
    let mut seen: Option<(SystemTime, u64)> = stamp(&path);
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        let now = stamp(&path);
        if now.is_some() && now != seen {
            match reload(&app, &path) {
                Ok(()) => seen = now,
                Err(error) => tracing::error!("{error:#}: the keys stay as they were"),
            }
        }
    }
}

/// The file's keys from now on.
pub fn reload(app: &App, path: &Path) -> anyhow::Result<()> {
    let keys = read(path)?;
    if app.vault.change_keys(&keys) {
        tracing::info!(keys = keys.len(), "the key file was read anew");
    }
    Ok(())
}

/// What the control socket asks for.
pub async fn reseal_here(app: &App, path: &Path) -> anyhow::Result<Resealed> {
    reload(app, path)?;
    reseal::reseal(app).await.map_err(crate::router::said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(keys: anyhow::Result<Vec<Key>>) -> String {
        match keys {
            Ok(keys) => {
                keys.iter().map(|key| format!("{}{} ", if key.is_next { "next " } else { "" }, key.id)).collect()
            }
            Err(error) => format!("{error}"),
        }
    }

    fn keys(said: &[(u8, bool)]) -> Vec<Key> {
        said.iter().map(|(id, is_next)| Key { id: *id, key: [*id; 32], is_next: *is_next }).collect()
    }

    #[test]
    fn a_key_comes_is_used_and_goes() {
        let one = keys(&[(1, false)]);
        let added = added(&one).unwrap();
        assert_eq!(told(Ok(added.clone())), "1 next 2 ");
        assert!(told(super::added(&added)).contains("key use"));
        assert_eq!(told(newest(&added)), "1 ");
        let used = used(&added).unwrap();
        assert_eq!(told(Ok(used.clone())), "1 2 ");
        assert_eq!(told(newest(&used)), "2 ");
        assert!(told(super::used(&one)).contains("key add"));
        assert!(told(super::added(&keys(&[(255, false)]))).contains("255"));
        let text: String = added.iter().map(Key::line).collect();
        assert!(parse_keys(&text).unwrap() == added);
        for wrong in ["2", "0:00", "next", "next 2", "x:00", "1:zz"] {
            assert!(parse_keys(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_file_is_replaced_whole_and_stays_private() {
        let directory = crate::demo::tests::scratch("keys");
        let file = File(directory.join("lastmile.key"));
        write_private(&file.0, keys(&[(1, false)])[0].line().as_bytes()).unwrap();
        assert_eq!(file.write(added(&file.read().unwrap()).unwrap()).unwrap(), 2);
        assert_eq!(file.read().unwrap().len(), 2);
        private::refuse_readable(&file.0, "the key").unwrap();
        std::fs::remove_dir_all(directory).unwrap();
    }
}
