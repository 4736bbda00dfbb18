//! Scans from the sheet of paper to the DMS: cover sheets are printed by the command, drawn by another program as a scanner would see
//! them, put between other pages, and scanned in as a batch.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use postroom_tests::folder::deposits;
use postroom_tests::process::run;
use postroom_tests::wait::until;
use postroom_tests::world::MATTERS;
use postroom_tests::{Chance, World};
use reqwest::Method;
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_mins(3);
const DOTS: usize = 150;

/// A page in shades of gray.
#[derive(Clone)]
pub(crate) struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn blank() -> Self {
        let (width, height) = (210 * DOTS * 10 / 254, 297 * DOTS * 10 / 254);
        Self { width, height, pixels: vec![255; width * height] }
    }

    /// Lines of something.
    pub(crate) fn text(chance: &mut Chance) -> Self {
        let mut page = Self::blank();
        for line in 0..25 {
            for word in 0..16 {
                let wide = 3 + usize::try_from(chance.below(6)).unwrap();
                page.rect(22 + word * 10, 30 + line * 9, wide, 1, 0);
                page.rect(22 + word * 10, 31 + line * 9, 1, 2, 0);
            }
        }
        page
    }

    /// A cover sheet of which neither the square nor the bars can be read: the middle of the square is pasted over, and gaps go
    /// through all of the bars.
    pub(crate) fn torn(mut self) -> Self {
        for (left, top, width, height) in
            [(153, 36, 40, 18), (154, 18, 16, 56), (54, 78, 2, 26), (100, 78, 2, 26), (145, 78, 2, 26)]
        {
            self.rect(left, top, width, height, 255);
        }
        self
    }

    /// A rectangle, in millimetres.
    fn rect(&mut self, left: usize, top: usize, width: usize, height: usize, shade: u8) {
        let pixels = |mm: usize| mm * DOTS * 10 / 254;
        for y in pixels(top)..pixels(top + height).min(self.height) {
            for x in pixels(left)..pixels(left + width).min(self.width) {
                self.pixels[y * self.width + x] = shade;
            }
        }
    }

    /// A portable graymap, as `pdftoppm -gray` writes it.
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let (mut at, mut words) = (0, Vec::new());
        while words.len() < 4 {
            let end = at + bytes[at..].iter().position(u8::is_ascii_whitespace).unwrap();
            words.push(String::from_utf8(bytes[at..end].to_vec()).unwrap());
            at = end + 1;
        }
        assert_eq!((words[0].as_str(), words[3].as_str()), ("P5", "255"));
        let (width, height) = (words[1].parse().unwrap(), words[2].parse().unwrap());
        Self { width, height, pixels: bytes[at..at + width * height].to_vec() }
    }
}

/// A scanner's PDF: a picture on each page.
pub(crate) fn pdf(pages: &[Picture]) -> Vec<u8> {
    let mut objects: Vec<Vec<u8>> = vec![b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(), Vec::new()];
    let mut kids = String::new();
    for page in pages {
        let first = objects.len() + 1;
        let _ = write!(kids, "{first} 0 R ");
        let (wide, high) = (page.width * 72 / DOTS, page.height * 72 / DOTS);
        objects.push(
            format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {wide} {high}] /Contents {} 0 R /Resources << /XObject << /I {} 0 R >> >> >>",
                first + 1,
                first + 2
            )
            .into_bytes(),
        );
        let draw = format!("{wide} 0 0 {high} 0 0 cm /I Do");
        objects.push(format!("<< /Length {} >>\nstream\n{draw}\nendstream", draw.len()).into_bytes());
        let about = format!(
            "<< /Type /XObject /Subtype /Image /Width {} /Height {} /ColorSpace /DeviceGray /BitsPerComponent 8 /Length {} >>\nstream\n",
            page.width,
            page.height,
            page.pixels.len()
        );
        objects.push([about.as_bytes(), &page.pixels, b"\nendstream"].concat());
    }
    objects[1] = format!("<< /Type /Pages /Count {} /Kids [{kids}] >>", pages.len()).into_bytes();
    let mut bytes = b"%PDF-1.5\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(bytes.len());
        bytes.extend(format!("{} 0 obj\n", number + 1).bytes());
        bytes.extend(object);
        bytes.extend(b"\nendobj\n");
    }
    let table = bytes.len();
    bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in places {
        bytes.extend(format!("{place:010} 00000 n \n").bytes());
    }
    let size = objects.len() + 1;
    bytes.extend(format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").bytes());
    bytes
}

/// How many pages a PDF has, as another program counts them.
fn pages_of(file: &Path) -> usize {
    let told = Command::new("pdfinfo").arg(file).output().expect("pdfinfo (Debian package poppler-utils)");
    let text = String::from_utf8_lossy(&told.stdout).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix("Pages:"));
    line.unwrap_or_else(|| panic!("{}: {told:?}", file.display())).trim().parse().unwrap()
}

