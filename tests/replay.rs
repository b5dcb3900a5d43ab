//! Orders in flight outlive a change of the workflow: whatever was recorded under a released build
//! replays with the workflows as they are. See the README, "Changing the workflow".

mod coverage;
mod folder;
mod gate;
mod record;
mod stories;
