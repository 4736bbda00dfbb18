//! A house that letters are delivered to, and a client of its own (swaks) that delivers them.

use std::path::PathBuf;
use std::time::Duration;

use postroom_tests::folder::deposits;
use postroom_tests::process::free_port;
use postroom_tests::wait::until;
use postroom_tests::{Api, World};
use serde_json::{Value, json};
use tokio::process::Command;

pub(crate) const CLIENT: &str = "a.harrow@client.example";
pub(crate) const STRANGER: &str = "someone@elsewhere.example";

/// A house with two mailboxes behind an SMTP door, and folders as its DMS.
pub(crate) struct Post {
    pub(crate) world: World,
    pub(crate) port: u16,
    letters: u32,
}

impl Post {
    pub(crate) async fn new(name: &'static str) -> Self {
        Self::with(name, "").await
    }

    /// With more settings.
    pub(crate) async fn with(name: &'static str, more: &str) -> Self {
        let port = free_port(name.len() as u64 + 0x5347);
        let sections = Self::settings(port) + more;
        let world =
            World::new(name).with_folder_dms().with_settings(&sections).with_log("info").start().await;
        Self::over(world, port)
    }

    /// In a world that is there, with the [`Post::settings`] of that port.
    pub(crate) const fn over(world: World, port: u16) -> Self {
        Self { world, port, letters: 0 }
    }

    /// The SMTP door at a port.
    pub(crate) fn settings(port: u16) -> String {
        format!(
            "\n[smtp]\nlisten = \"127.0.0.1:{port}\"\nhostname = \"postroom.firm.example\"\nlargest_bytes = 20000000\n\
             [[smtp.mailboxes]]\nname = \"post\"\naddresses = [\"post@firm.example\"]\narea = \"matter_documents\"\n\
             [[smtp.mailboxes]]\nname = \"copies\"\naddresses = [\"copies@firm.example\"]\narea = \"matter_documents\"\n\
             [mail.matching]\nown_domains = [\"firm.example\"]\n"
        )
    }

    pub(crate) fn op(&self) -> Api {
        self.world.op()
    }

    /// A matter with a client who writes; its luggage tag.
    pub(crate) async fn matter(&self, reference: &str) -> String {
        // The folder DMS has a folder for it, as somebody made it.
        std::fs::create_dir_all(self.dms().join(reference)).unwrap();
        let body = json!({
            "reference": reference, "title": "Harrow v Teal", "work_type": "matter", "open": true,
            "participants": [{"role": "client", "name": "Ada Harrow", "email": CLIENT}],
        });
        let made = self.op().post("/api/v1/work-items", &body).await.expect(201).body;
        made["luggage_tag"].as_str().expect("a tag").to_owned()
    }

    pub(crate) fn dms(&self) -> PathBuf {
        self.world.settings.dms()
    }

    /// Sends a letter as it stands here; its lines end as lines of mail do.
    pub(crate) async fn send(&mut self, from: &str, to: &str, letter: &str) -> Vec<u8> {
        self.letters += 1;
        let bytes = letter.replace('\n', "\r\n").into_bytes();
        let file = self.world.root().join(format!("letter-{}.eml", self.letters));
        // The client ends the last line itself.
        std::fs::write(&file, bytes.strip_suffix(b"\r\n").unwrap_or(&bytes)).unwrap();
        let server = format!("127.0.0.1:{}", self.port);
        let data = format!("@{}", file.display());
        let sent = Command::new("swaks")
            .args([
                "--server",
                &server,
                "--helo",
                "client.example",
                "--from",
                from,
                "--to",
                to,
                "--data",
                &data,
            ])
            .output()
            .await
            .expect("swaks (Debian package swaks)");
        let said = String::from_utf8_lossy(&sent.stdout).into_owned();
        assert!(sent.status.success() && said.contains("250 2.0.0 it is here as"), "{said}");
        bytes
    }

    /// The intakes, newest first, once there are so many and each is read.
    pub(crate) async fn intakes(&self, count: usize) -> Vec<Value> {
        until("all letters are read", Duration::from_mins(1), || async {
            let page = self.op().ok("/api/v1/intakes?limit=100").await;
            let all = page["items"].as_array().unwrap().clone();
            (all.len() >= count && all.iter().all(|it| it["state"] != "stored")).then_some(all)
        })
        .await
    }

    /// Hashes in the DMS with their names.
    pub(crate) async fn held(&self) -> Vec<(String, String)> {
        self.world.quiet(Duration::from_mins(1)).await;
        deposits(&self.dms()).into_iter().map(|it| (it.name, it.hash)).collect()
    }
}

/// BLAKE3 in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// A plain letter.
pub(crate) fn letter(id: &str, from: &str, subject: &str, more: &str) -> String {
    format!(
        "From: {from}\nTo: post@firm.example\nSubject: {subject}\nMessage-ID: <{id}@client.example>\n\
         Date: Fri, 27 Nov 2026 09:00:00 +0000\n{more}MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n\
         Dear all,\n\n.this line begins with a dot, and {id} is what it is about.\n"
    )
}
