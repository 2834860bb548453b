//! `backup` and `restore`: one file (a tar) with the database, a manifest, and the key only when asked for.
//!
//! The database is copied while the server runs, checked, and its SHA-256 written into the manifest; the file takes its
//! name only once all of it is on the disk and reads back. `restore` believes nothing it has not checked, and replaces
//! nothing.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use service::{
    Location, backup as copying,
    kernel::vault::{hex, parse_keys},
};
use sha2::{Digest, Sha256};

use crate::{cli, lock, make_private, settings::Settings};

const FORM: u32 = 1;
const MANIFEST: &str = "manifest.json";
const DATABASE: &str = "database.sqlite";
const KEY: &str = "sealing.key";
/// A manifest is a few lines, a key file a few more.
const SMALL: u64 = 1 << 20;

/// What a backup says about itself; the first entry of the file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Manifest {
    pub form: u32,
    /// The program that made it.
    pub lastmile: String,
    pub taken_at: String,
    pub schema: i64,
    pub bytes: u64,
    pub sha256: String,
    /// What the database and its key file are called in their directory.
    pub database: String,
    pub key: String,
    pub has_key: bool,
}

/// What is to be saved.
struct Source {
    database: PathBuf,
    /// `None`: the key is in the settings or the environment.
    key: Option<PathBuf>,
}

pub fn run(options: &cli::Backup) -> anyhow::Result<()> {
    let source = source(options)?;
    let manifest = save(&source, &options.to, options.with_key)?;
    println!("Backup {}: {} bytes of database, schema {}", options.to.display(), manifest.bytes, manifest.schema);
    println!("sha256 {} of the database; integrity checked", manifest.sha256);
    if manifest.has_key {
        println!(
            "\nTHE KEY IS INSIDE. Who has this file reads every network password and router secret: keep it as you \
             would keep them."
        );
    } else {
        let key = source.key.map_or("the key of the settings".into(), |key| key.display().to_string());
        println!(
            "\nTHE KEY IS NOT INSIDE. Without a copy of {key}, kept elsewhere, this backup opens no network password \
             and no router secret."
        );
    }
    Ok(())
}

fn source(options: &cli::Backup) -> anyhow::Result<Source> {
    let settings_file = match (&options.data, &options.config) {
        (_, Some(file)) => Some(file.clone()),
        (Some(data), None) => Some(data.join("lastmile.toml")).filter(|file| file.exists()),
        (None, None) => bail!("--data DIR or --config FILE is expected"),
    };
    if let Some(file) = settings_file {
        let settings = Settings::load(&file)?;
        return match settings.location()? {
            Location::File(database) => {
                let key = settings.secrets.key.is_none().then(|| settings.secrets.key_file.into());
                Ok(Source { database, key })
            }
            // The address may hold a password: it is in the settings for who may read them.
            Location::Postgres(_) => bail!(
                "the data is in PostgreSQL, which has its own tool: \
                 pg_dump --format=custom --file={} 'DATABASE.URL OF {}' (and pg_restore to bring it back). \
                 Keep a copy of the key too",
                options.to.display(),
                file.display(),
            ),
            Location::Memory => bail!("a database in memory cannot be saved"),
        };
    }
    let data = options.data.as_deref().unwrap_or(Path::new("."));
    for name in ["lastmile", "demo"] {
        let database = data.join(name).with_extension("db");
        if database.exists() {
            return Ok(Source { database, key: Some(data.join(name).with_extension("key")) });
        }
    }
    bail!("{} holds no lastmile.toml, lastmile.db or demo.db", data.display())
}

