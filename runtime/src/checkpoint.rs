//! Saving and restoring an engine: one file, checked as a whole before anything of it is taken.
//!
//! The layout, all numbers little-endian: the mark `APLYSIA\0`; the layout's version, u32; the length of the body, u64;
//! the body; the body's CRC-64 (ECMA-182, reflected). The body is a list of groups, each with what identifies it (the
//! checked rule's text, topology, batch, precision, step length, and whether its plan is equal to the bit), its step, seed,
//! flags, call counters, global parameters and the arrays of its variables, of given draws and of what `past` reads, all in base
//! units; under a plan in closed form the arrays as they are, with what its rows need to catch up.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use aplysia_compiler::ir;
use aplysia_compiler::pass::delays::{AXONAL, DENDRITIC};
use aplysia_compiler::topology::Topology;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::state::GroupState;

const MARK: &[u8; 8] = b"APLYSIA\0";
const VERSION: u32 = 3;

impl Engine {
    /// Writes everything that a later run needs to go on as if it had never been interrupted: variables, parameters,
    /// step numbers, seeds. Recordings are not part of it.
    ///
    /// # Errors
    /// If the stream cannot be written.
    pub fn save_to(&mut self, mut writer: impl Write) -> std::io::Result<()> {
        let mut body = Vec::new();
        put_u64(&mut body, self.groups.len() as u64);
        for group in &mut self.groups {
            put_group(&mut body, group).map_err(std::io::Error::other)?;
        }
        writer.write_all(MARK)?;
        writer.write_all(&VERSION.to_le_bytes())?;
        writer.write_all(&(body.len() as u64).to_le_bytes())?;
        writer.write_all(&body)?;
        writer.write_all(&crc64(body.iter().copied()).to_le_bytes())?;
        writer.flush()
    }

    /// Saves to a file. It appears whole or not at all: the text is written beside it and then takes its name.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part: PathBuf = path.with_file_name(name);
        let written = File::create(&part).and_then(|mut file| {
            self.save_to(&mut file)?;
            file.sync_all()?;
            std::fs::rename(&part, path)
        });
        written.map_err(|source| {
            // What is left of the attempt is of no use; that it cannot be removed changes nothing.
            let _ = std::fs::remove_file(&part);
            Error::File { path: path.to_owned(), source }
        })
    }

    /// Takes over a saved engine. This engine's groups must have been registered as those of the saved one were; then
    /// it goes on to the bit as the saved one would have.
    ///
    /// # Errors
    /// If the stream is not a whole checkpoint of such an engine. Nothing has then changed.
    pub fn restore_from(&mut self, mut reader: impl Read) -> Result<()> {
        let mut bytes = Vec::new();
        let error = |source| Error::File { path: PathBuf::from("checkpoint"), source };
        reader.read_to_end(&mut bytes).map_err(error)?;
        self.restore_bytes(&bytes)
    }

    /// Restores from a file, as `restore_from` does.
    ///
    /// # Errors
    /// If the file cannot be read, or is not a whole checkpoint of such an engine.
    pub fn restore(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let error = |source| Error::File { path: path.to_owned(), source };
        let bytes = std::fs::read(path).map_err(error)?;
        self.restore_bytes(&bytes)
    }

    fn restore_bytes(&mut self, bytes: &[u8]) -> Result<()> {
        let body = body(bytes)?;
        let mut reader = Reader { rest: body };
        let count = reader.u64()?;
        if count != self.groups.len() as u64 {
            let reason = format!("it has {count} groups, this engine has {}", self.groups.len());
            return Err(Error::CheckpointMismatch { reason });
        }
        let saved =
            self.groups.iter().map(|group| take_group(&mut reader, group)).collect::<Result<Vec<_>>>()?;
        if !reader.rest.is_empty() {
            return Err(Error::CheckpointDamaged { reason: "there is more in it than its groups" });
        }
        for (group, saved) in self.groups.iter_mut().zip(saved) {
            saved.put(group)?;
        }
        Ok(())
    }
}

/// The body of a checkpoint whose frame is right.
fn body(bytes: &[u8]) -> Result<&[u8]> {
    let rest = bytes.strip_prefix(MARK).ok_or(Error::NotACheckpoint)?;
    let mut reader = Reader { rest };
    let found = u32::from_le_bytes(reader.array()?);
    if found != VERSION {
        return Err(Error::CheckpointVersion { found, expected: VERSION });
    }
    let length = reader.u64()?;
    let body = reader.bytes(length)?;
    let checksum = reader.u64()?;
    if !reader.rest.is_empty() {
        return Err(Error::CheckpointDamaged { reason: "it is longer than it says" });
    }
    if checksum != crc64(body.iter().copied()) {
        return Err(Error::CheckpointDamaged { reason: "its checksum does not fit" });
    }
    Ok(body)
}

