//! Rules: from a text, a file or the library, with options chosen, and composed.
//!
//! A rule stays open, so that others can be added to it; `Engine::register` finishes it. The texts are read here, by
//! loaders that stay inside one folder; the compiler opens no file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aplysia_compiler::compose;
use aplysia_compiler::diag::{Diagnostics, Severity, code, render};
use aplysia_compiler::ir;
use aplysia_compiler::library::{Import, Library, LoadError, Loaded, Loader, Settings};
use aplysia_compiler::pass::delays::{Delays, with_delays};
use aplysia_compiler::source::Sources;

use crate::error::{Error, Result};
use crate::names;

/// No text that a loader reads is longer.
const MOST_BYTES: u64 = 16 << 20;

/// A rule that groups can follow.
///
/// ```
/// use aplysia::Rule;
/// let decay = Rule::from_source("decay", "rule decay { param k = 0.1; plastic w; update { dw -= k * w; } }")?;
/// assert_eq!(decay.name(), "decay");
/// let broken = Rule::from_source("broken", "rule broken { plastic w; update { dv -= w; } }");
/// assert!(broken.unwrap_err().to_string().contains("dv"));
/// # Ok::<(), aplysia::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Rule {
    sources: Arc<Sources>,
    open: Arc<ir::Rule>,
    warnings: Diagnostics,
    /// Where it is one rule of a library, not a composition made here.
    choice: Option<Choice>,
}

/// Which rule of which library, and its options.
#[derive(Clone, Debug)]
struct Choice {
    library: Arc<Library>,
    name: Option<String>,
    settings: Settings,
}

/// A finished rule, with its texts for messages.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    pub(crate) ir: Arc<ir::Rule>,
    sources: Arc<Sources>,
}

impl Finished {
    /// The same rule for a group with delays.
    pub(crate) fn with_delays(self, delays: &Delays) -> Result<Self> {
        if *delays == Delays::default() {
            return Ok(self);
        }
        let ir = with_delays(&self.ir, delays).map_err(|found| self.error(&found))?;
        Ok(Self { ir: Arc::new(ir), ..self })
    }
}

impl Rule {
    /// The last rule of a text; `name` is what messages call the text. It can import shipped rules, but no files.
    ///
    /// # Errors
    /// Everything that is wrong with the text, with its places.
    pub fn from_source(name: &str, text: &str) -> Result<Self> {
        Self::load(name, text, &Shipped)
    }

    /// The rule that `plasticity!` has made a module of, for engines on any device.
    ///
    /// # Errors
    /// If its text imports files, which are not at hand when the program runs.
    #[cfg(feature = "macros")]
    pub fn from_item(item: &aplysia_native::Item) -> Result<Self> {
        Self::load("plasticity!", item.source, &Shipped)?.select(item.name)
    }

