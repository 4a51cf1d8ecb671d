//! What others look for in the compiled file.

/// People who find a hole in a deployed program read from its bytes whom to tell.
#[test]
fn security_txt() {
    let program = keel_tests::program();
    let between = |from: &[u8], to: &[u8]| {
        let start = program.windows(from.len()).position(|w| w == from).expect("the text begins") + from.len();
        let length = program[start..].windows(to.len()).position(|w| w == to).expect("the text ends");
        String::from_utf8(program[start..start + length].to_vec()).expect("the text is text")
    };
    let text = between(b"=======BEGIN SECURITY.TXT V1=======\0", b"=======END SECURITY.TXT V1=======\0");
    let fields: Vec<&str> = text.split_terminator('\0').collect();
    let value = |name: &str| fields.chunks(2).find(|pair| pair[0] == name).map(|pair| pair[1]);
    assert_eq!(value("name"), Some("Keel"));
    for required in ["project_url", "contacts", "policy"] {
        assert!(value(required).is_some_and(|v| !v.is_empty()), "{required} is missing in {fields:?}");
    }
}
