//! The exit codes, for scripts.

use tonic::Code;

/// How the program ended. `serve` and `worker` use the first four, the client all but
/// [`Exit::CouldNotStart`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or stopped as asked.
    Done = 0,
    /// Something unexpected, or failed while running.
    Unexpected = 1,
    /// Wrong usage or settings, or a request that can never be right (INVALID_ARGUMENT).
    Usage = 2,
    /// Could not start.
    CouldNotStart = 3,
    /// There is no such order or stock item.
    NotFound = 4,
    /// Refused: not in this state, not at this revision, or the id is taken.
    Refused = 5,
    /// Not reached, not in time, or too much at once: the same request id may be sent again.
    SendAgain = 6,
    /// The state that was waited for was not reached.
    NotReached = 7,
}

impl Exit {
    /// The exit code of a call that ended with a status.
    pub fn of(code: Code) -> Self {
        match code {
            Code::Ok => Self::Done,
            Code::InvalidArgument | Code::OutOfRange => Self::Usage,
            Code::NotFound => Self::NotFound,
            Code::FailedPrecondition
            | Code::Aborted
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::Unauthenticated => Self::Refused,
            Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted => Self::SendAgain,
            Code::Cancelled
            | Code::Unknown
            | Code::Unimplemented
            | Code::Internal
            | Code::DataLoss => Self::Unexpected,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