    /// The last rule of a file. It can import shipped rules, and files of its folder and the folders inside.
    ///
    /// # Errors
    /// If the file cannot be read, or everything that is wrong with its text.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let root = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        Self::from_file_within(path, root.unwrap_or(Path::new(".")))
    }

    /// The last rule of a file, which can import files of the folder `root` and the folders inside.
    ///
    /// # Errors
    /// If a file cannot be read, or everything that is wrong with its text.
    pub fn from_file_within(path: impl AsRef<Path>, root: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let error = |source| Error::File { path: path.to_owned(), source };
        let root = root.as_ref().canonicalize().map_err(error)?;
        let text = read_text(path).map_err(|refusal| error(std::io::Error::other(refusal)))?;
        let name = path.to_string_lossy().into_owned();
        Self::load(&name, &text, &Folder { root, first: (name.clone(), path.to_owned()) })
    }

    /// A rule of the library that is shipped with this crate.
    ///
    /// # Errors
    /// If there is no such rule.
    pub fn shipped(name: &str) -> Result<Self> {
        match aplysia_rules::find(name) {
            Some(text) => Self::load(&format!("std::{name}"), text, &Shipped)?.select(name),
            None => {
                let known: Vec<&str> = aplysia_rules::all().map(|(name, _)| name).collect();
                Err(Error::UnknownShippedRule { name: name.to_owned(), help: names::help(name, known) })
            }
        }
    }

    /// The rule of this name, where the text declares several.
    ///
    /// # Errors
    /// If the text declares no such rule, or it has errors.
    pub fn select(&self, name: &str) -> Result<Self> {
        let choice = self.choice("choosing a rule")?;
        Self::open(Choice { name: Some(name.to_owned()), ..choice.clone() })
    }

    /// Sets an option of the rule: `bound`, or `stdp.bound` where several parts have it.
    ///
    /// # Errors
    /// If the rule has no such option or the option no such value, or the rule has been composed here.
    pub fn option(&self, name: &str, value: &str) -> Result<Self> {
        let mut choice = self.choice("setting an option")?.clone();
        choice.settings.options.push((name.to_owned(), value.to_owned()));
        Self::open(choice)
    }

    /// This rule and another one as one, stage by stage, as `+` composes them.
    ///
    /// # Errors
    /// If they disagree about what they share.
    pub fn compose(&self, other: &Rule) -> Result<Self> {
        let mut sources = (*self.sources).clone();
        let shift = sources.iter().count() as u32;
        for (_, source) in other.sources.iter() {
            sources.add(source.name.as_str(), source.text.as_str());
        }
        let mut added = (*other.open).clone();
        compose::shift_files(&mut added, shift);
        let open =
            compose::compose(&[(*self.open).clone(), added]).map_err(|found| error(&sources, &found))?;
        let warnings = self.warnings.clone();
        Ok(Self { sources: Arc::new(sources), open: Arc::new(open), warnings, choice: None })
    }

    /// Its name; that of a composition is made of its parts' names.
    pub fn name(&self) -> &str {
        &self.open.name
    }

    /// What is worth saying although the rule compiles, as it is shown to people; empty where there is nothing.
    pub fn warnings(&self) -> String {
        render::render_all(&self.sources, &self.warnings, false)
    }

    /// The finished rule in the compiler's own form.
    ///
    /// # Errors
    /// If something is still open: an `extern` whose state no part declares, say.
    pub fn ir(&self) -> Result<Arc<ir::Rule>> {
        Ok(self.finish()?.ir)
    }

    /// A rule that other code has made, in the compiler's own form and still open.
    pub fn from_ir(open: ir::Rule) -> Self {
        Self { sources: Arc::default(), open: Arc::new(open), warnings: Diagnostics::new(), choice: None }
    }

    pub(crate) fn finish(&self) -> Result<Finished> {
        let finished = compose::finish((*self.open).clone()).map_err(|found| error(&self.sources, &found))?;
        Ok(Finished { ir: Arc::new(finished), sources: self.sources.clone() })
    }

    fn load(name: &str, text: &str, loader: &dyn Loader) -> Result<Self> {
        let (library, found) = Library::load(name, text, loader);
        if found.has_errors() {
            return Err(error(library.sources(), &found));
        }
        Self::open(Choice { library: Arc::new(library), name: None, settings: Settings::default() })
    }

    fn open(choice: Choice) -> Result<Self> {
        let sources = choice.library.sources();
        let opened = choice.library.open(choice.name.as_deref(), &choice.settings);
        let (open, warnings) = opened.map_err(|found| error(sources, &found))?;
        Ok(Self { sources: Arc::new(sources.clone()), open: Arc::new(open), warnings, choice: Some(choice) })
    }

    fn choice(&self, what: &str) -> Result<&Choice> {
        self.choice.as_ref().ok_or_else(|| Error::NotSupported {
            what: what.to_owned(),
            on: "a rule that has been composed by the host; do it before composing".to_owned(),
        })
    }
}

impl Finished {
    /// Diagnostics as an error.
    pub(crate) fn error(&self, found: &Diagnostics) -> Error {
        error(&self.sources, found)
    }
}