fn save(source: &Source, to: &Path, with_key: bool) -> anyhow::Result<Manifest> {
    if to.exists() {
        bail!("{} exists: nothing is overwritten", to.display());
    }
    let key = match (&source.key, with_key) {
        (_, false) => None,
        (Some(key), true) => Some(fs::read(key).with_context(|| format!("cannot read the key {}", key.display()))?),
        (None, true) => bail!("--with-key: the key is in the settings or the environment, not in a file of its own"),
    };
    let (copy, part) = (Scratch(beside(to, "copy")), Scratch(beside(to, "part")));
    // Before SQLite makes it: readable by its owner alone from the first byte.
    private(&copy.0)?;
    let schema = copying::copy(&source.database, &copy.0)
        .with_context(|| format!("cannot copy {}", source.database.display()))?;
    let mut database = File::open(&copy.0)?;
    let (bytes, sha256) = digest(&mut database)?;
    let manifest = Manifest {
        form: FORM,
        lastmile: env!("CARGO_PKG_VERSION").into(),
        taken_at: jiff::Timestamp::now().to_string(),
        schema,
        bytes,
        sha256,
        database: name_of(&source.database)?,
        key: source.key.as_deref().map_or(Ok("lastmile.key".into()), name_of)?,
        has_key: key.is_some(),
    };
    let mut tar = tar::Builder::new(private(&part.0)?);
    append(&mut tar, MANIFEST, serde_json::to_string_pretty(&manifest)?.as_bytes())?;
    if let Some(key) = &key {
        append(&mut tar, KEY, key)?;
    }
    let mut header = header(bytes);
    tar.append_data(&mut header, DATABASE, File::open(&copy.0)?)?;
    let file = tar.into_inner()?;
    file.sync_all().context("the backup cannot be written to the disk")?;
    // What was written is what will be read.
    let read = read(&part.0, |_, database| digest(database).map(drop))?;
    if read.manifest != manifest {
        bail!("the backup does not read back as it was written");
    }
    publish(&part.0, to)?;
    sync_directory_of(to)?;
    Ok(manifest)
}

pub fn restore(options: &cli::Restore) -> anyhow::Result<()> {
    let manifest = bring_back(&options.file, &options.data)?;
    let data = &options.data;
    println!(
        "Restored {} as of {}: checksum, integrity and schema {} are right",
        data.join(&manifest.database).display(),
        manifest.taken_at,
        manifest.schema
    );
    if manifest.has_key {
        println!("The key came with it: {}", data.join(&manifest.key).display());
    } else {
        println!(
            "\nTHE KEY WAS NOT INSIDE. Put your copy at {} before anything is started.",
            data.join(&manifest.key).display()
        );
    }
    Ok(())
}

fn bring_back(file: &Path, directory: &Path) -> anyhow::Result<Manifest> {
    // Whether it fits is known before anything is made.
    let Saved { manifest, .. } = read(file, |_, _| Ok(()))?;
    if manifest.form != FORM {
        bail!("the backup is of form {}, this program knows {FORM}: a newer program made it", manifest.form);
    }
    if manifest.schema > service::newest_schema() {
        bail!(
            "the backup is of schema version {}, this program knows {}: use the program that made it ({})",
            manifest.schema,
            service::newest_schema(),
            manifest.lastmile
        );
    }
    for name in [&manifest.database, &manifest.key] {
        if Path::new(name).file_name() != Some(name.as_ref()) {
            bail!("the manifest names a file outside the directory: {name:?}");
        }
    }
    if manifest.database == manifest.key {
        bail!("the manifest gives database and key one name: {:?}", manifest.key);
    }
    let (database, key) = (directory.join(&manifest.database), directory.join(&manifest.key));
    make_private(directory)?;
    let _lock = lock::take(directory)?;
    for suffix in ["", "-wal", "-shm"] {
        let there = directory.join(format!("{}{suffix}", manifest.database));
        if there.exists() {
            bail!("{} exists: nothing is overwritten", there.display());
        }
    }
    if manifest.has_key && key.exists() {
        bail!("{} exists: nothing is overwritten", key.display());
    }

    let (part, key_part) = (Scratch(beside(&database, "part")), Scratch(beside(&key, "part")));
    let saved = read(file, |manifest, database| {
        let mut out = private(&part.0)?;
        let (bytes, sha256) = digest(&mut Copying { from: database, to: &mut out })?;
        if (bytes, &sha256) != (manifest.bytes, &manifest.sha256) {
            bail!("the database in the backup is not the one its manifest describes: the checksum differs");
        }
        out.sync_all().context("the database cannot be written to the disk")
    })?;
    let schema = copying::check(&part.0).context("the database in the backup is damaged")?;
    if schema != manifest.schema {
        bail!("the database is of schema version {schema}, its manifest says {}", manifest.schema);
    }
    if let Some(bytes) = saved.key {
        let mut out = private(&key_part.0)?;
        out.write_all(&bytes)?;
        out.sync_all()?;
        publish(&key_part.0, &key)?;
    }
    // The database last: where it is, everything is.
    publish(&part.0, &database)?;
    sync_directory_of(&database)?;
    Ok(manifest)
}

