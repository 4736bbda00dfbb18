//! Tables of data as clients meet them. That rows are loaded is tried elsewhere: here nothing loads.

use std::sync::Arc;

use futures_util::StreamExt as _;
use postroom_domain::Fut;
use postroom_domain::data_upload::{Loads, Mapping, Row, Table, TableError, Tables};
use postroom_domain::dms::Content;
use postroom_web::DataTables;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::world::{Answer, World, text};

/// Nothing is loaded.
struct Still;

impl Loads for Still {
    fn wake(&self) {}
}

/// Lines with commas, without quotes.
struct Lines(Vec<String>);

impl Tables for Lines {
    fn open<'a>(
        &'a self,
        content: Arc<dyn Content>,
        _: &'a str,
    ) -> Fut<'a, Result<Box<dyn Table>, TableError>> {
        Box::pin(async move {
            let mut stream = content.open().await.map_err(|error| TableError::Spool(error.to_string()))?;
            let mut bytes = Vec::new();
            while let Some(piece) = stream.next().await {
                bytes.extend_from_slice(&piece.unwrap());
            }
            let text = String::from_utf8(bytes).map_err(|_| TableError::Unfit("no text".to_owned()))?;
            let header = text.lines().next().unwrap_or("").split(',').map(str::to_owned).collect();
            Ok(Box::new(Self(header)) as Box<dyn Table>)
        })
    }
}

impl Table for Lines {
    fn header(&self) -> &[String] {
        &self.0
    }
    fn format(&self) -> String {
        "lines".to_owned()
    }
    fn next(&mut self, _: usize) -> Fut<'_, Result<Vec<Row>, TableError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

fn mapping() -> Value {
    json!({"name": "matters", "work_type": "matter", "columns": [
        {"column": "No", "field": "reference"}, {"column": "Title", "field": "title"},
    ]})
}

/// How the tests' servers read tables.
pub(crate) fn data() -> DataTables {
    let mappings: Vec<Mapping> = vec![serde_json::from_value(mapping()).unwrap()];
    DataTables { tables: Arc::new(Lines(Vec::new())), loads: Arc::new(Still), mappings: mappings.into() }
}

pub(crate) fn form(mapping: &str, table: &str) -> Form {
    let file = Part::bytes(table.as_bytes().to_vec()).file_name("matters.csv");
    Form::new().text("mapping", mapping.to_owned()).part("file", file)
}

impl World {
    async fn table(&self, mapping: &str, table: &str) -> Answer {
        let request = self.request("operator", Method::POST, "/api/v1/data-uploads");
        Answer::of(request.multipart(form(mapping, table)).send().await.unwrap()).await
    }

    async fn say(&self, id: &str, what: &str) -> Answer {
        let path = format!("/api/v1/data-uploads/{id}/{what}");
        Answer::of(self.request("operator", Method::POST, &path).send().await.unwrap()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_is_staged_with_a_mapping_of_the_settings_or_of_ones_own() {
    let world = World::new().await;
    let own = mapping().to_string();
    for mapping in ["matters", own.as_str()] {
        let answer = world.table(mapping, "No,Title\n1,One\n").await;
        assert_eq!((answer.status, &answer.body["state"]), (201, &json!("staged")), "{}", answer.body);
        assert_eq!((&answer.body["format"], &answer.body["mapping"]), (&json!("lines"), &json!("matters")));
    }
    // Mapping, table, code, and a text that the answer holds.
    let table = [
        (
            "nothing",
            "No,Title\n",
            "bad_value",
            "there is no [[data_uploads]] \\\"nothing\\\" (known: matters)",
        ),
        ("{", "No,Title\n", "bad_body", ""),
        ("{\"columns\": []}", "No,Title\n", "bad_value", "none is for reference"),
        (
            "{\"columns\": [{\"column\": \"No\", \"field\": \"refrence\"}]}",
            "No\n",
            "bad_value",
            "is not a field",
        ),
        ("{\"colums\": []}", "No\n", "unknown_field", "Did you mean"),
        ("matters", "Nr,Titel\n1,One\n", "bad_value", "\\\"No\\\" is missing, \\\"Title\\\" is missing"),
        ("matters", "No,No,Title\n", "bad_value", "\\\"No\\\" stands there more than once"),
    ];
    for (mapping, file, code, holds) in table {
        let answer = world.table(mapping, file).await;
        answer.assert_problem(400, code, holds);
        assert!(answer.body.to_string().contains(holds), "{holds}: {}", answer.body);
    }
    let titel = world.table("matters", "No,Titel\n1,One\n").await;
    assert_eq!(titel.body["errors"][0]["suggestion"], "Titel", "{}", titel.body);
    let listed = world.get("operator", "/api/v1/data-uploads?limit=1").await.body;
    assert_eq!((listed["items"].as_array().unwrap().len(), listed["next"].is_string()), (1, true));
    let next =
        world.get("operator", &format!("/api/v1/data-uploads?cursor={}", text(&listed["next"]))).await.body;
    assert_eq!((next["items"].as_array().unwrap().len(), &next["next"]), (1, &Value::Null));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_be_said_to_a_table_depends_on_how_far_it_is() {
    let world = World::new().await;
    let id = text(&world.table("matters", "No,Title\n1,One\n").await.body["id"]);
    for (what, status, state) in [
        ("stop", 409, ""),
        ("dry-run", 202, "checking"),
        ("run", 409, ""),
        ("dry-run", 409, ""),
        ("stop", 200, "stopped"),
        ("run", 202, "loading"),
        ("dry-run", 409, ""),
        ("stop", 200, "stopped"),
        ("run", 202, "loading"),
    ] {
        let answer = world.say(&id, what).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        if status < 300 {
            assert_eq!(answer.body["state"], state, "{what}");
        }
    }
    let rows = world.get("operator", &format!("/api/v1/data-uploads/{id}/rows?result=rejected")).await;
    assert_eq!((rows.status, &rows.body["items"]), (200, &json!([])));
    let wrong = world.get("operator", &format!("/api/v1/data-uploads/{id}/rows?result=lost")).await;
    wrong.assert_problem(400, "bad_value", "a result that there is not");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn work_items_are_unloaded_by_the_same_mapping() {
    let world = World::new().await;
    let item = json!({"reference": "=1+1", "title": "-Ö, \"x\"", "work_type": "matter"});
    let made =
        world.request("operator", Method::POST, "/api/v1/work-items").json(&item).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let answer = world.get("operator", "/api/v1/data-uploads/export?mapping=matters").await;
    let wanted = "\u{feff}No,Title\r\n'=1+1,\"'-Ö, \"\"x\"\"\"\r\n0007.0001,Harrow v Teal\r\n";
    assert_eq!((answer.status, answer.body), (200, Value::String(wanted.to_owned())));
    let other = world.get("other", "/api/v1/data-uploads/export?mapping=matters").await;
    assert_eq!(other.body, Value::String("\u{feff}No,Title\r\n".to_owned()));
    world.stop().await;
}
