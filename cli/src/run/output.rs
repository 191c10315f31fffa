//! The output file: the final value of every state, and what was recorded, as numpy reads it.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use aplysia::{Engine, GroupId, RecordingId, Sparse};
use aplysia_compiler::ir::{Rule, Type, VarId, VarKind};
use ndarray::Array1;
use ndarray_npy::{NpzWriter, WritableElement, WriteNpzError};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::arguments::Precision;
use crate::given::short_name;
use crate::report::{Failure, Outcome};

/// An output file on its way. It appears whole or not at all.
pub struct Output {
    path: PathBuf,
    part: PathBuf,
    writer: Option<NpzWriter<BufWriter<File>>>,
}

/// The type that values are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
    /// Whole numbers.
    I64,
}

impl Kind {
    /// The type of a variable.
    pub fn of(rule: &Rule, id: VarId, precision: Precision) -> Self {
        match (rule.variables[id].ty, precision) {
            (Type::Int, _) => Kind::I64,
            (Type::Wide, _) | (_, Precision::F64) => Kind::F64,
            (_, Precision::F32) => Kind::F32,
        }
    }
}

impl Output {
    /// Begins a file, so that a place that cannot be written is known before the run.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn create(path: &Path) -> Outcome<Self> {
        if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(Failure::file(path, "it is not a regular file"));
        }
        let Some(name) = path.file_name() else {
            return Err(Failure::file(path, "it names no file"));
        };
        let mut name = name.to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = path.with_file_name(name);
        let file = File::create(&part).map_err(|error| Failure::file(path, error))?;
        // With room for arrays of 4 GiB and more, as numpy does it.
        let options =
            SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
        let writer = Some(NpzWriter::new_with_options(BufWriter::new(file), options));
        Ok(Self { path: path.to_owned(), part, writer })
    }

    /// Writes the states and what was recorded, and gives the file its name.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(
        mut self,
        engine: &mut Engine,
        group: GroupId,
        rule: &Rule,
        precision: Precision,
        recorded: Option<(RecordingId, &[VarId])>,
    ) -> Outcome {
        let states = rule
            .variables
            .iter()
            .filter(|(_, variable)| matches!(variable.kind, VarKind::State | VarKind::Plastic { .. }));
        for (id, variable) in states {
            let (name, address) = (short_name(rule, id), variable.address());
            match Kind::of(rule, id, precision) {
                Kind::F32 => self.add(name, &engine.read::<f32>(group, &address)?)?,
                Kind::F64 => self.add(name, &engine.read::<f64>(group, &address)?)?,
                Kind::I64 => self.add(name, &engine.read::<i64>(group, &address)?)?,
            }
        }
        let (recording, ids) = recorded.unzip();
        for &id in ids.unwrap_or_default() {
            let Some(recording) = recording else { continue };
            let (name, address) = (format!("{}.trace", short_name(rule, id)), rule.variables[id].address());
            match Kind::of(rule, id, precision) {
                Kind::F32 => self.add(name, &engine.trace::<f32>(recording, &address)?)?,
                Kind::F64 => self.add(name, &engine.trace::<f64>(recording, &address)?)?,
                Kind::I64 => self.add(name, &engine.trace::<i64>(recording, &address)?)?,
            }
        }
        self.close()
    }

    /// Adds the synapses of a sparse group.
    ///
    /// # Errors
    /// Where they cannot be written.
    pub fn connections(&mut self, sparse: &Sparse) -> Outcome {
        let starts = sparse.row_start().iter().map(|&start| start as i64);
        self.add("csr.indptr".to_owned(), &Array1::from_iter(starts).into_dyn())?;
        let columns = sparse.columns().iter().map(|&column| i64::from(column));
        self.add("csr.indices".to_owned(), &Array1::from_iter(columns).into_dyn())
    }

    /// Adds an array.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn add<T, S>(&mut self, name: String, array: &ndarray::ArrayBase<S, ndarray::IxDyn>) -> Outcome
    where
        T: WritableElement,
        S: ndarray::Data<Elem = T>,
    {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        writer.add_array(name, array).map_err(|error| failed(&self.path, &error))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn close(mut self) -> Outcome {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let file = writer.finish().map_err(|error| failed(&self.path, &error))?;
        let file = file.into_inner().map_err(|error| Failure::file(&self.path, error.error()))?;
        file.sync_all().map_err(|error| Failure::file(&self.path, error))?;
        drop(file);
        std::fs::rename(&self.part, &self.path).map_err(|error| Failure::file(&self.path, error))
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // After `close` there is nothing left to remove, and otherwise nothing more can be done.
        let _ = std::fs::remove_file(&self.part);
    }
}

fn failed(path: &Path, error: &WriteNpzError) -> Failure {
    Failure::file(path, error)
}
