use super::*;
use protox::{
    Compiler,
    file::{ChainFileResolver, File, FileResolver, IncludeFileResolver},
};
use std::path::Path;

/// Serves one file that is not on disk.
struct Written(String);

impl FileResolver for Written {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name {
            "orders/v1/test.proto" => File::from_source(name, &self.0),
            _ => Err(protox::Error::file_not_found(name)),
        }
    }
}

/// The descriptor set of a file beside those of the contract.
pub(super) fn compiled(source: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = ChainFileResolver::new();
    files.add(Written(source.to_owned()));
    for folder in [root.clone(), root.join("third_party")] {
        files.add(IncludeFileResolver::new(folder));
    }
    files.add(protox::file::GoogleFileResolver::new());
    let mut compiler = Compiler::with_file_resolver(files);
    compiler.include_imports(true);
    compiler.open_file("orders/v1/test.proto").unwrap();
    compiler.encode_file_descriptor_set()
}

/// Generates the checks of a contract whose one request has these fields and options.
fn generated(fields: &str) -> Result<String, Error> {
    let source = format!(
        r#"syntax = "proto3";
        package orders.v1;
        import "buf/validate/validate.proto";
        import "google/protobuf/timestamp.proto";
        import "orders/v1/rules.proto";
        message GetRequest {{ {fields} }}
        message GetResponse {{}}
        enum Color {{ COLOR_UNSPECIFIED = 0; COLOR_RED = 1; COLOR_BLUE = 2; }}
        service TestService {{ rpc Get(GetRequest) returns (GetResponse); }}"#
    );
    generate(&compiled(&source))
}

#[test]
fn a_check_has_the_rules_of_its_field() {
    let text = generated(
        r#"string sku = 1 [
            (buf.validate.field).required = true,
            (buf.validate.field).string.max_len = 64,
            (buf.validate.field).string.(orders.v1.printable) = true];
        optional int64 count = 2 [(buf.validate.field).int64.gte = 1];
        Color color = 3 [(buf.validate.field).enum.defined_only = true];
        string without = 4;"#,
    );
    let text = text.unwrap();
    for part in [
        "impl Check for crate::v1::GetRequest",
        r#"required: Some("1 to 64 printable characters")"#,
        "&STRING_PRINTABLE, &STRING_TRIMMED",
        "if let Some(value) = self.count",
        "least: Some(1), most: None",
        r#"wanted: "COLOR_RED or COLOR_BLUE""#,
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!text.contains("without"), "{text}");
}

#[test]
fn a_rule_that_is_not_known_does_not_build() {
    for (field, named) in [
        (
            "string a = 1 [(buf.validate.field).string.email = true];",
            "email",
        ),
        (
            "string a = 1 [(buf.validate.field).string.pattern = \"^a$\"];",
            "pattern",
        ),
        (
            "string a = 1 [(buf.validate.field).string.(orders.v1.printable) = false];",
            "printable",
        ),
        (
            "string a = 1 [(buf.validate.field).ignore = IGNORE_ALWAYS];",
            "ignore",
        ),
        ("int64 a = 1 [(buf.validate.field).int64.gt = 1];", "gt"),
        (
            "bool a = 1 [(buf.validate.field).required = true];",
            "required",
        ),
        (
            "repeated string a = 1 [(buf.validate.field).repeated.min_items = 1];",
            "list",
        ),
        ("oneof a { string b = 1; }", "oneof"),
        (
            "string a = 1 [(buf.validate.field).cel = {id: \"new\" message: \"m\" expression: \"true\"}];",
            "no twin",
        ),
        (
            "string a = 1 [(buf.validate.field).cel = {id: \"money.nanos\" message: \"m\" expression: \"true\"}];",
            "not the one of its twin",
        ),
        (
            "option (buf.validate.message).oneof = {fields: [\"a\"]}; string a = 1;",
            "oneof",
        ),
    ] {
        let error = generated(field).unwrap_err().to_string();
        assert!(error.contains(named), "{field}: {error}");
    }
}
