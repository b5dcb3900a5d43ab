//! A status with its details, for asserting on.

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// A call that was not done.
#[derive(Clone, Debug)]
pub struct Refused {
    /// The status code.
    pub code: Code,
    /// `ErrorInfo.reason`.
    pub reason: String,
    /// The message for people.
    pub message: String,
    /// All details.
    pub details: ErrorDetails,
}

impl From<Status> for Refused {
    fn from(status: Status) -> Self {
        let details = status.get_error_details();
        let info = details.error_info();
        // There is no connection, or it ended under the call: nobody has said anything.
        let source = std::error::Error::source(&status);
        let lost = source.is_some_and(|source| source.is::<tonic::transport::Error>());
        if lost {
            return Self {
                code: Code::Unavailable,
                reason: "CONNECTION_LOST".to_owned(),
                message: status.message().to_owned(),
                details,
            };
        }
        assert_eq!(
            info.map(|info| info.domain.as_str()),
            Some("orders"),
            "{status:?}"
        );
        Self {
            code: status.code(),
            reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
            message: status.message().to_owned(),
            details,
        }
    }
}

impl Refused {
    /// The fields that are wrong, sorted.
    pub fn fields(&self) -> Vec<String> {
        let bad = self.details.bad_request().expect("a BadRequest");
        let fields = bad.field_violations.iter();
        let mut fields: Vec<String> = fields.map(|violation| violation.field.clone()).collect();
        fields.sort();
        fields
    }

    /// A value of `ErrorInfo.metadata`.
    pub fn metadata(&self, key: &str) -> &str {
        let info = self.details.error_info().expect("an ErrorInfo");
        info.metadata.get(key).map_or("", String::as_str)
    }
}
