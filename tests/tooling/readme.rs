//! The README, run as it stands: a command in it that does not do what it says fails here.
//!
//! The blocks of a section are run one after the other against a server as `make run` starts it.
//! A comment `<!-- shows: A | B -->` after a block names what its output must hold; reads are
//! repeated until it does, since orders move by themselves.

use orders_test_support::{PATIENCE, ServerOptions, TestServer, shared, temporal};
use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

const README: &str = include_str!("../../README.md");

struct Block {
    script: String,
    shows: Vec<String>,
}

/// The folder of the built `orders`.
fn built() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_orders")).parent().unwrap()
}

/// The `sh` blocks of a section, each with the comment that follows it.
fn blocks(heading: &str) -> Vec<Block> {
    let section = README
        .split(&format!("\n## {heading}\n"))
        .nth(1)
        .expect("the section");
    let section = section.split("\n## ").next().unwrap();
    let mut found = Vec::new();
    for part in section.split("```sh\n").skip(1) {
        let (script, after) = part.split_once("\n```").expect("an end of the block");
        let shows = after
            .trim_start()
            .strip_prefix("<!-- shows: ")
            .and_then(|rest| rest.split_once(" -->"))
            .map(|(texts, _)| texts.split(" | ").map(str::to_owned).collect())
            .unwrap_or_default();
        found.push(Block {
            script: script.to_owned(),
            shows,
        });
    }
    found
}

fn run(script: &str, address: &str) -> (String, bool) {
    let tools = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.tools/bin"));
    let path = std::env::var("PATH").unwrap_or_default();
    // What was built for the tests, not what lies about from `make run`.
    let script = script.replace("$PWD/target/release", &built().display().to_string());
    let output = Command::new("bash")
        .args(["-c", &script.replace("127.0.0.1:50051", address)])
        .env(
            "PATH",
            format!("{}:{}:{path}", built().display(), tools.display()),
        )
        .env("ORDERS_SERVER", format!("http://{address}"))
        .env_remove("ORDERS_OUTPUT")
        .env_remove("ORDERS_ACTOR")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (
        text + &String::from_utf8_lossy(&output.stderr),
        output.status.success(),
    )
}

#[tokio::test]
async fn the_tour_shows_what_it_says() {
    if temporal::grpcurl().is_none() {
        return;
    }
    let server = TestServer::start(ServerOptions::default()).await;
    shows_what_it_says("A tour in five minutes", 10, &server.address).await;
}

#[tokio::test]
async fn the_stock_demo_shows_what_it_says() {
    if temporal::grpcurl().is_none() {
        return;
    }
    let server = TestServer::start(ServerOptions::default()).await;
    shows_what_it_says("The stock demo", 5, &server.address).await;
}

#[tokio::test]
async fn the_tour_of_the_client_shows_what_it_says() {
    let server = shared().await;
    shows_what_it_says("The command line client", 6, &server.address).await;
}

/// Runs the blocks of a section, of which there are `least` or more.
async fn shows_what_it_says(heading: &str, least: usize, address: &str) {
    let blocks = blocks(heading);
    assert!(
        blocks.len() >= least,
        "{heading} has only {} blocks",
        blocks.len()
    );
    for Block { script, shows } in blocks {
        let end = Instant::now() + PATIENCE;
        loop {
            let (output, done) = run(&script, address);
            let missing: Vec<_> = shows
                .iter()
                .filter(|text| !output.contains(*text))
                .collect();
            let refused = shows.iter().any(|text| text.starts_with("Code: "));
            if missing.is_empty() && done != refused {
                break;
            }
            let read = script.contains("Service/Get")
                || script.contains("Service/List")
                || script.lines().all(|line| line.starts_with("orders get "));
            assert!(
                read && Instant::now() < end,
                "this block of the README:\n{script}\nlacks {missing:?} (done: {done}):\n{output}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn help(command: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_orders"))
        .args(command)
        .arg("--help")
        .output();
    String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
}

/// The subcommands that a help lists.
fn listed_commands(help: &str) -> Vec<String> {
    let commands = help.split("\nCommands:\n").nth(1).unwrap();
    let commands = commands.split("\n\n").next().unwrap();
    let names = commands.lines().filter(|line| !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_setting_is_in_the_table() {
    let mut commands: Vec<Vec<String>> = Vec::new();
    for name in listed_commands(&help(&[])) {
        match name.as_str() {
            "stock" => {
                let below = listed_commands(&help(&["stock"])).into_iter();
                commands.extend(below.map(|below| vec![name.clone(), below]));
            }
            _ => commands.push(vec![name]),
        }
    }
    assert!(commands.len() > 20, "{commands:?}");
    for command in commands {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let is_server = ["serve", "worker"].contains(&command[0]);
        let help = help(&command);
        let words = help.split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)));
        for word in words {
            // What a command of the client takes is in its help; what all of them take is here, too.
            let flag = is_server && word.starts_with("--") && word.len() > 2;
            let variable = word.starts_with("ORDERS_");
            if (flag || variable) && !["--help", "--version"].contains(&word) {
                assert!(
                    README.contains(&format!("`{word}`")),
                    "{word} is not in the README"
                );
            }
        }
    }
}

