//! Where imported rules are found: shipped ones, and files of the folder of the importing file and the folders inside.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use aplysia_compiler::library::{Import, LoadError, Loaded, Loader};

/// Reads rules below a folder, and notes which.
pub(crate) struct Files {
    root: PathBuf,
    read: std::cell::RefCell<Vec<PathBuf>>,
}

impl Files {
    /// Files below `root`.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, read: std::cell::RefCell::default() }
    }

    /// A text below the root.
    pub(crate) fn text(&self, path: &Path) -> Result<String, LoadError> {
        let other = |error: std::io::Error| match error.kind() {
            std::io::ErrorKind::NotFound => LoadError::NotFound,
            _ => LoadError::Other(error.to_string()),
        };
        let root = self.root.canonicalize().map_err(other)?;
        let path = root.join(path).canonicalize().map_err(other)?;
        if !path.starts_with(&root) {
            return Err(LoadError::OutsideRoot);
        }
        if std::fs::metadata(&path).map_err(other)?.len() > 16 << 20 {
            return Err(LoadError::TooLarge);
        }
        let text = std::fs::read_to_string(&path).map_err(other)?;
        self.read.borrow_mut().push(path);
        Ok(text)
    }

    /// The files that have been read.
    pub(crate) fn read(&self) -> Vec<PathBuf> {
        self.read.borrow().clone()
    }
}

impl Loader for Files {
    fn load(&self, importer: &str, target: &Import) -> Result<Loaded, LoadError> {
        match target {
            Import::Shipped(name) => {
                let text = aplysia_rules::find(name).ok_or(LoadError::NotFound)?;
                Ok(Loaded { name: format!("std::{name}"), text: text.to_owned() })
            }
            Import::File(path) => {
                if importer.starts_with("std::") {
                    return Err(LoadError::OutsideRoot);
                }
                let folder = Path::new(importer).parent().unwrap_or(Path::new(""));
                // The same file always has the same name.
                let mut parts: Vec<OsString> = Vec::new();
                for part in folder.join(path).components() {
                    match part {
                        Component::ParentDir => {
                            parts.pop().ok_or(LoadError::OutsideRoot)?;
                        }
                        Component::Normal(name) => parts.push(name.to_owned()),
                        Component::CurDir => {}
                        Component::RootDir | Component::Prefix(_) => return Err(LoadError::OutsideRoot),
                    }
                }
                let path: PathBuf = parts.iter().collect();
                let text = self.text(&path)?;
                let name = path.to_string_lossy().replace('\\', "/");
                Ok(Loaded { name, text })
            }
        }
    }

    fn shipped(&self) -> Vec<String> {
        aplysia_rules::all().map(|(name, _)| name.to_owned()).collect()
    }
}