/// Diagnostics as an error that carries them as people see them.
fn error(sources: &Sources, found: &Diagnostics) -> Error {
    let first = found.iter().find(|diagnostic| diagnostic.severity() == Severity::Error);
    let code = first.map_or(code::NOT_SUPPORTED_HERE, |diagnostic| diagnostic.code);
    Error::Rule { code, rendered: render::render_all(sources, found, false) }
}

fn read_text(path: &Path) -> Result<String, LoadError> {
    let other = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => LoadError::NotFound,
        _ => LoadError::Other(error.to_string()),
    };
    let size = std::fs::metadata(path).map_err(other)?.len();
    if size > MOST_BYTES {
        return Err(LoadError::TooLarge);
    }
    std::fs::read_to_string(path).map_err(other)
}

/// Reads shipped rules only.
struct Shipped;

impl Loader for Shipped {
    fn load(&self, _importer: &str, target: &Import) -> Result<Loaded, LoadError> {
        match target {
            Import::Shipped(name) => shipped(name),
            Import::File(_) => Err(LoadError::OutsideRoot),
        }
    }

    fn shipped(&self) -> Vec<String> {
        aplysia_rules::all().map(|(name, _)| name.to_owned()).collect()
    }
}

fn shipped(name: &str) -> Result<Loaded, LoadError> {
    let text = aplysia_rules::find(name).ok_or(LoadError::NotFound)?;
    Ok(Loaded { name: format!("std::{name}"), text: text.to_owned() })
}

/// Reads shipped rules, and files inside a folder.
struct Folder {
    /// Without links and `..`.
    root: PathBuf,
    /// What messages call the first file, and where it is.
    first: (String, PathBuf),
}

impl Loader for Folder {
    fn load(&self, importer: &str, target: &Import) -> Result<Loaded, LoadError> {
        let path = match target {
            Import::Shipped(name) => return shipped(name),
            Import::File(path) => path,
        };
        // A shipped rule imports no files.
        if importer.starts_with("std::") {
            return Err(LoadError::OutsideRoot);
        }
        let importer = if importer == self.first.0 { self.first.1.as_path() } else { Path::new(importer) };
        let path = importer.parent().unwrap_or(Path::new("")).join(path);
        // Links are followed before the place is judged; a file that does not exist says nothing about others.
        let real = path.canonicalize().map_err(|_| LoadError::NotFound)?;
        if !real.starts_with(&self.root) {
            return Err(LoadError::OutsideRoot);
        }
        let same = self.first.1.canonicalize().is_ok_and(|first| first == real);
        let name = if same { self.first.0.clone() } else { real.to_string_lossy().into_owned() };
        Ok(Loaded { name, text: read_text(&real)? })
    }

