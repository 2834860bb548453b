//! `backup` beside the running program while routers report, and `restore` elsewhere: the same customers, a balanced
//! ledger, every record that was acknowledged before.

use std::{
    path::Path,
    process::{Command, Output},
};

use store::db::{Db, Location};

use crate::crash::{Acknowledged, Load, PATIENCE, Server, folder, free_ports, verify};

fn lastmile(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lastmile")).args(arguments).output().expect("the program runs")
}

fn done(arguments: &[&str]) -> String {
    let output = lastmile(arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

fn refused(arguments: &[&str]) -> String {
    let output = lastmile(arguments);
    assert!(!output.status.success(), "{arguments:?} is not refused");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

/// Everybody's name and line, after a proof that the ledger balances.
async fn customers(file: &Path) -> Vec<(String, String, Option<Vec<u8>>)> {
    let db = Db::open(&Location::File(file.into())).await.expect("the database opens");
    let found = db
        .read(async |tx| {
            for isp in store::identity::isp::all(tx).await? {
                assert_eq!(store::billing::ledger::proof(tx, isp.isp_id).await?, (0, 0), "the ledger balances");
            }
            let sql = store::sql!(
                "select c.full_name, s.username, s.secret from customer c \
                 join service s on s.isp_id = c.isp_id and s.customer_id = c.id order by s.id"
            );
            let rows = tx.rows(sql, &store::params![]).await?;
            rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).collect::<Result<_, store::db::Error>>()
        })
        .await
        .expect("customers");
    db.close().await;
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_under_load_is_whole_and_comes_back_elsewhere() {
    let folder = folder("backup");
    let data = folder.join("data");
    std::fs::create_dir_all(&data).unwrap();
    let server = Server::start(&data, None, free_ports());

    let mut before = Acknowledged::default();
    Load::new(server.acct, 0).run(&mut before, 300, PATIENCE);
    let acct = server.acct;
    let load = std::thread::spawn(move || {
        let mut during = Acknowledged::default();
        Load::new(acct, 1).run(&mut during, 2_000, PATIENCE);
        during.reports
    });
    let (bare, full) = (folder.join("bare.lmb"), folder.join("full.lmb"));
    let said = done(&["backup", "--data", text(&data), "--to", text(&bare)]);
    assert!(said.contains("THE KEY IS NOT INSIDE") && said.contains("demo.key"), "{said}");
    let said = done(&["backup", "--data", text(&data), "--to", text(&full), "--with-key"]);
    assert!(said.contains("THE KEY IS INSIDE"), "{said}");
    assert!(load.join().unwrap() > 300, "the program went on acknowledging");
    server.kill();
    let told = customers(&data.join("demo.db")).await;
    assert!(told.len() > 60, "{}", told.len());

    let key = std::fs::read(data.join("demo.key")).unwrap();
    assert!(!std::fs::read(&bare).unwrap().windows(32).any(|piece| key.windows(32).any(|part| part == piece)));
    for (file, has_key) in [(&bare, false), (&full, true)] {
        let back = folder.join(if has_key { "with" } else { "without" });
        let said = done(&["restore", text(file), "--data", text(&back)]);
        assert_eq!(said.contains("THE KEY WAS NOT INSIDE"), !has_key, "{said}");
        assert_eq!(std::fs::read(back.join("demo.key")).ok(), has_key.then(|| key.clone()));
        assert_eq!(customers(&back.join("demo.db")).await, told);
        verify(Location::File(back.join("demo.db")), &before).await;
        // Nothing that exists is replaced.
        assert!(refused(&["restore", text(file), "--data", text(&back)]).contains("nothing is overwritten"));
        let left: Vec<_> = std::fs::read_dir(&back).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().contains("part")), "{left:?}");
    }
    assert!(refused(&["backup", "--data", text(&data), "--to", text(&full)]).contains("nothing is overwritten"));
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn what_is_damaged_newer_or_elsewhere_is_refused() {
    let folder = folder("backup-damaged");
    let (data, good, back) = (folder.join("data"), folder.join("good.lmb"), folder.join("back"));
    done(&[
        "init",
        "--dir",
        text(&data),
        "--name",
        "Test ISP",
        "--currency",
        "KES",
        "--time-zone",
        "Africa/Nairobi",
        "--owner-email",
        "owner@isp.example",
    ]);
    done(&["backup", "--config", text(&data.join("lastmile.toml")), "--to", text(&good)]);
    let whole = std::fs::read(&good).unwrap();

    let spoilt = folder.join("spoilt.lmb");
    let change = |from: &str, to: &str| {
        let at = whole.windows(from.len()).position(|piece| piece == from.as_bytes()).expect(from);
        let mut bytes = whole.clone();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        bytes
    };
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    let rows = [
        (flipped, "checksum differs"),
        (whole[..whole.len() / 2].to_vec(), "backup"),
        (change("\"schema\": ", "\"schema\":9"), "use the program"),
        (change("\"database\": \"lastmile.db\"", "\"database\": \"../tmile.db\""), "outside the directory"),
        (b"no tar at all".to_vec(), "no whole backup"),
    ];
    for (bytes, expected) in rows {
        std::fs::write(&spoilt, bytes).unwrap();
        let said = refused(&["restore", text(&spoilt), "--data", text(&back)]);
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!back.join("lastmile.db").exists());
    }
    done(&["restore", text(&good), "--data", text(&back)]);

    let postgres = folder.join("postgres.toml");
    std::fs::write(&postgres, "[database]\nurl = \"postgres://lm:hush@db/lm\"\n").unwrap();
    // Whoever may read the password has it: such a file is its owner's alone.
    let mode = |mode| std::fs::set_permissions(&postgres, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    mode(0o644);
    let said = refused(&["backup", "--config", text(&postgres), "--to", text(&folder.join("pg.lmb"))]);
    assert!(said.contains("chmod 600") && !said.contains("hush"), "{said}");
    mode(0o600);
    let said = refused(&["backup", "--config", text(&postgres), "--to", text(&folder.join("pg.lmb"))]);
    assert!(said.contains("pg_dump") && !said.contains("hush"), "{said}");
    let _ = std::fs::remove_dir_all(&folder);
}