/// Cover sheets for these matters and a separator, printed by the command and drawn by another program.
pub(crate) async fn printed(world: &World, references: &[&str]) -> Vec<Picture> {
    let out = world.root().join("sheets.pdf");
    let (config, file) = (world.config().display().to_string(), out.display().to_string());
    let mut arguments = vec!["cover-sheets", "--config", &config, "--separator", "--out", &file];
    for reference in references {
        arguments.extend(["--work-item", reference]);
    }
    let printed = run("postroom", &arguments).await;
    assert!(printed.status.success(), "{printed:?}");
    let again = run("postroom", &arguments).await;
    assert!(!again.status.success(), "a file that is there is not replaced");
    assert_eq!(pages_of(&out), references.len() + 1);
    let drawn = world.root().join("sheet");
    let dots = DOTS.to_string();
    let done = Command::new("pdftoppm").args(["-r", &dots, "-gray"]).arg(&out).arg(&drawn).status();
    assert!(done.expect("pdftoppm (Debian package poppler-utils)").success());
    let page = |number: usize| Picture::read(&world.root().join(format!("sheet-{number}.pgm")));
    (1..=references.len() + 1).map(page).collect()
}

struct Office {
    world: World,
}

impl Office {
    async fn new(name: &'static str) -> Self {
        let mut world = World::new(name).with_folder_dms().with_log("info").build();
        let batches = world.root().join("batches");
        fs::create_dir_all(&batches).unwrap();
        fs::create_dir_all(world.settings.dms().join("Scans/In")).unwrap();
        fs::create_dir_all(world.settings.dms().join("Scans/Done")).unwrap();
        let _ = write!(
            world.settings.more,
            "\n[[hot_folders]]\nname = \"batches\"\npath = \"{}\"\nsettle_seconds = 1\nscan_millis = 200\nbatches = true\n\
             [hot_folders.pages]\nseparators = [\"qr\", \"code128\", \"code39\", \"patch_t\"]\nremove_blank = \"at_end\"\n\
             \n[[scan_folders]]\nname = \"dms-scans\"\nservice = \"files\"\ncontainer = \"Scans/In\"\npoll_seconds = 1\n\
             when_done = \"move\"\nmove_to = \"Scans/Done\"\n",
            batches.display(),
        );
        world.write_settings();
        world.start().await;
        world.create_matters().await;
        Self { world }
    }

    fn batches(&self) -> PathBuf {
        self.world.root().join("batches")
    }

    /// Pages of each document in the DMS, by the folder that it lies in.
    fn held(&self) -> BTreeMap<String, Vec<usize>> {
        let root = self.world.settings.dms();
        let mut held = BTreeMap::<String, Vec<usize>>::new();
        for deposit in deposits(&root) {
            let pages = pages_of(&root.join(&deposit.place).join(&deposit.name));
            held.entry(deposit.place).or_default().push(pages);
        }
        for pages in held.values_mut() {
            pages.sort_unstable();
        }
        held
    }

