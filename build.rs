//! Turns `proto/` into Rust, with protox and so without protoc: messages, clients and servers by tonic, and the
//! descriptor set for reflection. The rules of requests become checks (`proto/build`).

use std::{env, error::Error, fs, path::PathBuf, process::ExitCode};

use protox::Compiler;

/// Where imports are looked up: our own files, and the vendored ones.
const INCLUDES: [&str; 2] = ["proto", "proto/third_party"];

/// The files of the contract. Cargo runs this again when one of them, or a file beside them, changes.
const CONTRACT: &str = "proto/orders/v1";

/// What the server asks of a payment provider. No part of what it serves, so not in the descriptor set.
const PROVIDER: &str = "proto/orders/provider/v1";

fn main() -> ExitCode {
    match generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), Box<dyn Error>> {
    for path in ["build.rs", CONTRACT, PROVIDER, "proto/third_party"] {
        println!("cargo::rerun-if-changed={path}");
    }

    let mut compiler = Compiler::new(INCLUDES)?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(files(CONTRACT)?)?;

    // protox's own encoding, not that of the typed set: custom options (google.api.field_behavior) survive only here.
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo did not set OUT_DIR")?);
    let contract = compiler.encode_file_descriptor_set();
    fs::write(
        out_dir.join("orders_rules.rs"),
        orders_build::generate(&contract)?,
    )?;
    fs::write(out_dir.join("orders_descriptor_set.bin"), contract)?;

    // The rules of buf.validate are read from the set; Rust types for them would be used by nobody.
    compiler.open_files(files(PROVIDER)?)?;
    orders_build::lint(&compiler.encode_file_descriptor_set())?;
    let mut set = compiler.file_descriptor_set();
    set.file.retain(|file| file.package() != "buf.validate");

    // The names are how a message finds its description in the set, to be written as JSON.
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    // A payment token must not get into a log: their Debug is in proto/redacted.rs.
    config.skip_debug([
        ".orders.v1.PaymentMethod",
        ".orders.provider.v1.AuthorizeRequest",
        ".orders.provider.v1.ChargeRequest",
    ]);
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        .compile_fds_with_config(set, config)?;
    Ok(())
}

/// Every `.proto` file of a folder, sorted, so that the output does not depend on the file system.
fn files(folder: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "proto")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
