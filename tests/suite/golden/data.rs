//! The cases and their arrays: `tests/golden/cases.json` and an `.npz` file each.
//!
//! With `APLYSIA_GOLDEN=FOLDER` in the environment the cases are those of that folder, in the same form.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use ndarray_npy::{NpzReader, ReadableElement};
use serde_json::Value;

/// The folder of the cases.
pub fn folder() -> PathBuf {
    let own = || Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    std::env::var_os("APLYSIA_GOLDEN").map_or_else(own, PathBuf::from)
}

/// All cases, in the order of the manifest.
pub fn cases() -> Vec<Case> {
    let text = aplysia_tests::read(&folder().join("cases.json"));
    let manifest: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("cases.json: {error}"));
    let cases = manifest["cases"].as_array().expect("the manifest lists its cases");
    cases.iter().map(|case| Case(case.clone())).collect()
}

/// One trajectory of a published package.
#[derive(Clone, Debug)]
pub struct Case(Value);

impl Case {
    /// Its name, which is that of its file.
    pub fn id(&self) -> &str {
        self.text("id")
    }

    /// The package: `conex`, `bio004`, `bio005`, `inferno` or `ngclearn`.
    pub fn system(&self) -> &str {
        self.text("system")
    }

    /// The class or function.
    pub fn rule(&self) -> &str {
        self.text("rule")
    }

    /// Which of its cases.
    pub fn variant(&self) -> &str {
        self.text("variant")
    }

    /// How many steps were taken.
    pub fn steps(&self) -> usize {
        self.0["steps"].as_u64().expect("a case says how many steps it has") as usize
    }

    /// What the published code said where it could not run.
    pub fn crash(&self) -> Option<&str> {
        self.0["crash"].as_str()
    }

    fn text(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_else(|| panic!("a case has no `{key}`"))
    }

    /// A parameter; null where it is not given.
    pub fn param(&self, name: &str) -> &Value {
        &self.0["params"][name]
    }

    /// A parameter that is a number.
    pub fn number(&self, name: &str) -> f64 {
        self.maybe(name).unwrap_or_else(|| panic!("{}: no number `{name}`", self.id()))
    }

    /// A parameter that may be a number.
    pub fn maybe(&self, name: &str) -> Option<f64> {
        self.param(name).as_f64()
    }

    /// A parameter that is a whole number.
    pub fn count(&self, name: &str) -> usize {
        self.number(name) as usize
    }

    /// A parameter that is a name.
    pub fn name(&self, name: &str) -> Option<&str> {
        self.param(name).as_str()
    }

    /// A parameter that is a switch.
    pub fn flag(&self, name: &str) -> Option<bool> {
        self.param(name).as_bool()
    }

    /// A parameter that is a list of numbers.
    pub fn list(&self, name: &str) -> Vec<f64> {
        let list = self.param(name).as_array();
        list.into_iter().flatten().filter_map(Value::as_f64).collect()
    }

    /// Whether the formula of the package, computed in f32 operation by operation, gives an array to the bit.
    pub fn is_exact(&self, array: &str) -> bool {
        self.0["formula_check"][array] == "exact"
    }

    /// The arrays of the case's file.
    pub fn arrays(&self) -> Arrays {
        let listed = self.0["arrays"].as_object().expect("a case lists its arrays");
        let path = folder().join(self.text("file"));
        let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut reader = NpzReader::new(file).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let mut arrays = BTreeMap::new();
        for (name, of) in listed {
            let values = match of["dtype"].as_str() {
                Some("float32") => read::<f32>(&mut reader, name).mapv(f64::from),
                Some("float64") => read::<f64>(&mut reader, name),
                Some("uint8") => read::<u8>(&mut reader, name).mapv(f64::from),
                Some("int32") => read::<i32>(&mut reader, name).mapv(f64::from),
                other => panic!("{}: {name} has the type {other:?}", self.id()),
            };
            let found: Vec<u64> = values.shape().iter().map(|&length| length as u64).collect();
            let said: Vec<u64> =
                of["shape"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
            assert_eq!(found, said, "{}: the shape of {name}", self.id());
            arrays.insert(name.clone(), Array::new(&values));
        }
        Arrays(arrays)
    }
}

fn read<T: ReadableElement>(reader: &mut NpzReader<File>, name: &str) -> ArrayD<T> {
    let plain = reader.by_name(name);
    plain
        .or_else(|_| reader.by_name(&format!("{name}.npy")))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The arrays of a case.
#[derive(Clone, Debug)]
pub struct Arrays(BTreeMap<String, Array>);

impl Arrays {
    /// An array that must be there.
    pub fn get(&self, name: &str) -> &Array {
        self.0.get(name).unwrap_or_else(|| panic!("there is no array `{name}`"))
    }

    /// An array that may be there.
    pub fn find(&self, name: &str) -> Option<&Array> {
        self.0.get(name)
    }
}

/// Numbers in row-major order.
#[derive(Clone, Debug)]
pub struct Array {
    /// Its axes.
    pub shape: Vec<usize>,
    /// All values; every f32 is exact.
    pub values: Vec<f64>,
}

impl Array {
    fn new(values: &ArrayD<f64>) -> Self {
        Self { shape: values.shape().to_vec(), values: values.iter().copied().collect() }
    }

    /// The values at a place of the first axis.
    pub fn row(&self, at: usize) -> Vec<f64> {
        let length: usize = self.shape[1..].iter().product();
        self.values[at * length..(at + 1) * length].to_vec()
    }

    /// All rows.
    pub fn rows(&self) -> Vec<Vec<f64>> {
        (0..self.shape[0]).map(|at| self.row(at)).collect()
    }
}

/// The largest magnitude, NaNs aside.
pub fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.map(f64::abs).filter(|value| !value.is_nan()).fold(0.0, f64::max)
}
