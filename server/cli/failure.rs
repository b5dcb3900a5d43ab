//! What went wrong, in one shape for everything: the server's statuses and the client's own.

use super::{
    exit::Exit,
    lines::Lines,
    options::Format,
    words::{code_name, command_list, plain_state},
};
use orders_domain::visible;
use serde::Serialize;
use std::collections::BTreeMap;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Why a command was not done.
#[derive(Debug, thiserror::Error, Serialize)]
#[error("{}", .0.message)]
pub struct Failure(Box<Said>);

/// What is known about it; as JSON it has these names.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    /// The name of a gRPC status code.
    code: &'static str,
    /// The stable reason: the server's `ErrorInfo.reason`, or one of the client's own.
    reason: String,
    /// What is wrong, for people.
    message: String,
    /// All fields that are wrong.
    violations: Vec<Violation>,
    /// What the server says beside: the state of the order, say.
    metadata: BTreeMap<String, String>,
    /// The request that was sent, if it asked for a change.
    #[serde(skip_serializing_if = "String::is_empty")]
    request_id: String,
    /// Whether the same request may be sent again as it is.
    safe_to_send_again: bool,
    /// The exit code.
    #[serde(serialize_with = "exit_code")]
    exit_code: Exit,
}

#[derive(Debug, Serialize)]
struct Violation {
    field: String,
    description: String,
}

fn exit_code<S: serde::Serializer>(exit: &Exit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(*exit as u8)
}

impl Failure {
    fn new(exit: Exit, code: Code, reason: &str, message: impl Into<String>) -> Self {
        Self(Box::new(Said {
            code: code_name(code),
            reason: reason.to_owned(),
            message: message.into(),
            violations: Vec::new(),
            metadata: BTreeMap::new(),
            request_id: String::new(),
            safe_to_send_again: exit == Exit::SendAgain,
            exit_code: exit,
        }))
    }

    /// The command line cannot be understood.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, Code::InvalidArgument, "USAGE", message)
    }

    /// There is nothing of that name.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(Exit::NotFound, Code::NotFound, "NOT_FOUND", message)
    }

    /// Something that should not happen: an answer that lacks its order, say.
    pub fn unexpected(message: impl Into<String>) -> Self {
        Self::new(Exit::Unexpected, Code::Internal, "UNEXPECTED", message)
    }

    /// The server cannot be reached.
    pub fn unreachable(message: impl Into<String>) -> Self {
        let (exit, code) = (Exit::SendAgain, Code::Unavailable);
        Self::new(exit, code, "SERVER_UNREACHABLE", message)
    }

    /// No answer came in time.
    pub fn late(message: impl Into<String>) -> Self {
        let (exit, code) = (Exit::SendAgain, Code::DeadlineExceeded);
        Self::new(exit, code, "DEADLINE_EXCEEDED", message)
    }

    /// The state that was waited for did not come.
    pub fn not_reached(message: impl Into<String>, closed: bool) -> Self {
        let code = match closed {
            true => Code::FailedPrecondition,
            false => Code::DeadlineExceeded,
        };
        Self::new(Exit::NotReached, code, "WAIT_NOT_REACHED", message)
    }

    /// What the server answered.
    pub fn status(status: &Status) -> Self {
        let details = status.get_error_details();
        let code = status.code();
        let exit = match code {
            // Too much in itself, not at the moment: waiting does not help.
            Code::ResourceExhausted if details.retry_info().is_none() => Exit::Usage,
            _ => Exit::of(code),
        };
        let mut failure = Self::new(exit, code, "", status.message());
        let said = &mut *failure.0;
        if let Some(info) = details.error_info() {
            said.reason.clone_from(&info.reason);
            said.metadata = info.metadata.clone().into_iter().collect();
        }
        if let Some(bad) = details.bad_request() {
            let violations = bad.field_violations.iter();
            let violations = violations.map(|violation| Violation {
                field: violation.field.clone(),
                description: violation.description.clone(),
            });
            said.violations = violations.collect();
        }
        failure
    }

    /// The failure of a request of that id.
    pub fn of_request(mut self, request_id: &str) -> Self {
        request_id.clone_into(&mut self.0.request_id);
        self
    }

    /// The failure of a call of the OperatorService, which a server may leave to others.
    pub fn of_operator(mut self) -> Self {
        if self.0.code == code_name(Code::Unimplemented) {
            "this server does not serve the OperatorService (it was started with --no-operator): name \
             one that does with --server"
                .clone_into(&mut self.0.message);
        }
        self
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.0.exit_code
    }

    /// As it is printed to standard error.
    pub fn in_format(&self, format: Format) -> String {
        match format {
            Format::Text => self.text(),
            // Texts and numbers: their JSON cannot fail.
            Format::Json => {
                visible::in_json(serde_json::to_string_pretty(self).unwrap_or_default())
            }
        }
    }

    fn text(&self) -> String {
        let mut lines = Lines::default();
        if self.0.violations.is_empty() {
            lines.line(format!("orders: {}", self.0.message));
        } else {
            lines.line("orders: the request is not valid:");
        }
        for Violation { field, description } in &self.0.violations {
            lines.line(format!("  {field}: {description}"));
        }
        for (key, value) in &self.0.metadata {
            match key.as_str() {
                "state" => lines.line(format!("  state: {}", plain_state(value))),
                "allowed_commands" if value.is_empty() => lines.line("  allowed now: nothing"),
                "allowed_commands" => {
                    lines.line(format!("  allowed now: {}", command_list(value)));
                }
                "currency_code" if self.0.reason == "CURRENCY_MISMATCH" => {
                    lines.line(format!(
                        "  if that is the currency that arrived: send it again with --currency {value} \
                         and another --request-id"
                    ));
                }
                // They stand in the message.
                _ => {}
            }
        }
        match (self.0.exit_code, self.0.request_id.as_str()) {
            (Exit::SendAgain, "") => lines.line("  safe to send again"),
            (Exit::SendAgain, id) => {
                lines.line(format!("  safe to send again with --request-id {id}"));
            }
            (Exit::Unexpected, id) if !id.is_empty() => {
                lines.line(format!("  request id: {id}"));
            }
            _ => {}
        }
        lines.into_text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use tonic_types::ErrorDetails;

    #[test]
    fn another_currency_is_told_with_the_way_to_send_it() {
        let metadata = [("currency_code".to_owned(), "EUR".to_owned())];
        let details =
            ErrorDetails::with_error_info("CURRENCY_MISMATCH", "orders", HashMap::from(metadata));
        let status = Status::with_error_details(Code::FailedPrecondition, "in EUR", details);
        let text = Failure::status(&status).in_format(Format::Text);
        assert!(text.contains("--currency EUR"), "{text}");
    }

    #[test]
    fn a_server_without_the_operator_service_is_named_as_such() {
        let failure = Failure::status(&Status::unimplemented("there is no method"));
        let text = failure.of_operator().in_format(Format::Text);
        assert!(text.contains("--no-operator"), "{text}");
        let failure = Failure::status(&Status::not_found("there is no order"));
        let text = failure.of_operator().in_format(Format::Text);
        assert_eq!(text, "orders: there is no order");
    }
}
