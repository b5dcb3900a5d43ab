//! The README and the pages of `docs/`, run as they stand: a command in them that does not do what it says
//! fails here.
//!
//! Every block that is fenced as `sh` is run. The blocks of a page are run one after the other, against a
//! server of the page's own, as `make run` starts it. A comment `<!-- shows: A | B -->` after a block names
//! what its output must hold; reads are repeated until it does, since orders move by themselves. A block
//! that cannot be run here (it needs a cluster, say, or is an example of an output) has no language behind
//! its fence.

use orders_test_support::{PATIENCE, ServerOptions, TestServer, temporal};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// The root of the repository.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The README is a first page: what it does not say in so many lines belongs in `docs/`.
const README_LINES: usize = 200;

/// Runs the blocks of each page, of which there are so many at least.
macro_rules! pages {
    ($($test:ident: $page:literal, $least:literal;)+) => {
        /// The pages whose blocks are run.
        const RUN: &[&str] = &[$($page),+];

        $(#[tokio::test]
        async fn $test() {
            shows_what_it_says($page, $least).await;
        })+
    };
}

pages! {
    the_readme_shows_what_it_says: "README.md", 7;
    the_tour_shows_what_it_says: "docs/tour.md", 25;
    the_page_of_the_client_shows_what_it_says: "docs/cli.md", 9;
    the_contract_shows_what_it_says: "docs/contract.md", 1;
}

struct Block {
    script: String,
    shows: Vec<String>,
}

/// The folder of the built `orders`.
fn built() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_orders")).parent().unwrap()
}

/// The text of a page.
fn read(page: &str) -> String {
    let text = std::fs::read_to_string(Path::new(ROOT).join(page));
    text.unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// All pages for readers of the repository, by their paths.
fn documents() -> BTreeMap<String, String> {
    let folders = ["", "docs/"].into_iter();
    let names = folders.flat_map(|folder| {
        let entries = std::fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
        let names = entries.map(move |entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            format!("{folder}{name}")
        });
        names.filter(|name| name.ends_with(".md"))
    });
    let all: BTreeMap<_, _> = names.map(|name| (name.clone(), read(&name))).collect();
    assert!(all.len() > 15, "{:?}", all.keys());
    all
}

/// The `sh` blocks of a page, each with the comment that follows it.
fn blocks(text: &str) -> Vec<Block> {
    let mut found = Vec::new();
    for part in text.split("```sh\n").skip(1) {
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

/// A page without its blocks, which hold no links and no headings.
fn prose(text: &str) -> String {
    let parts = text.split("\n```").enumerate();
    let outside = parts.filter(|(number, _)| number % 2 == 0);
    let lines = outside.map(|(number, part)| match part.split_once('\n') {
        // Behind the end of a fence.
        Some((_, rest)) if number > 0 => rest,
        _ => part,
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn run(script: &str, address: &str) -> (String, bool) {
    let tools = Path::new(ROOT).join(".tools/bin");
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

/// Runs the blocks of a page, of which there are `least` or more.
async fn shows_what_it_says(page: &str, least: usize) {
    let blocks = blocks(&read(page));
    assert!(
        blocks.len() >= least,
        "{page} has only {} blocks",
        blocks.len()
    );
    let needs_grpcurl = blocks.iter().any(|block| block.script.contains("grpcurl "));
    if needs_grpcurl && temporal::grpcurl().is_none() {
        return;
    }
    let server = TestServer::start(ServerOptions::default()).await;
    for Block { script, shows } in blocks {
        let end = Instant::now() + PATIENCE;
        loop {
            let (output, done) = run(&script, &server.address);
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
                "this block of {page}:\n{script}\nlacks {missing:?} (done: {done}):\n{output}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

#[test]
fn every_page_with_commands_is_run() {
    let documents = documents();
    let with_blocks = documents
        .iter()
        .filter(|(_, text)| !blocks(text).is_empty());
    let with_blocks: BTreeSet<&str> = with_blocks.map(|(page, _)| page.as_str()).collect();
    let run: BTreeSet<&str> = RUN.iter().copied().collect();
    assert_eq!(
        with_blocks, run,
        "pages with blocks, and pages that are run"
    );
}

#[test]
fn the_readme_is_short() {
    let lines = read("README.md").lines().count();
    assert!(lines <= README_LINES, "the README has {lines} lines");
}

/// The name by which links lead to a heading, as hosts of repositories make it.
fn anchor(heading: &str) -> String {
    let letters = heading.chars().flat_map(char::to_lowercase);
    let kept = letters.filter_map(|letter| match letter {
        ' ' => Some('-'),
        letter => Some(letter).filter(|c| c.is_alphanumeric() || "-_".contains(*c)),
    });
    kept.collect()
}

/// The targets of the links of a page, other than those of the web.
fn links(prose: &str) -> Vec<&str> {
    let targets = prose.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    targets.filter(|target| !target.contains("://")).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let documents: BTreeMap<_, _> = documents()
        .into_iter()
        .map(|(page, text)| (page, prose(&text)))
        .collect();
    let has_heading = |page: &str, heading: &str| {
        let lines = documents
            .get(page)
            .into_iter()
            .flat_map(|text| text.lines());
        let mut headings = lines.filter(|line| line.starts_with('#'));
        headings.any(|line| anchor(line.trim_start_matches('#').trim()) == heading)
    };
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (page, text) in &documents {
        let folder = Path::new(page).parent().unwrap();
        for target in links(text) {
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => page.clone(),
                file => inside(&folder.join(file)),
            };
            let is_there = Path::new(ROOT).join(&path).exists();
            if !is_there || !(heading.is_empty() || has_heading(&path, heading)) {
                wrong.push(format!("{page}: {target}"));
            }
            seen += 1;
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(seen > 100, "{seen}");
}

/// A path below the root without `..`.
fn inside(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.iter().map(|part| part.to_str().unwrap()) {
        match part {
            ".." => {
                parts.pop();
            }
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
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
    let page = read("docs/configuration.md");
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
                    page.contains(&format!("`{word}`")),
                    "{word} is not in docs/configuration.md"
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
    let page = read("docs/cli.md");
    let table = page.split("| exit code |").nth(1).unwrap();
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
    let mut seen = 0;
    for (page, text) in documents() {
        // Of the text, and lines of their own in blocks.
        let inline = text.split('`').filter(|text| text.starts_with("make "));
        let lines = text.lines().filter(|line| line.starts_with("make "));
        for command in inline.chain(lines) {
            let target = command.split_whitespace().nth(1).unwrap();
            assert!(
                makefile.contains(&format!("\n{target}:")),
                "{page}: {command} is not in the Makefile"
            );
            seen += 1;
        }
    }
    assert!(seen >= 20, "{seen}");
}

#[test]
fn the_table_of_reasons_is_what_the_server_knows() {
    use orders_server::error::Reason;
    let page = read("docs/errors.md");
    let table = page.split("| reason | code |").nth(1).unwrap();
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
    let page = read("docs/coming-from-the-five-systems.md");
    let table = page
        .split("\n## What each system became\n")
        .nth(1)
        .and_then(|rest| rest.split("\n## ").next())
        .expect("the table");
    let presets = include_str!("../../worker/domain/policy/presets.toml");
    let policy = include_str!("../../worker/domain/policy.rs");
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
            assert!(Path::new(ROOT).join(name).is_file(), "{name} is not there");
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
            assert!(page.contains(&format!("| `{name}` |")), "{name}");
            seen[3] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 1), "{seen:?}");
}
