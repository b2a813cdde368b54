//! What is printed from the table of commands and the types of the output.

use clap::CommandFactory;

use crate::cli::{Cli, CompletionsArgs, ManArgs, SchemaArgs, SchemaOf};
use crate::exit::Failure;
use crate::output;

/// `schema`.
pub(crate) fn schema(args: &SchemaArgs) -> anyhow::Result<u8> {
    let schema = match args.output {
        SchemaOf::Diagnose => report::schema(),
        SchemaOf::Failures => report::failure_schema(),
        SchemaOf::Probe => report::probe_schema(),
    };
    output::write(&(schema.trim_end().to_owned() + "\n"))?;
    Ok(0)
}

/// `completions`.
pub(crate) fn completions(args: &CompletionsArgs) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "webmasterid", &mut script);
    output::write(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

/// `man`.
pub(crate) fn man(args: &ManArgs) -> anyhow::Result<u8> {
    let mut program = Cli::command();
    program.build();
    let command = match &args.command {
        None => program,
        Some(name) => program
            .find_subcommand(name)
            .cloned()
            .ok_or_else(|| Failure::arguments(format!("there is no command {name}")))?,
    };
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page)?;
    output::write(&String::from_utf8_lossy(&page))?;
    Ok(0)
}
