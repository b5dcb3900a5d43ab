//! Settings of worker versioning.

use clap::Args;
use orders_worker::workflow::worker::Version;

/// Which build runs the orders, for Temporal's worker versioning. Off unless both are set.
#[derive(Args, Clone, Debug)]
pub struct VersioningSettings {
    /// The name under which Temporal knows the builds of this service. With it, orders are run only
    /// once `temporal worker deployment set-current-version` has named the build.
    #[arg(
        long,
        env = "ORDERS_DEPLOYMENT_NAME",
        requires = "build_id",
        value_name = "NAME"
    )]
    pub deployment_name: Option<String>,

    /// The name of this build, another one for each that is deployed: a version or a commit.
    #[arg(
        long,
        env = "ORDERS_BUILD_ID",
        requires = "deployment_name",
        value_name = "ID"
    )]
    pub build_id: Option<String>,
}

impl VersioningSettings {
    /// What Temporal is told; none when versioning is off.
    pub fn version(&self) -> Option<Version> {
        Some(Version {
            deployment_name: self.deployment_name.clone()?,
            build_id: self.build_id.clone()?,
        })
    }
}
