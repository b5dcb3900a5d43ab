//! Orders in flight outlive a change of the workflow: whatever was recorded under a released build
//! replays with the workflows as they are. See `docs/changing-the-workflow.md`.

mod command;
mod coverage;
mod example;
mod folder;
mod gate;
mod incompatible;
mod money;
mod record;
mod script;
mod stories;
mod versions;
mod worker;