struct Saved {
    manifest: Manifest,
    key: Option<Vec<u8>>,
}

/// Walks through a backup; `take` gets the database's bytes.
fn read(file: &Path, mut take: impl FnMut(&Manifest, &mut dyn Read) -> anyhow::Result<()>) -> anyhow::Result<Saved> {
    let open = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    let mut archive = tar::Archive::new(io::BufReader::with_capacity(1 << 20, open));
    let (mut manifest, mut key, mut has_database) = (None::<Manifest>, None, false);
    let not_one = || format!("{} is no whole backup of lastmile", file.display());
    for entry in archive.entries().with_context(not_one)? {
        let mut entry = entry.with_context(not_one)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        // Neither a link nor a sparse file: what an entry holds is in the archive, so that a small one fills no disk.
        if entry.header().entry_type() != tar::EntryType::Regular {
            bail!("{}: {name:?} is no plain file", not_one());
        }
        match (name.as_str(), &manifest) {
            (MANIFEST, None) => {
                let mut text = String::new();
                (&mut entry).take(SMALL).read_to_string(&mut text).with_context(not_one)?;
                manifest = Some(serde_json::from_str(&text).with_context(not_one)?);
            }
            (KEY, Some(_)) if key.is_none() => {
                if entry.size() > SMALL {
                    bail!("{}: its key is larger than any", not_one());
                }
                let mut bytes = Vec::new();
                (&mut entry).take(SMALL).read_to_end(&mut bytes).with_context(not_one)?;
                let text = std::str::from_utf8(&bytes).ok().and_then(parse_keys);
                text.filter(|keys| !keys.is_empty()).with_context(|| format!("{}: its key is none", not_one()))?;
                key = Some(bytes);
            }
            (DATABASE, Some(manifest)) if !has_database => {
                // Before a byte of it is written.
                if entry.size() != manifest.bytes {
                    bail!(
                        "{}: its database has {} bytes, its manifest says {}",
                        not_one(),
                        entry.size(),
                        manifest.bytes
                    );
                }
                take(manifest, &mut entry)?;
                has_database = true;
            }
            _ => bail!("{}: {name:?} does not belong there", not_one()),
        }
    }
    match manifest {
        Some(manifest) if has_database && manifest.has_key == key.is_some() => Ok(Saved { manifest, key }),
        _ => bail!(not_one()),
    }
}

/// Passes on what it reads.
struct Copying<'a, R: ?Sized, W> {
    from: &'a mut R,
    to: &'a mut W,
}

impl<R: Read + ?Sized, W: Write> Read for Copying<'_, R, W> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let length = self.from.read(room)?;
        self.to.write_all(&room[..length])?;
        Ok(length)
    }
}

/// Length and SHA-256.
fn digest(from: &mut (impl Read + ?Sized)) -> anyhow::Result<(u64, String)> {
    let (mut hash, mut room, mut bytes) = (Sha256::new(), vec![0; 1 << 18], 0);
    loop {
        match from.read(&mut room)? {
            0 => return Ok((bytes, hex(&hash.finalize()))),
            length => {
                hash.update(&room[..length]);
                bytes += length as u64;
            }
        }
    }
}

fn header(bytes: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0));
    header
}

fn append(tar: &mut tar::Builder<File>, name: &str, bytes: &[u8]) -> io::Result<()> {
    let mut header = header(bytes.len() as u64);
    tar.append_data(&mut header, name, bytes)
}

fn name_of(path: &Path) -> anyhow::Result<String> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_string).with_context(|| format!("{} has no name", path.display()))
}

/// A name in the same directory that no other process uses.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.{suffix}", std::process::id()));
    name.into()
}

/// A new file that only its owner reads.
fn private(path: &Path) -> anyhow::Result<File> {
    let mut options = File::options();
    options.read(true).write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).with_context(|| format!("cannot make {}", path.display()))
}

/// Gives a finished file its name. A link fails where somebody else has made one meanwhile, a rename would replace it;
/// but disks for carrying about know no links.
fn publish(part: &Path, to: &Path) -> anyhow::Result<()> {
    let done = match fs::hard_link(part, to) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists && !to.exists() => fs::rename(part, to),
        done => done,
    };
    done.with_context(|| format!("cannot make {}", to.display()))
}

/// A new name is durable once its directory is.
fn sync_directory_of(path: &Path) -> anyhow::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all().with_context(|| format!("cannot sync {}", directory.display()))
}