/// What a checkpoint holds of a group, checked against the group.
struct Saved<'a> {
    step: u64,
    seed: u64,
    dirty: bool,
    runs: Vec<(String, u64)>,
    given: Vec<bool>,
    parameters: Vec<Vec<f64>>,
    arrays: Vec<(usize, &'a [u8])>,
}

impl Saved<'_> {
    fn put(self, group: &mut GroupState) -> Result<()> {
        group.created = true;
        group.runs = self.runs;
        group.given = self.given;
        group.parameters = self.parameters;
        group.machine.go_to(self.step);
        group.machine.seed = self.seed;
        group.refresh()?;
        for (storage, bytes) in self.arrays {
            group.machine.write(storage, |memory| {
                memory.bytes_mut().copy_from_slice(bytes);
                Ok(())
            })?;
        }
        group.machine.dirty = self.dirty;
        group.machine.resumed();
        Ok(())
    }
}

/// What two groups must have in common, as text.
fn identity(group: &GroupState) -> [(&'static str, String); 10] {
    let machine = &group.machine;
    [
        // Before the rule, whose text they change.
        ("delays", delays(group)),
        ("rule", ir::print::print(&group.rule)),
        ("topology", machine.topology.kind().word().to_owned()),
        ("presynaptic neurons", machine.topology.pre().to_string()),
        ("postsynaptic neurons", machine.topology.post().to_string()),
        ("connections", connections(&machine.topology)),
        ("batch", machine.batch.to_string()),
        ("precision", format!("{:?}", machine.program.precision)),
        ("dt", format!("{:?} ms", machine.dt)),
        ("plan", if machine.stays_behind() { "closed form" } else { "equal to the bit" }.to_owned()),
    ]
}

/// How far back the delays of a group reach.
fn delays(group: &GroupState) -> String {
    let one = |(id, variable): (ir::VarId, &ir::Variable)| {
        let known = [AXONAL, DENDRITIC].into_iter().find(|address| variable.address() == *address)?;
        let longest = group.place(id, false).range.map_or(f64::INFINITY, |(_, longest)| longest);
        Some(format!("{known} of {} up to {longest} ms", variable.shape.domain.word()))
    };
    let found: Vec<String> = group.rule.variables.iter().filter_map(one).collect();
    if found.is_empty() { "none".to_owned() } else { found.join(", ") }
}

/// What tells the connections of a topology from others of the same kind and size.
fn connections(topology: &Topology) -> String {
    match topology {
        Topology::Dense { .. } | Topology::OneToOne { .. } => "all".to_owned(),
        Topology::Sparse(sparse) => {
            let starts = sparse.row_start().iter().flat_map(|start| start.to_le_bytes());
            let columns = sparse.columns().iter().flat_map(|column| column.to_le_bytes());
            format!("{} synapses with checksum {:016x}", sparse.synapses(), crc64(starts.chain(columns)))
        }
        Topology::Conv2d(shape) | Topology::Local2d(shape) => {
            let pair = |[down, right]: [usize; 2]| format!("{down} × {right}");
            format!(
                "{} channels of {}, {} of {}, kernel {}, stride {}, padding {}, dilation {}, groups {}",
                shape.inputs(),
                pair(shape.input_size()),
                shape.outputs(),
                pair(shape.output_size()),
                pair(shape.kernel_size()),
                pair(shape.stride()),
                pair(shape.padding()),
                pair(shape.dilation()),
                shape.groups()
            )
        }
    }
}

/// The storages that a checkpoint keeps.
fn kept(group: &GroupState) -> impl Iterator<Item = usize> + '_ {
    let storages = group.machine.program.storages.iter();
    storages.filter(|(_, storage)| group.machine.keeps(storage.role)).map(|(id, _)| id.index())
}

fn put_group(body: &mut Vec<u8>, group: &mut GroupState) -> Result<()> {
    group.ensure_created()?;
    for (_, text) in identity(group) {
        put_bytes(body, text.as_bytes());
    }
    put_u64(body, group.machine.step);
    put_u64(body, group.machine.seed);
    put_u64(body, group.machine.dirty.into());
    put_u64(body, group.runs.len() as u64);
    for (name, runs) in &group.runs {
        put_bytes(body, name.as_bytes());
        put_u64(body, *runs);
    }
    for (given, parameters) in group.given.iter().zip(&group.parameters) {
        put_u64(body, (*given).into());
        put_u64(body, parameters.len() as u64);
        parameters.iter().for_each(|value| put_u64(body, value.to_bits()));
    }
    for storage in kept(group).collect::<Vec<_>>() {
        put_bytes(body, group.machine.saved(storage)?.bytes());
    }
    Ok(())
}