    async fn intakes(&self, query: &str) -> Vec<Value> {
        let page = self.world.op().ok(&format!("/api/v1/intakes?limit=100{query}")).await;
        page["items"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_batch_of_three_matters_and_a_torn_sheet() {
    let mut office = Office::new("scans").await;
    let [a, b, c, d] = [0, 1, 2, 3].map(|number: usize| MATTERS[number].0);
    let sheets = printed(&office.world, &[a, b, c, d]).await;
    let torn = sheets[3].clone().torn();
    let mut chance = Chance::new(7);
    let mut text = || Picture::text(&mut chance);
    let (blank, separator) = (Picture::blank(), sheets[4].clone());
    let batch = pdf(&[
        sheets[0].clone(),
        blank.clone(),
        text(),
        text(),
        blank.clone(),
        sheets[1].clone(),
        blank.clone(),
        text(),
        separator.clone(),
        blank.clone(),
        text(),
        sheets[2].clone(),
        blank.clone(),
        text(),
        text(),
        text(),
        separator,
        torn,
        blank,
        text(),
    ]);
    fs::write(office.batches().join("batch.pdf"), &batch).unwrap();

    let asked = until("the torn sheet waits for a person", PATIENCE, || async {
        office.intakes("&state=needs_person").await.pop()
    })
    .await;
    office.world.quiet(PATIENCE).await;
    let place = |reference: &str| format!("{reference}/Correspondence");
    let mut wanted = BTreeMap::from([(place(a), vec![2]), (place(b), vec![1, 1]), (place(c), vec![3])]);
    assert_eq!(office.held(), wanted);

    // What a person sees: why, the page, and which batch it was in.
    assert_eq!(asked["needs"]["code"], "unread_code", "{asked:#}");
    assert!(asked["needs"]["text"].as_str().unwrap().starts_with("Page 18 "), "{asked:#}");
    let (id, parent) = (asked["id"].as_str().unwrap(), asked["part_of"].as_str().unwrap());
    let op = office.world.op();
    let png = op.get(&format!("/api/v1/intakes/{id}/page.png")).await.expect(200);
    assert!(png.bytes.starts_with(b"\x89PNG") && png.header("content-type") == Some("image/png"));
    let same = op.get(&format!("/api/v1/intakes/{parent}/page.png?page=18")).await.expect(200);
    assert_eq!(png.bytes, same.bytes);
    op.get(&format!("/api/v1/intakes/{id}/page.png?page=4")).await.expect(404);

    // The batch is kept as it came, and where it came from, until every part is through.
    let whole = op.ok(&format!("/api/v1/intakes/{parent}")).await;
    assert_eq!(
        (&whole["state"], &whole["parts"], &whole["open_filings"]),
        (&json!("split"), &json!(5), &json!(1))
    );
    assert_eq!(whole["sections"].as_array().unwrap().len(), 5);
    assert!(whole["trace"].to_string().contains("Page 1: cover sheet for"), "{whole:#}");
    let original = op.get(&format!("/api/v1/intakes/{parent}/original")).await.expect(200);
    assert!(original.bytes == batch, "the batch has changed");
    let taken = office.batches().join(".postroom/taken");
    assert_eq!(fs::read_dir(&taken).unwrap().count(), 2, "the file and its note");

    let assign = json!({"work_item": d, "reason": "the number stands on the sheet"});
    let path = format!("/api/v1/intakes/{id}/assign");
    op.call(Method::POST, &path, &assign, asked["version"].as_u64()).await.expect(200);
    office.world.quiet(PATIENCE).await;
    wanted.insert(place(d), vec![3]);
    assert_eq!(office.held(), wanted);
    until("the file is let go of", PATIENCE, || async {
        (fs::read_dir(&taken).unwrap().count() == 0).then_some(())
    })
    .await;
    let whole = op.ok(&format!("/api/v1/intakes/{parent}")).await;
    assert_eq!((&whole["state"], &whole["open_filings"]), (&json!("settled"), &json!(0)));
    let notes = whole["events"].to_string();
    assert!(notes.contains("divided into 5 at cover sheets and separators"), "{notes}");
    // The history says the same after a restart, and the store agrees with itself.
    office.world.stop().await;
    office.world.start().await;
    let again = office.world.op().ok(&format!("/api/v1/intakes/{parent}")).await;
    assert_eq!(again["state"], "settled");
    office.world.stop().await;
    let data = office.world.data().display().to_string();
    let config = office.world.config().display().to_string();
    let verified = run("postroom", &["verify", "--data", &data, "--config", &config]).await;
    assert!(verified.status.success(), "{verified:?}");
}

#[tokio::test]
async fn a_folder_of_the_dms_is_collected_and_emptied() {
    let mut office = Office::new("scan-folder").await;
    let dms = office.world.settings.dms();
    let mut chance = Chance::new(8);
    let named = pdf(&[Picture::text(&mut chance)]);
    let (b, other) = (MATTERS[1].0, pdf(&[Picture::text(&mut chance), Picture::text(&mut chance)]));
    fs::write(dms.join("Scans/In").join(format!("{b}_letter.pdf")), &named).unwrap();
    fs::write(dms.join("Scans/In/nobody.pdf"), &other).unwrap();
    let asked = until("what names nobody waits for a person", PATIENCE, || async {
        office.intakes("&state=needs_person").await.pop()
    })
    .await;
    until("what is filed has moved", PATIENCE, || async {
        dms.join("Scans/Done").join(format!("{b}_letter.pdf")).exists().then_some(())
    })
    .await;
    assert_eq!(office.held()[&format!("{b}/Correspondence")], [1]);
    assert!(dms.join("Scans/In/nobody.pdf").exists(), "its intake is not through");
    // A restart collects nothing twice.
    office.world.stop().await;
    office.world.start().await;
    let op = office.world.op();
    let path = format!("/api/v1/intakes/{}/dismiss", asked["id"].as_str().unwrap());
    let reason = json!({"reason": "an advertisement"});
    op.call(Method::POST, &path, &reason, asked["version"].as_u64()).await.expect(200);
    until("the other has moved too", PATIENCE, || async {
        dms.join("Scans/Done/nobody.pdf").exists().then_some(())
    })
    .await;
    assert_eq!(office.intakes("").await.len(), 2);
    assert_eq!(office.held().get("Scans/In"), None);
    office.world.stop().await;
}