/// Goes with its owner.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        for suffix in ["", "-journal", "-wal", "-shm"] {
            let mut name = self.0.clone().into_os_string();
            name.push(suffix);
            let _ = fs::remove_file(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in entries {
            archive.append_data(&mut header(bytes.len() as u64), name, *bytes).unwrap();
        }
        archive.into_inner().unwrap()
    }

    /// A link, a sparse file (a kilobyte that says 50 GB), a device; a database of another size than its manifest's.
    #[test]
    fn what_is_no_plain_file_or_of_another_size_is_refused() {
        use tar::EntryType::{Char, GNUSparse, Link, Regular, Symlink};

        let manifest = br#"{"form":1,"schema":41,"lastmile":"0.1.0","taken_at":"2026-05-01T00:00:00Z",
            "database":"lastmile.db","key":"lastmile.key","has_key":false,"bytes":6,"sha256":""}"#;
        let folder = std::env::temp_dir().join(format!("lastmile-entries-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("any.lmb");
        let rows: [(tar::EntryType, &[u8], &str); 7] = [
            (Regular, b"SQLite", ""),
            (Regular, b"SQLit", "has 5 bytes"),
            (Regular, b"SQLite!", "has 7 bytes"),
            (Link, b"SQLite", "no plain file"),
            (Symlink, b"SQLite", "no plain file"),
            (Char, b"SQLite", "no plain file"),
            (GNUSparse, b"SQLite", "no whole backup"),
        ];
        for (kind, bytes, expected) in rows {
            let mut archive = tar::Builder::new(Vec::new());
            archive.append_data(&mut header(manifest.len() as u64), MANIFEST, &manifest[..]).unwrap();
            let mut of_kind = header(bytes.len() as u64);
            of_kind.set_entry_type(kind);
            archive.append_data(&mut of_kind, DATABASE, bytes).unwrap();
            fs::write(&file, archive.into_inner().unwrap()).unwrap();
            let mut taken = 0;
            let said = read(&file, |_, database| {
                taken += digest(database)?.0;
                Ok(())
            });
            assert_eq!(taken, if expected.is_empty() { 6 } else { 0 }, "{kind:?}");
            let said = said.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(said.contains(expected) && said.is_empty() == expected.is_empty(), "{kind:?}: {said}");
        }
        fs::remove_dir_all(&folder).unwrap();
    }

    /// Whatever a file holds: a manifest with what it says is there, or words.
    #[test]
    fn any_file_is_read_or_refused() {
        let manifest = Manifest {
            form: FORM,
            schema: 41,
            lastmile: "0.1.0".into(),
            taken_at: "2026-05-01T00:00:00Z".into(),
            database: "lastmile.db".into(),
            key: "lastmile.key".into(),
            has_key: true,
            bytes: 6,
            sha256: "00".repeat(32),
        };
        let with_key = serde_json::to_vec(&manifest).unwrap();
        let bare = serde_json::to_vec(&Manifest { has_key: false, ..manifest }).unwrap();
        let key = format!("1:{}", "0".repeat(64));
        let whole = packed(&[(MANIFEST, &with_key), (KEY, key.as_bytes()), (DATABASE, b"SQLite")]);
        let without = packed(&[(MANIFEST, &bare), (DATABASE, b"SQLite")]);
        let odd = packed(&[(MANIFEST, &bare), ("elsewhere", b"x"), (DATABASE, b"SQLite")]);
        let seeds: [&[u8]; 4] = [&whole, &without, &odd, b"no tar at all"];
        let tokens: [&[u8]; 8] =
            [b"77777777777\0", b"\x80\0\0\0\0\0\0\xff", b"../", b"ustar\x0000", b"L", b"S", b"x", MANIFEST.as_bytes()];
        let folder = std::env::temp_dir().join(format!("lastmile-backups-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("any.lmb");
        inputs::run("backups", &seeds, &tokens, 15_000, |input| {
            fs::write(&file, input).unwrap();
            let take = |_: &Manifest, database: &mut dyn Read| digest(&mut database.take(SMALL)).map(drop);
            if let Ok(saved) = read(&file, take) {
                assert_eq!(saved.manifest.has_key, saved.key.is_some());
                assert!(saved.key.is_none_or(|key| key.len() as u64 <= SMALL));
            }
        });
        fs::remove_dir_all(&folder).unwrap();
    }
}
