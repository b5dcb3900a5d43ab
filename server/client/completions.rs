//! `orders completions`: what a shell needs to complete command lines.

use super::{Run, failure::Failure, options::Format, print};
use crate::settings::Settings;
use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

/// Arguments of `orders completions`.
#[derive(Args, Debug)]
pub struct Completions {
    /// Which shell. For bash: `source <(orders completions bash)`.
    #[arg(value_enum)]
    shell: Shell,
}

impl Run for Completions {
    fn format(&self) -> Format {
        Format::Text
    }

    async fn run(self) -> Result<(), Failure> {
        let mut script = Vec::new();
        generate(self.shell, &mut Settings::command(), "orders", &mut script);
        print::line(String::from_utf8_lossy(&script).trim_end())
    }
}
