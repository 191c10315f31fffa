//! Texts that are kept in `tests/snap` and compared: `INSTA_UPDATE=always` writes them anew.

use crate::root;

/// Compares a text with the snapshot of a folder and name.
pub fn check(folder: &str, name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("tests/snap").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}
