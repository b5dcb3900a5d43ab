//! `orders completions`: what a shell needs to complete command lines.

use super::{Exit, options::Format, print};
use clap::{Args, Command};
use clap_complete::{Shell, generate};

/// Arguments of `orders completions`.
///
/// Not one of the [`ClientCommand`](super::ClientCommand)s, since the completions are those of the whole
/// program, which only the caller knows.
#[derive(Args, Debug)]
pub struct Completions {
    /// Which shell. For bash: `source <(orders completions bash)`.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints the completions of `program`.
    pub fn print(self, program: &mut Command) -> Exit {
        let mut script = Vec::new();
        generate(self.shell, program, "orders", &mut script);
        match print::line(String::from_utf8_lossy(&script).trim_end()) {
            Ok(()) => Exit::Done,
            Err(failure) => {
                eprintln!("{}", failure.in_format(Format::Text));
                failure.exit()
            }
        }
    }
}
