//! Compiled kernels: in the process as long as a group uses them, on disk for the next process.
//!
//! A file is found by the hash of the CUDA C, which is all that the kernels are, with the architecture and the version
//! of NVRTC. It is written beside its place and renamed, so that readers see all of it or nothing, whoever else
//! writes; its checksum stands in front. What cannot be read, or does not fit, is compiled again.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use super::driver::{Context, Module, check};
use super::nvrtc;
use crate::checkpoint::crc64;
use crate::error::Result;

const MARK: &[u8; 8] = b"APLYPTX1";

/// The kernels of a text.
pub(crate) fn module(context: &Arc<Context>, text: &str) -> Result<Arc<Module>> {
    let key = key(context, text)?;
    let mut known = context.modules.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(module) = known.get(&key).and_then(std::sync::Weak::upgrade) {
        return Ok(module);
    }
    let module = Arc::new(load(context, text, &key)?);
    known.retain(|_, module| module.strong_count() > 0);
    known.insert(key, Arc::downgrade(&module));
    Ok(module)
}

fn key(context: &Context, text: &str) -> Result<String> {
    let version = nvrtc::version()?;
    let bytes = text.as_bytes();
    // Sums over the text in both directions: texts that differ would have to collide in both.
    let (one, other) = (sum(bytes), crc64(bytes.iter().rev().copied()));
    Ok(format!("{one:016x}{other:016x}-{:x}-sm{}-nvrtc{version}", bytes.len(), context.architecture.0))
}

fn sum(bytes: &[u8]) -> u64 {
    crc64(bytes.iter().copied())
}

fn load(context: &Arc<Context>, text: &str, key: &str) -> Result<Module> {
    let path = folder().map(|folder| folder.join(format!("{key}.ptx")));
    if let Some(ptx) = path.as_ref().and_then(read)
        && let Ok(module) = Module::load(context, &ptx)
    {
        return Ok(module);
    }
    let mut ptx = nvrtc::ptx(text, context.architecture)?.into_bytes();
    ptx.push(0);
    match Module::load(context, &ptx) {
        Ok(module) => {
            if let Some(path) = path {
                write(&path, &ptx);
            }
            Ok(module)
        }
        // An NVRTC that is newer than the driver: its PTX is not understood, machine code is.
        Err(_) => {
            let binary = nvrtc::binary(text, context.architecture)?;
            check("kernels cannot be loaded", Module::load(context, &binary.code))
        }
    }
}

/// `APLYSIA_CACHE`, or `aplysia` in the user's folder for caches; none where there is neither.
fn folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named("APLYSIA_CACHE")
        .or_else(|| named("XDG_CACHE_HOME").map(|folder| folder.join("aplysia")))
        .or_else(|| named("HOME").map(|folder| folder.join(".cache/aplysia")))
}

/// What a file holds, if it is whole.
fn read(path: &PathBuf) -> Option<Vec<u8>> {
    let bytes = std::fs::read(path).ok()?;
    let rest = bytes.strip_prefix(MARK)?;
    let (known, body) = rest.split_first_chunk::<8>()?;
    (sum(body) == u64::from_le_bytes(*known) && body.last() == Some(&0)).then(|| body.to_vec())
}

/// Keeps what has been compiled. That it cannot be kept changes nothing but the time of the next process.
fn write(path: &PathBuf, body: &[u8]) {
    let Some(folder) = path.parent() else { return };
    let mut bytes = MARK.to_vec();
    bytes.extend(sum(body).to_le_bytes());
    bytes.extend_from_slice(body);
    let number =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_nanos());
    let part = path.with_extension(format!("{}.{number}.part", std::process::id()));
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&part, &bytes))
        .and_then(|()| std::fs::rename(&part, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_not_read() {
        let folder = std::env::temp_dir().join(format!("aplysia-ptx-{}", std::process::id()));
        let path = folder.join("kernel.ptx");
        write(&path, b".version 8.0\0");
        assert_eq!(read(&path).as_deref(), Some(&b".version 8.0\0"[..]));
        let whole = std::fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut bad = whole.clone();
            bad[at] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            assert_eq!(read(&path), None, "byte {at} changed");
            std::fs::write(&path, &whole[..at]).unwrap();
            assert_eq!(read(&path), None, "cut to {at} bytes");
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