fn take_group<'a>(reader: &mut Reader<'a>, group: &GroupState) -> Result<Saved<'a>> {
    for (what, own) in identity(group) {
        let found = reader.block()?;
        if found == own.as_bytes() {
            continue;
        }
        let reason = match what {
            "rule" => format!("group {} follows another rule", group.id.index),
            _ => {
                let found = String::from_utf8_lossy(found);
                format!("{what} of group {}: {found} in the file, {own} here", group.id.index)
            }
        };
        return Err(Error::CheckpointMismatch { reason });
    }
    let (step, seed, dirty) = (reader.u64()?, reader.u64()?, reader.u64()? != 0);
    let mut runs = Vec::new();
    for _ in 0..reader.u64()? {
        let name = String::from_utf8_lossy(reader.block()?).into_owned();
        runs.push((name, reader.u64()?));
    }
    let mut given = Vec::with_capacity(group.given.len());
    let mut parameters = Vec::with_capacity(group.given.len());
    for own in &group.parameters {
        given.push(reader.u64()? != 0);
        if reader.u64()? != own.len() as u64 {
            return Err(Error::CheckpointDamaged { reason: "a parameter has another length" });
        }
        let values = (0..own.len()).map(|_| reader.u64().map(f64::from_bits));
        parameters.push(values.collect::<Result<Vec<f64>>>()?);
    }
    let mut arrays = Vec::new();
    for storage in kept(group) {
        let bytes = reader.block()?;
        if bytes.len() != group.machine.memory[storage].bytes().len() {
            return Err(Error::CheckpointDamaged { reason: "an array has another length" });
        }
        arrays.push((storage, bytes));
    }
    Ok(Saved { step, seed, dirty, runs, given, parameters, arrays })
}

fn put_u64(body: &mut Vec<u8>, value: u64) {
    body.extend_from_slice(&value.to_le_bytes());
}

fn put_bytes(body: &mut Vec<u8>, bytes: &[u8]) {
    put_u64(body, bytes.len() as u64);
    body.extend_from_slice(bytes);
}

/// Takes numbers and blocks off the front.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn bytes(&mut self, length: u64) -> Result<&'a [u8]> {
        let length = usize::try_from(length).ok();
        let (bytes, rest) = length
            .and_then(|length| self.rest.split_at_checked(length))
            .ok_or(Error::CheckpointDamaged { reason: "it is cut off" })?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) =
            self.rest.split_first_chunk().ok_or(Error::CheckpointDamaged { reason: "it is cut off" })?;
        self.rest = rest;
        Ok(*bytes)
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn block(&mut self) -> Result<&'a [u8]> {
        let length = self.u64()?;
        self.bytes(length)
    }
}

/// CRC-64 with the polynomial of ECMA-182, reflected, all ones before and after.
pub(crate) fn crc64(bytes: impl IntoIterator<Item = u8>) -> u64 {
    const TABLE: [u64; 256] = {
        let mut table = [0; 256];
        let mut at = 0;
        while at < 256 {
            let mut value = at as u64;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { (value >> 1) ^ 0xc96c_5795_d787_0f42 } else { value >> 1 };
                bit += 1;
            }
            table[at] = value;
            at += 1;
        }
        table
    };
    !bytes.into_iter().fold(!0, |crc, byte| TABLE[((crc ^ u64::from(byte)) & 0xff) as usize] ^ (crc >> 8))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the catalogue of parametrised CRC algorithms for CRC-64/XZ.
    #[test]
    fn the_checksum_has_its_known_answer() {
        assert_eq!(crc64(*b"123456789"), 0x995d_c9bb_df19_39fa);
    }

    #[test]
    fn frames_are_checked() {
        let mut good = MARK.to_vec();
        good.extend(VERSION.to_le_bytes());
        good.extend(3u64.to_le_bytes());
        good.extend(b"abc");
        good.extend(crc64(*b"abc").to_le_bytes());
        assert_eq!(body(&good).unwrap(), b"abc");
        for length in 0..good.len() {
            assert!(body(&good[..length]).is_err(), "cut to {length} bytes");
        }
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 4;
            assert!(body(&bad).is_err(), "byte {at} changed");
        }
        assert!(body(&[good, vec![0]].concat()).is_err());
    }
}
