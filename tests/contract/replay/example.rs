//! The worked example of `docs/changing-the-workflow.md`: a parcel is to be weighed before it is
//! dispatched, and there are parcels on their way.

#![allow(dead_code, reason = "workflows name their activities by text")]

use super::worker::run_once;
use orders_test_support::TestTemporal;
use orders_worker::workflow::replay::{ReplayError, replay_with};
use std::time::Duration;
use temporalio_client::WorkflowHistory;
use temporalio_common::{ActivityDefinition, data_converters::RawValue};
use temporalio_macros::{activities, workflow, workflow_methods};
use temporalio_sdk::{
    LocalActivityOptions, WorkflowContext, WorkflowResult,
    activities::{ActivityContext, ActivityError},
    workflow_replayer::WorkflowReplayerOptions,
};

struct Named(&'static str);

impl ActivityDefinition for Named {
    type Input = String;
    type Output = String;

    fn name(&self) -> &str {
        self.0
    }
}

/// What is done with a parcel.
pub struct ParcelActivities;

#[activities]
impl ParcelActivities {
    #[activity(name = "prepare_parcel")]
    pub async fn prepare(_ctx: ActivityContext, parcel: String) -> Result<String, ActivityError> {
        Ok(parcel)
    }

    #[activity(name = "weigh_parcel")]
    pub async fn weigh(_ctx: ActivityContext, parcel: String) -> Result<String, ActivityError> {
        Ok(parcel)
    }

    #[activity(name = "dispatch_parcel")]
    pub async fn dispatch(_ctx: ActivityContext, parcel: String) -> Result<String, ActivityError> {
        Ok(parcel)
    }
}

async fn step<W>(ctx: &WorkflowContext<W>, name: &'static str) {
    let options = LocalActivityOptions::builder()
        .start_to_close_timeout(Duration::from_secs(10))
        .schedule_to_close_timeout(Duration::from_secs(12))
        .build();
    let parcel = "parcel-1".to_owned();
    let done = ctx.execute_local_activity(Named(name), parcel, options);
    done.await.ok();
}

/// A build of the workflow.
macro_rules! build {
    ($build:ident, $ctx:ident, $body:block) => {
        mod $build {
            use super::*;

            /// In this build.
            #[workflow]
            #[derive(Default)]
            pub struct Parcel;

            #[workflow_methods]
            impl Parcel {
                #[run(name = "Parcel")]
                pub async fn run(
                    $ctx: &mut WorkflowContext<Self>,
                    _parcel: RawValue,
                ) -> WorkflowResult<()> {
                    let () = $body;
                    Ok(())
                }
            }
        }
    };
}

build!(released, ctx, {
    step(ctx, "prepare_parcel").await;
    step(ctx, "dispatch_parcel").await;
});

build!(forgotten, ctx, {
    step(ctx, "prepare_parcel").await;
    step(ctx, "weigh_parcel").await;
    step(ctx, "dispatch_parcel").await;
});

build!(patched, ctx, {
    step(ctx, "prepare_parcel").await;
    // The first deploy: parcels that passed this point before continue as they began.
    if ctx.patched("weigh-parcel") {
        step(ctx, "weigh_parcel").await;
    }
    step(ctx, "dispatch_parcel").await;
});

build!(deprecated, ctx, {
    step(ctx, "prepare_parcel").await;
    // The second deploy, once no open order is older than the first.
    ctx.deprecate_patch("weigh-parcel");
    step(ctx, "weigh_parcel").await;
    step(ctx, "dispatch_parcel").await;
});

async fn replays<W>(history: &[u8]) -> Result<(), ReplayError>
where
    W: temporalio_workflow::workflows::WorkflowImplementation,
    <W::Run as temporalio_common::WorkflowDefinition>::Input: Send,
{
    let history = WorkflowHistory::from_json(history).unwrap();
    let options = WorkflowReplayerOptions::new()
        .register_workflow::<W>()
        .unwrap();
    replay_with(options.build(), history).await
}

fn assert_refused(replayed: Result<(), ReplayError>) {
    let error = replayed.unwrap_err();
    println!("{error}");
    assert!(matches!(error, ReplayError::Changed(_)), "{error:?}");
}

#[tokio::test]
async fn a_patch_keeps_old_and_new_histories_replaying() {
    let temporal = TestTemporal::start().await;
    let id = |number: u32| format!("parcel/{number}");
    let old = run_once::<released::Parcel, _>(&temporal, &id(1), "Parcel", ParcelActivities).await;
    replays::<released::Parcel>(&old).await.unwrap();

    // What the gate says when the patch is forgotten.
    assert_refused(replays::<forgotten::Parcel>(&old).await);

    let new = run_once::<patched::Parcel, _>(&temporal, &id(2), "Parcel", ParcelActivities).await;
    replays::<patched::Parcel>(&old).await.unwrap();
    replays::<patched::Parcel>(&new).await.unwrap();
    // A build from before the patch cannot take an order over that has passed it: no way back.
    assert_refused(replays::<released::Parcel>(&new).await);

    // Too early for the second deploy, as long as an old order is open.
    assert_refused(replays::<deprecated::Parcel>(&old).await);
    replays::<deprecated::Parcel>(&new).await.unwrap();

    // The third: nothing is left of the patch. Histories of the second deploy replay, those of the
    // first do not.
    let newest =
        run_once::<deprecated::Parcel, _>(&temporal, &id(3), "Parcel", ParcelActivities).await;
    replays::<forgotten::Parcel>(&newest).await.unwrap();
    assert_refused(replays::<forgotten::Parcel>(&new).await);
}

/// The page shows this code.
#[test]
fn the_page_shows_it() {
    let page = include_str!("../../../docs/changing-the-workflow.md");
    let code = include_str!("example.rs");
    for build in ["released", "patched", "deprecated"] {
        let begin = format!("build!({build}, ctx, {{\n");
        let body = code
            .split(&begin)
            .nth(1)
            .unwrap()
            .split("});")
            .next()
            .unwrap();
        let shown: String = body
            .lines()
            .map(|line| format!("{}\n", line.strip_prefix("    ").unwrap()))
            .collect();
        assert!(page.contains(&shown), "the page does not show:\n{shown}");
    }
}
