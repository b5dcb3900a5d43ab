//! Watches that are cut off, again and again.

use super::{change, complete, held};
use orders_test_support::{
    Cli, Client, ServerOptions, TestServer, eventually, process::Process, shared,
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

const CHANGES: usize = 200;
const KILLS: usize = 50;

/// The revisions that a watch of the command line has printed, in whole lines.
fn printed(watch: &Process) -> Vec<i64> {
    let output = watch.output();
    let answers = output
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    let revision = |answer: serde_json::Value| {
        let revision = answer["event"]["revision"].as_str()?;
        revision.parse().ok()
    };
    answers.filter_map(revision).collect()
}

#[tokio::test]
async fn killed_and_resumed_fifty_times_during_two_hundred_changes_it_has_each_once() {
    let server = shared().await;
    let client = server.client().await;
    let cli = Cli::of(server);
    let id = held(&client).await;
    let begin = client.get(&id).await.revision;
    let done = Arc::new(AtomicBool::new(false));
    let changing = {
        let (client, id, done) = (client.clone(), id.clone(), done.clone());
        tokio::spawn(async move {
            // As many as it takes: there are changes until the last kill.
            let mut changes = 0;
            while changes < CHANGES || !done.load(Ordering::SeqCst) {
                change(&client, &id, changes).await;
                changes += 1;
            }
            changes
        })
    };
    let mut seen = Vec::new();
    let mut kills = 0;
    while kills < KILLS {
        let after = seen.last().copied().unwrap_or(0).to_string();
        let mut watch = cli.start(&["watch", &id, "--after", &after, "--output", "json"]);
        // Each life sees its share, and is then killed in the middle of whatever it does.
        eventually("the watch to print", async || {
            (printed(&watch).len() >= CHANGES / KILLS).then_some(())
        })
        .await;
        watch.kill();
        seen.extend(printed(&watch));
        kills += 1;
    }
    done.store(true, Ordering::SeqCst);
    let changes = changing.await.unwrap();
    complete(&client, &id).await;
    let after = seen.last().copied().unwrap();
    let cut_off_at = after;
    let rest = client.watch_to_the_end(&id, after).await;
    seen.extend(rest.iter().map(|(event, _)| event.revision));
    let closed = client.get(&id).await.revision;
    assert_eq!(seen, (1..=closed).collect::<Vec<_>>());
    assert!(closed >= begin + CHANGES as i64);
    assert!(cut_off_at <= begin + changes as i64);
    println!(
        "{kills} kills, {changes} changes, {closed} revisions, each once; the last kill at {cut_off_at}"
    );
}

#[tokio::test]
async fn the_command_line_goes_on_when_the_server_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let options = ServerOptions::default().data_dir(&folder.path().join("data"));
    let mut server = TestServer::start(options.clone()).await;
    let client = server.client().await;
    let id = held(&client).await;
    let held = client.get(&id).await.revision;
    let cli = Cli::of(&server);
    let watch = ["watch", &id, "--output", "json", "--timeout", "40s"];
    let mut one = cli.start(&watch);
    let mut many = cli.start(&[
        "watch",
        "--customer",
        "customer-1",
        "--output",
        "json",
        "--timeout",
        "40s",
    ]);
    eventually("the watch to print", async || {
        (printed(&one).last() == Some(&held)).then_some(())
    })
    .await;
    let moved = change(&client, &id, 1).await;
    eventually("both to print", async || {
        let both = [&one, &many].map(printed);
        both.iter()
            .all(|seen| seen.last() == Some(&moved))
            .then_some(())
    })
    .await;
    server.process.kill();
    // The same address again, as behind a load balancer.
    let server = TestServer::start(options.listen(&server.address)).await;
    let client = Client::connect(&server.address).await;
    complete(&client, &id).await;
    let closed = client
        .until(&id, orders::v1::OrderState::Completed)
        .await
        .revision;
    let ended = eventually("the watch to end with the order", async || one.ended()).await;
    assert!(ended.success(), "{}", one.output());
    assert_eq!(printed(&one), (1..=closed).collect::<Vec<_>>());
    eventually("the watch of many to have it, too", async || {
        (printed(&many).last() == Some(&closed)).then_some(())
    })
    .await;
    assert_eq!(printed(&many), (moved..=closed).collect::<Vec<_>>());
    // It has no end of its own.
    assert!(many.ended().is_none());
}
