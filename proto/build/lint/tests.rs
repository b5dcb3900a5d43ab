use super::{super::tests::compiled, *};

/// What is wrong with a contract of these fields and this RPC; nothing when nothing is.
fn wrong(fields: &str, method: &str) -> String {
    let source = format!(
        r#"syntax = "proto3";
        package orders.v1;
        import "google/api/field_behavior.proto";
        import "google/protobuf/duration.proto";
        import "orders/v1/data.proto";
        import "orders/v1/method.proto";
        message Inner {{
            string a = 1 [(orders.v1.data) = DATA_CLASS_ID];
            string b = 2 [(google.api.field_behavior) = INPUT_ONLY, (orders.v1.data) = DATA_CLASS_SECRET];
        }}
        message GetRequest {{ {fields} }}
        message GetResponse {{}}
        service TestService {{ {method} }}"#
    );
    match lint(&compiled(&source)) {
        Ok(()) => String::new(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn every_field_has_a_class_as_strict_as_what_is_in_it() {
    let fields = |fields: &str| wrong(fields, "");
    assert_eq!(
        fields("int32 a = 1 [(orders.v1.data) = DATA_CLASS_PUBLIC];"),
        ""
    );
    assert!(fields("int32 a = 1;").contains("orders.v1.GetRequest.a: has no data class"));
    assert!(fields("google.protobuf.Duration a = 1;").contains("has no data class"));
    let inner = |behavior: &str, class: &str| {
        fields(&format!(
            "repeated Inner a = 1 [{behavior} (orders.v1.data) = DATA_CLASS_{class}];"
        ))
    };
    assert_eq!(inner("", "SECRET"), "");
    assert!(inner("", "ID").contains("strictest"));
    let output = "(google.api.field_behavior) = OUTPUT_ONLY,";
    assert_eq!(inner(output, "ID"), "");
    assert!(inner(output, "PUBLIC").contains("strictest"));
}

#[test]
fn every_rpc_has_an_option_that_fits_it() {
    let rpc = |answer: &str, option: &str, fields: &str| {
        let rpc = format!("rpc Get(GetRequest) returns ({answer} GetResponse) {{ {option} }}");
        wrong(fields, &rpc)
    };
    let option = |body: &str| format!("option (orders.v1.method) = {{ {body} }};");
    let read = option("kind: METHOD_KIND_READ scope: 'orders.read' default_timeout: {seconds: 1}");
    let stream = option("kind: METHOD_KIND_STREAM scope: 'orders.read'");
    let change = option("kind: METHOD_KIND_CHANGE scope: 'x' default_timeout: {seconds: 1}");
    let request_id = "string request_id = 1 [(orders.v1.data) = DATA_CLASS_ID];";
    assert_eq!(rpc("", &read, ""), "");
    assert_eq!(rpc("stream", &stream, ""), "");
    assert_eq!(rpc("", &change, request_id), "");
    for (answer, option, fields, said) in [
        ("", String::new(), "", "has no `option"),
        (
            "",
            option("kind: METHOD_KIND_READ"),
            "",
            "a kind and a scope",
        ),
        ("", option("scope: 'x'"), "", "a kind and a scope"),
        ("stream", read.clone(), "", "is a stream exactly"),
        ("", stream, "", "is a stream exactly"),
        (
            "",
            option("kind: METHOD_KIND_READ scope: 'x'"),
            "",
            "default_timeout",
        ),
        ("", change, "", "request_id"),
        ("", read, request_id, "request_id"),
    ] {
        let found = rpc(answer, &option, fields);
        assert!(found.contains(said), "{option}: {found}");
    }
}
