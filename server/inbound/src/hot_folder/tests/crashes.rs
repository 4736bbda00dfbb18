//! The process ends at every point between the hot folder and the removal: each file is one intake, and none is lost.

use std::io::Write;

use super::*;

async fn claim(world: &World, name: &str) -> String {
    world.scan().await;
    let mark = FileMark::of(&fs::metadata(world.path(name)).unwrap());
    world.folder.taker.claim(Path::new(name), mark).await.unwrap().0
}

#[tokio::test]
async fn after_the_rename() {
    let mut world = World::new();
    world.put("M-1/letter.txt", b"Dear Madam");
    claim(&world, "M-1/letter.txt").await;
    world.restart();
    world.scan().await;
    assert_eq!(world.taken_in().await, [], "whoever wrote it may still live: it settles once more");
    world.clock.advance(SETTLE);
    world.scan().await;
    assert_eq!(world.taken_in().await, [("letter.txt".to_owned(), b"Dear Madam".to_vec())]);
}

#[tokio::test]
async fn before_the_rename_but_after_its_folder() {
    let mut world = World::new();
    world.put("letter.txt", b"Dear Madam");
    world.scan().await;
    fs::create_dir_all(world.path(".postroom/taken/0192f0c1-5b7e-7000-8000-000000000001/M-1")).unwrap();
    world.restart();
    world.settle().await;
    assert_eq!(world.taken_in().await.len(), 1);
    world.dismiss_all().await;
    world.scan().await;
    assert_eq!(fs::read_dir(world.path(".postroom/taken")).unwrap().count(), 0);
}

#[tokio::test]
async fn between_the_acceptance_and_the_note_of_it() {
    for torn in [None, Some("0192f0c1-5b7e-7000-8000-0000")] {
        let mut world = World::new();
        world.put("letter.txt", b"Dear Madam");
        world.settle().await;
        let note = world.files().into_iter().find(|name| name.ends_with(".intake")).unwrap();
        match torn {
            None => fs::remove_file(world.path(note)).unwrap(),
            Some(text) => fs::write(world.path(note), text).unwrap(),
        }
        world.restart();
        for _ in 0..2 {
            world.settle().await;
            assert_eq!(world.intakes().await.len(), 1, "the key is recognised");
            assert_eq!(world.folder.status().under_way, 1);
        }
        world.dismiss_all().await;
        world.scan().await;
        assert_eq!(world.files(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn after_the_note() {
    let mut world = World::new();
    world.put("letter.txt", b"Dear Madam");
    world.settle().await;
    for _ in 0..2 {
        world.restart();
        world.settle().await;
        assert_eq!(world.folder.status().under_way, 1);
    }
    assert_eq!(world.intakes().await.len(), 1);
    world.dismiss_all().await;
    world.restart();
    world.scan().await;
    assert_eq!(world.files(), Vec::<String>::new());
}

#[tokio::test]
async fn in_the_middle_of_the_removal() {
    let mut world = World::new();
    world.put("letter.txt", b"Dear Madam");
    world.settle().await;
    world.dismiss_all().await;
    let file = world.files().into_iter().find(|name| name.ends_with("letter.txt")).unwrap();
    fs::remove_file(world.path(file)).unwrap();
    world.restart();
    world.settle().await;
    world.restart();
    world.settle().await;
    assert_eq!((world.intakes().await.len(), world.files()), (1, Vec::new()));
}

/// The store comes back from an older backup: what it does not know is handed in again.
#[tokio::test]
async fn an_intake_that_the_store_has_lost() {
    let mut world = World::new();
    world.put("letter.txt", b"Dear Madam");
    world.settle().await;
    let store = Arc::new(MemoryStore::new());
    world.reception = Arc::new(Reception {
        store: store.clone(),
        clock: world.clock.clone(),
        entropy: Arc::new(SeededEntropy::new(3)),
        mint: Arc::new(IdMint::after(0)),
        rules: Arc::new(Rules::default()),
        accounts: Arc::new(postroom_domain::link::SystemOnly),
        spool: Arc::new(world.spool.clone()),
        opens_all: false,
        allocator: None,
    });
    world.store = store;
    world.restart();
    world.scan().await;
    world.scan().await;
    assert_eq!(world.taken_in().await, [("letter.txt".to_owned(), b"Dear Madam".to_vec())]);
}

/// Somebody keeps the file open and goes on writing after it was accepted: what it has become is an intake too.
#[tokio::test]
async fn a_writer_that_goes_on_after_the_acceptance() {
    for restarted in [false, true] {
        let mut world = World::new();
        let mut file = fs::File::create(world.path("letter.txt")).unwrap();
        file.write_all(b"Dear Madam").unwrap();
        world.settle().await;
        file.write_all(b", yours").unwrap();
        if restarted {
            // Without the note, the same key now stands for other content.
            let note = world.files().into_iter().find(|name| name.ends_with(".intake")).unwrap();
            fs::remove_file(world.path(note)).unwrap();
            world.restart();
            world.settle().await;
        } else {
            world.dismiss_all().await;
            world.scan().await;
        }
        world.settle().await;
        let got: Vec<_> = world.taken_in().await.into_iter().map(|(_, bytes)| bytes).collect();
        assert_eq!(got, [b"Dear Madam".to_vec(), b"Dear Madam, yours".to_vec()], "restarted {restarted}");
    }
}