#[test]
fn every_exit_code_is_in_the_help_and_in_the_table() {
    use orders_cli::Exit;
    let help = help(&[]).split_whitespace().collect::<Vec<_>>().join(" ");
    let codes = help.split("Exit codes: ").nth(1).unwrap();
    let codes = codes.split(". ").next().unwrap();
    let table = README.split("| exit code |").nth(1).unwrap();
    let table = table.split("\n\n").next().unwrap();
    for exit in [
        Exit::Done,
        Exit::Unexpected,
        Exit::Usage,
        Exit::CouldNotStart,
        Exit::NotFound,
        Exit::Refused,
        Exit::SendAgain,
        Exit::NotReached,
    ] {
        let code = exit as u8;
        let named = codes
            .split("; ")
            .any(|part| part.starts_with(&format!("{code} ")));
        assert!(named, "{exit:?} is not in {codes}");
        let in_table = table.contains(&format!("\n| {code} |"));
        assert_eq!(in_table, exit != Exit::CouldNotStart, "{exit:?}");
    }
}

#[test]
fn the_commands_for_newcomers_exist() {
    let makefile = include_str!("../../Makefile");
    let commands = README.split('`').filter(|text| text.starts_with("make "));
    let mut seen = 0;
    for command in commands {
        let target = command.split_whitespace().nth(1).unwrap();
        assert!(
            makefile.contains(&format!("\n{target}:")),
            "{command} is not in the Makefile"
        );
        seen += 1;
    }
    assert!(seen >= 2);
}

#[test]
fn the_table_of_reasons_is_what_the_server_knows() {
    use orders_server::error::Reason;
    let table = README.split("| reason | code |").nth(1).unwrap();
    let table = table.split("\n\n").next().unwrap();
    // Past the rest of the head, and the line below it.
    let rows = table.lines().skip(2).map(|line| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        assert_eq!(cells.len(), 5, "{line}");
        assert!(cells.iter().all(|cell| !cell.is_empty()), "{line}");
        (cells[0].trim_matches('`').to_owned(), cells[1].to_owned())
    });
    let rows: Vec<_> = rows.collect();
    // INVALID_ARGUMENT, where Rust says InvalidArgument.
    let name = |code: tonic::Code| {
        let mut name = String::new();
        for letter in format!("{code:?}").chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_uppercase());
        }
        name
    };
    let known = Reason::ALL.map(|reason| (reason.to_string(), name(reason.code())));
    assert_eq!(rows, known);
}

/// The table "seed feature -> here" names commands, policies, settings of policies and files: each of
/// them is there.
#[test]
fn what_the_table_of_the_five_systems_names_is_there() {
    let table = README
        .split("\n### The five systems that it unifies\n")
        .nth(1)
        .and_then(|rest| rest.split("\n### ").next())
        .expect("the table");
    let presets = include_str!("../../worker/domain/policy/presets.toml");
    let policy = include_str!("../../worker/domain/policy.rs");
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut seen = [0; 4];
    for name in table.split('`').skip(1).step_by(2) {
        if let Some(command) = name.strip_prefix("orders ") {
            let arguments = command.split(' ');
            let output = Command::new(env!("CARGO_BIN_EXE_orders"))
                .args(arguments.take_while(|word| !word.starts_with("--")))
                .arg("--help")
                .output();
            assert!(output.unwrap().status.success(), "`{name}` is no command");
            seen[0] += 1;
        } else if name.starts_with("tests/") {
            assert!(root.join(name).is_file(), "{name} is not there");
            seen[1] += 1;
        } else if let Some((key, _)) = name.split_once(" = ") {
            assert!(presets.contains(name), "{name} is in no preset");
            assert!(policy.contains(&format!("pub {key}:")), "{key} is no key");
            seen[2] += 1;
        }
    }
    for line in presets.lines() {
        if let Some(name) = line.strip_prefix("name = ") {
            let name = name.trim_matches('"');
            assert!(README.contains(&format!("| `{name}` |")), "{name}");
            seen[3] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 1), "{seen:?}");
}
