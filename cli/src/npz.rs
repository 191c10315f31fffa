//! Arrays by name from a `.npz` file, as numpy writes it, compressed or not.
//!
//! Any file may come in. An entry is refused where it claims more than the file can hold, so that what is allocated
//! is bounded by the file's size.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use aplysia_compiler::diag::code;
use zip::ZipArchive;

use crate::npy::{self, Array};
use crate::report::{Failure, Outcome};

/// Deflate makes at most 258 bytes of two bits.
const MOST_EXPANSION: u64 = 1032;

/// All arrays of a file.
///
/// # Errors
/// Where the file cannot be read, or something in it is not an array of numbers.
pub fn read(path: &Path) -> Outcome<BTreeMap<String, Array>> {
    let file = File::open(path).map_err(|error| Failure::file(path, error))?;
    let length = file.metadata().map_err(|error| Failure::file(path, error))?.len();
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
        let reason =
            format!("it is not an .npz file ({error}); write one with `numpy.savez(path, **arrays)`");
        Failure::file(path, reason)
    })?;
    let mut arrays = BTreeMap::new();
    for at in 0..archive.len() {
        let mut entry = archive
            .by_index(at)
            .map_err(|error| Failure::file(path, format!("entry {at} cannot be read: {error}")))?;
        let whole_name = entry.name().to_owned();
        let broken = |reason: String| {
            let text = format!("{}: `{}` {reason}", path.display(), whole_name.escape_debug());
            Failure::data(code::WRONG_TYPE, text)
        };
        let Some(name) = whole_name.strip_suffix(".npy") else {
            return Err(broken("is not an array; an .npz file holds .npy entries only".to_owned()));
        };
        let packed = entry.compressed_size();
        if packed > length || entry.size() > packed.saturating_mul(MOST_EXPANSION).saturating_add(64) {
            return Err(broken("claims to hold more than the file can".to_owned()));
        }
        let size = entry.size();
        let array = npy::read(&mut entry, size).map_err(broken)?;
        arrays.insert(name.to_owned(), array);
    }
    Ok(arrays)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use ndarray::{ShapeBuilder, array};
    use ndarray_npy::NpzWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn path(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("aplysia-npz-{}-{name}.npz", std::process::id()))
    }

    fn text(outcome: Outcome<BTreeMap<String, Array>>) -> String {
        format!("{:?}", outcome.unwrap_err())
    }

    #[test]
    fn every_type_and_layout() {
        let path = path("types");
        let mut writer = NpzWriter::new(File::create(&path).unwrap());
        writer.add_array("bool", &array![true, false]).unwrap();
        writer.add_array("u8", &array![[1u8, 255]]).unwrap();
        writer.add_array("i64", &array![i64::MIN, 3]).unwrap();
        writer.add_array("f32", &array![0.1f32]).unwrap();
        writer.add_array("f64", &ndarray::arr0(0.1f64)).unwrap();
        let fortran = ndarray::Array2::from_shape_fn((2, 3).f(), |(i, j)| (10 * i + j) as u16);
        writer.add_array("fortran", &fortran).unwrap();
        writer.finish().unwrap();
        let arrays = read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(arrays["bool"], Array::Bool(array![true, false].into_dyn()));
        assert_eq!(arrays["u8"], Array::I64(array![[1, 255]].into_dyn()));
        assert_eq!(arrays["i64"], Array::I64(array![i64::MIN, 3].into_dyn()));
        assert_eq!(arrays["f32"], Array::F32(array![0.1].into_dyn()));
        assert_eq!(arrays["f64"], Array::F64(ndarray::arr0(0.1).into_dyn()));
        assert_eq!(arrays["fortran"], Array::I64(array![[0, 1, 2], [10, 11, 12]].into_dyn()));
    }

    #[test]
    fn compressed_files_are_read() {
        let path = path("compressed");
        let mut npy = Vec::new();
        ndarray_npy::WriteNpyExt::write_npy(&ndarray::Array2::<f64>::zeros((300, 300)), &mut npy).unwrap();
        let mut writer = zip::ZipWriter::new(File::create(&path).unwrap());
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        writer.start_file("x.npy", options).unwrap();
        writer.write_all(&npy).unwrap();
        writer.finish().unwrap();
        assert!(std::fs::metadata(&path).unwrap().len() < 10_000);
        let arrays = read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(arrays["x"], Array::F64(ndarray::ArrayD::zeros(vec![300, 300])));
    }

    #[test]
    fn broken_files_are_refused_wherever_they_are_broken() {
        let path = path("broken");
        let mut writer = NpzWriter::new(File::create(&path).unwrap());
        writer.add_array("w", &array![[1.0f32, 2.0], [3.0, 4.0]]).unwrap();
        writer.finish().unwrap();
        let good = std::fs::read(&path).unwrap();
        for length in 0..good.len() {
            std::fs::write(&path, &good[..length]).unwrap();
            assert!(read(&path).is_err(), "cut to {length} bytes");
        }
        // A changed byte may be of no consequence (a date), but never does harm.
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x41;
            std::fs::write(&path, &bad).unwrap();
            let _ = read(&path);
        }
        std::fs::write(&path, b"no zip at all").unwrap();
        assert!(text(read(&path)).contains("not an .npz file"));
        std::fs::remove_file(&path).unwrap();
        assert!(text(read(&path)).contains("No such file"));
    }
}
