//! What sealing costs: secrets, documents, passwords, the start. These tests do not know the vault; the server's example measures.

use serde_json::Value;

use crate::{Sizes, figure};

pub(crate) fn run(sizes: &Sizes) {
    let mut seal = crate::example("seal");
    if sizes.quick {
        seal.arg("--quick");
    }
    let output = seal.stderr(std::process::Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "the measuring failed");
    let text = String::from_utf8(output.stdout).unwrap();
    let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let chosen =
        told.iter().filter(|it| it["name"] == "password_hash").nth(1).unwrap()["ms"].as_f64().unwrap();
    for it in &told {
        let name = it["name"].as_str().unwrap();
        let number = |key: &str| it[key].as_f64().unwrap();
        let (value, ratio_to, aim) = match name {
            "keyring_open" => ((number("ms"), "ms"), "absolute", ("< 1000 ms", number("ms") < 1000.0)),
            // A tenth of a second that people do not notice; what is beside it shows what another choice would cost.
            "password_hash" => (
                (number("ms"), "ms"),
                "absolute",
                ("the chosen one 50 to 250 ms", (50.0..250.0).contains(&chosen)),
            ),
            "secret_sealed_and_opened" => {
                let rate = number("per_second");
                ((rate, "1/s"), "absolute", (">= 10,000/s", rate >= 10_000.0))
            }
            "sealed_small_in" => {
                let ratio = number("ratio");
                ((ratio, "ratio"), "the same unsealed", (">= 0.8", ratio >= 0.8))
            }
            // Reading plain content costs hardly more than its hash; what counts is that no line to a DMS is faster.
            "sealed_large_out" => {
                let rate = it["more"]["sealed_mib_per_second"].as_f64().unwrap();
                ((number("ratio"), "ratio"), "the same unsealed", ("sealed >= 250 MiB/s", rate >= 250.0))
            }
            _ => {
                let ratio = number("ratio");
                ((ratio, "ratio"), "the same unsealed", (">= 0.5", ratio >= 0.5))
            }
        };
        figure(sizes, name, value, ratio_to, aim, it["more"].clone());
    }
}