    fn shipped(&self) -> Vec<String> {
        Shipped.shipped()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_stay_inside_the_folder() {
        let root = std::env::temp_dir().join(format!("aplysia-rule-test-{}", std::process::id()));
        let inner = root.join("inner");
        std::fs::create_dir_all(&inner).unwrap();
        std::fs::write(root.join("outside.rule"), "rule outside { plastic w; update { dw -= w; } }").unwrap();
        std::fs::write(inner.join("near.rule"), "rule near { plastic w; update { dw += 1; } }").unwrap();
        let near = inner.join("a.rule");
        std::fs::write(&near, "use \"near.rule\";\nrule a = near;\n").unwrap();
        let far = inner.join("b.rule");
        std::fs::write(&far, "use \"../outside.rule\";\nrule b = outside;\n").unwrap();
        assert_eq!(Rule::from_file(&near).unwrap().name(), "a");
        let refused = Rule::from_file(&far).unwrap_err();
        assert_eq!(refused.code(), code::IMPORT_OUTSIDE, "{refused}");
        assert_eq!(Rule::from_file_within(&far, &root).unwrap().name(), "b");
        std::fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn missing_rules_are_named() {
        assert!(matches!(Rule::from_file("no such.rule"), Err(Error::File { .. })));
        let error = Rule::shipped("no_such_rule").unwrap_err();
        assert_eq!(error.code(), code::UNKNOWN_SHIPPED_RULE);
        let two = Rule::from_source("two", "rule a { plastic w; } rule b { plastic w; }").unwrap();
        assert_eq!(two.name(), "b");
        assert_eq!(two.select("a").unwrap().name(), "a");
        assert!(matches!(two.select("c"), Err(Error::Rule { .. })));
    }

    #[test]
    fn options_are_set_before_composing() {
        let text = "rule a { option k in {one, two} = one; plastic w; \
                    update { dw += match k { one => 1, two => 2 }; } }";
        let rule = Rule::from_source("a", text).unwrap();
        let two = rule.option("k", "two").unwrap();
        assert_ne!(rule.ir().unwrap().exprs, two.ir().unwrap().exprs);
        assert!(matches!(rule.option("k", "three"), Err(Error::Rule { .. })));
        let other = Rule::from_source("b", "rule b { plastic w; update { dw -= w; } }").unwrap();
        let both = rule.compose(&other).unwrap();
        assert!(matches!(both.option("k", "two"), Err(Error::NotSupported { .. })));
    }

    /// Units in and out, a parameter for each neuron, its range, a schedule and a required parameter.
    #[test]
    fn numbers_are_in_their_declared_units() {
        use crate::{Device, Engine, Events, Group};
        let text = "rule unit {
            post param target: Hz in 0 Hz .. 100 Hz;
            pre input v: mV = -70 mV;
            plastic w;
            pre state seen: V;
            global state n;
            update { seen = v; dw += post.spike * target * dt; }
            every 3 steps { n += 1; }
        }";
        let rule = Rule::from_source("unit", text).unwrap();
        let mut engine = Engine::new(Device::interpreter()).unwrap();
        let missing = engine.register(Group::dense(2, 3).rule(&rule)).unwrap_err();
        assert!(
            matches!(&missing, Error::MissingParameters { names, .. } if names == &["unit.target"]),
            "{missing}"
        );
        let group = Group::dense(2, 3).rule(&rule);
        let outside = engine.register(group.clone().param("target", 101.0)).unwrap_err();
        assert!(matches!(outside, Error::OutOfRange { hi: 100.0, .. }), "{outside}");
        let id = engine.register(group.param("target", vec![5.0, 10.0, 20.0])).unwrap();
        engine.step(&[(id, Events::new().post(&[1, 2]))]).unwrap();
        let w = engine.read::<f32>(id, "w").unwrap().to_owned();
        assert_eq!((w[[0, 0]], w[[1, 1]], w[[0, 2]]), (0.0, 0.01, 0.02));
        assert_eq!(engine.read::<f32>(id, "target").unwrap()[[2]], 20.0);
        assert_eq!(engine.read::<f32>(id, "seen").unwrap()[[1]], -0.07);
        for _ in 0..6 {
            engine.step(&[]).unwrap();
        }
        assert_eq!(engine.read::<f32>(id, "n").unwrap().sum(), 2.0);
    }

    #[test]
    fn shipped_rules_compose_with_others() {
        use crate::{Device, Engine, Events, Group};
        let decay =
            Rule::from_source("decay", "rule decay { plastic w; every 2 steps { w = w / 2; } }").unwrap();
        let rule = Rule::shipped("stdp").unwrap().compose(&decay).unwrap();
        let mut engine = Engine::new(Device::interpreter()).unwrap();
        let id = engine.register(Group::dense(3, 2).rule(&rule).init("w", 0.5)).unwrap();
        engine.step(&[]).unwrap();
        assert_eq!(engine.read::<f32>(id, "w").unwrap().sum(), 3.0);
        engine.step(&[(id, Events::new().pre(&[1]))]).unwrap();
        assert_eq!(engine.read::<f32>(id, "w").unwrap().sum(), 1.5);
        assert_eq!(engine.read::<f32>(id, "stdp.x").unwrap()[[1]], 1.0);
    }
}
