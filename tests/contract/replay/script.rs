//! A stand-in for the workflow of orders that does what a script says: this build's, changed on purpose.

use serde_json::{Value, json};
use std::time::Duration;
use temporalio_common::{
    ActivityDefinition, data_converters::RawValue, search_attributes::SearchAttributeKey,
};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{LocalActivityOptions, WorkflowContext, WorkflowResult};

/// What a workflow asks Temporal for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Move {
    /// A local activity of that name.
    Activity(&'static str),
    /// The search attribute of the state.
    Show(&'static str),
    /// A timer.
    Wait,
}

/// It goes by the name of the real one.
#[workflow]
#[derive(Default)]
pub struct Script {
    moves: Vec<Move>,
}

struct Named(&'static str);

impl ActivityDefinition for Named {
    type Input = Value;
    type Output = Value;

    fn name(&self) -> &str {
        self.0
    }
}

impl Script {
    /// Of these moves.
    pub fn new(moves: &[Move]) -> Script {
        Script {
            moves: moves.to_vec(),
        }
    }
}

#[workflow_methods]
impl Script {
    /// Whatever the input is.
    #[run(name = "OrderWorkflow")]
    pub async fn run(ctx: &mut WorkflowContext<Self>, _input: RawValue) -> WorkflowResult<String> {
        let moves = ctx.state(|script| script.moves.clone());
        for next in moves {
            match next {
                Move::Activity(name) => {
                    let options = LocalActivityOptions::builder()
                        .start_to_close_timeout(Duration::from_secs(10))
                        .schedule_to_close_timeout(Duration::from_secs(12))
                        .build();
                    let _ = ctx
                        .execute_local_activity(Named(name), json!({}), options)
                        .await;
                }
                Move::Show(state) => {
                    let key = SearchAttributeKey::<String>::keyword("OrderState");
                    let update = key.try_value_set(state.to_owned()).unwrap();
                    ctx.upsert_search_attributes([update]);
                }
                Move::Wait => drop(ctx.timer(Duration::from_secs(3_600)).await),
            }
        }
        Ok("done".to_owned())
    }
}
