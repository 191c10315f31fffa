//! The `aplysia` program as its users meet it: each command, exit codes, what goes to which stream, files that numpy
//! reads, and runs that are interrupted.

mod bench;
mod delays;
mod topologies;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use aplysia::prelude::*;
use libtest_mimic::{Failed, Trial};
use ndarray::{Array2, ArrayD};
use ndarray_npy::{NpzReader, NpzWriter};

/// A rule with everything that a run can be given.
const GIVEN: &str = "\
/// A rule for tests.
rule given {
    param alpha;
    param tau = 20 ms;
    option sign in {up, down} = up;
    plastic w in 0 .. 1 = 0.5;
    pre state x;
    dx/dt = -x / tau;
    global input dopamine;
    on pre { x += 1; }
    on post { dw += match sign { up => 1, down => -1 } * alpha * x * dopamine; }
    on call halve { w *= 0.5; }
}
";

/// All trials of this module.
pub fn trials() -> Vec<Trial> {
    let trial = |name: &str, test: fn()| {
        Trial::test(format!("command_line::{name}"), move || {
            test();
            Ok::<(), Failed>(())
        })
    };
    macro_rules! all { ($($test:ident)*) => { vec![$(trial(stringify!($test), $test)),*] }; }
    let mut trials = topologies::trials();
    trials.extend(bench::trials());
    trials.extend(delays::trials());
    trials.extend(all! {
        check_says_what_is_wrong check_explains_codes format_changes_only_what_it_may emit_shows_every_stage
        explain_names_the_plan list_knows_the_shipped_rules manual_and_completions window_is_the_closed_form
        run_equals_the_library run_without_input_is_reproducible a_run_is_drawn steps_that_are_too_long_are_said
        resumed_runs_are_the_same_to_the_bit
        event_lists_equal_arrays wrong_inputs_are_refused wrong_command_lines_are_refused
        a_closed_pipe_is_no_error
    });
    trials
}

/// The program, built of the present sources where cargo runs the tests.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let folder = test.parent().and_then(Path::parent).unwrap();
        let path = folder.join(format!("aplysia{}", std::env::consts::EXE_SUFFIX));
        let cargo = std::env::var_os("CARGO");
        if cargo.is_some() || !path.exists() {
            let mut command = Command::new(cargo.unwrap_or_else(|| "cargo".into()));
            // With the features that the workspace has when its tests are built, so that little is compiled again.
            command.args(["build", "--quiet", "--workspace", "--bin", "aplysia"]);
            command.arg("--target-dir").arg(folder.parent().unwrap());
            if folder.file_name().is_some_and(|name| name == "release") {
                command.arg("--release");
            }
            let built = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
            assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        }
        path
    })
}

/// What the program answers in a folder.
pub(crate) struct Answer {
    pub(crate) code: i32,
    out: String,
    pub(crate) err: String,
}

impl Answer {
    /// Standard output of a run that went well and said nothing else.
    fn good(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (0, ""), "{}", self.out);
        self.out
    }

    /// Standard error of a run that ended with a code and printed no result.
    fn bad(self, code: i32) -> String {
        assert_eq!((self.code, self.out.as_str()), (code, ""), "{}", self.err);
        assert!(!self.err.contains("panicked") && !self.err.contains('\u{1b}'), "{}", self.err);
        self.err
    }
}

pub(crate) fn ask(folder: &Path, arguments: &[&str]) -> Answer {
    answer(command(folder, arguments).stdin(Stdio::null()).output().unwrap())
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program());
    command.args(arguments).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn answer(output: Output) -> Answer {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let code = output.status.code().expect("the program was not ended by a signal");
    Answer { code, out: text(output.stdout), err: text(output.stderr) }
}

/// An empty folder with `given.rule` in it.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("given.rule"), GIVEN).unwrap();
    folder
}

fn check_says_what_is_wrong() {
    let folder = folder();
    let at = folder.path();
    assert_eq!(ask(at, &["check", "given.rule"]).good(), "given.rule: ok, 1 rule\n");
    std::fs::write(at.join("bad.rule"), "rule bad {\n    plastic w;\n    on pre { dv += 1; }\n}\n").unwrap();
    let err = ask(at, &["check", "bad.rule"]).bad(1);
    assert!(err.starts_with("error[E0203]") && err.contains("bad.rule:3:14"), "{err}");
    assert!(err.contains("did you mean `dw`?") && err.ends_with("1 error\n"), "{err}");
    // One wrong file does not hide another, and an unreadable one outweighs them.
    let both = ask(at, &["check", "bad.rule", "given.rule", "none.rule"]);
    assert_eq!(both.code, 2);
    assert_eq!(both.out, "given.rule: ok, 1 rule\n");
    assert!(both.err.contains("E0203") && both.err.contains("none.rule"), "{}", both.err);
    let json = ask(at, &["check", "bad.rule", "--format", "json"]);
    assert_eq!((json.code, json.err.as_str()), (1, ""));
    let list: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let first = &list[0];
    assert_eq!((first["code"].as_str(), first["severity"].as_str()), (Some("E0203"), Some("error")));
    let place = ["line", "column", "end_line", "end_column"].map(|key| first[key].as_u64());
    assert_eq!(place, [3, 14, 3, 16].map(Some));
    let idle = "rule idle { param never = 1; plastic w; on pre { dw += 1; } }";
    std::fs::write(at.join("idle.rule"), idle).unwrap();
    let warned = ask(at, &["check", "idle.rule"]);
    assert_eq!((warned.code, warned.out.as_str()), (0, "idle.rule: ok, 1 rule\n"));
    assert!(warned.err.starts_with("warning[W"), "{}", warned.err);
    assert_eq!(ask(at, &["check", "--deny-warnings", "idle.rule"]).code, 1);
}

fn check_explains_codes() {
    let folder = folder();
    let text = ask(folder.path(), &["check", "--explain", "e0203"]).good();
    assert!(text.starts_with("E0203: an unknown name\n\n"), "{text}");
    let err = ask(folder.path(), &["check", "--explain", "E0293"]).bad(2);
    assert!(err.contains("did you mean `E0203`?"), "{err}");
    ask(folder.path(), &["check"]).bad(2);
}

fn format_changes_only_what_it_may() {
    let folder = folder();
    let at = folder.path();
    let messy = "// kept\nrule  a{plastic w;on pre{dw+=1;}}";
    std::fs::write(at.join("a.rule"), messy).unwrap();
    let checked = ask(at, &["fmt", "--check", "a.rule"]);
    assert_eq!((checked.code, checked.out.as_str()), (1, "a.rule would change\n"));
    assert_eq!(std::fs::read_to_string(at.join("a.rule")).unwrap(), messy);
    assert_eq!(ask(at, &["fmt", "a.rule"]).good(), "");
    let formatted = std::fs::read_to_string(at.join("a.rule")).unwrap();
    assert!(formatted.starts_with("// kept\nrule a {\n    plastic w;\n"), "{formatted}");
    assert_eq!(ask(at, &["fmt", "--check", "a.rule"]).good(), "");
    let mut child = command(at, &["fmt", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(messy.as_bytes()).unwrap();
    assert_eq!(answer(child.wait_with_output().unwrap()).good(), formatted);
    let broken = "rule a { plastic w; on pre { dw += ; } }";
    std::fs::write(at.join("broken.rule"), broken).unwrap();
    assert!(ask(at, &["fmt", "broken.rule"]).bad(1).starts_with("error[E01"));
    assert_eq!(std::fs::read_to_string(at.join("broken.rule")).unwrap(), broken);
    ask(at, &["fmt", "std::stdp"]).bad(2);
}

fn emit_shows_every_stage() {
    let folder = folder();
    let at = folder.path();
    let emit = |target: &str| ask(at, &["emit", "--target", target, "given.rule"]);
    for (target, part) in [
        ("ast", "Rule("),
        ("ir", "plastic w: real synapse"),
        ("flow", "given.x = "),
        ("kernel", "kernel step_synapses"),
        ("clif", "function %step_synapses"),
        ("asm", "; kernel step_synapses"),
    ] {
        let text = emit(target).good();
        assert!(text.contains(part), "{target}: {text:.400}");
        assert_eq!(emit(target).good(), text, "{target} is not the same twice");
    }
    let one = ask(at, &["emit", "--target", "kernel", "--kernel", "step_pre", "given.rule"]).good();
    assert_eq!(one.matches("kernel step_").count(), 1, "{one}");
    assert!(
        ask(at, &["emit", "--target", "asm", "--kernel", "step_pr", "given.rule"])
            .bad(2)
            .contains("`step_pre`")
    );
    assert!(emit("cuda").good().contains("__global__"));
    assert!(emit("rust").good().contains("pub fn step_synapses("));
    let double = ask(at, &["emit", "--target", "kernel", "--precision", "f64", "given.rule"]).good();
    assert!(double.contains("w: f64") && !double.contains("w: f32"), "{double:.400}");
    let down = ask(at, &["emit", "--target", "ir", "--option", "sign=down", "given.rule"]).good();
    assert_ne!(down, emit("ir").good());
    ask(at, &["emit", "--target", "ir", "--option", "sign=left", "given.rule"]).bad(1);
    ask(at, &["emit", "--target", "ir", "--topology", "ring", "given.rule"]).bad(2);
}

fn explain_names_the_plan() {
    let folder = folder();
    let text = ask(folder.path(), &["explain", "std::stdp"]).good();
    assert!(text.contains("event rows and columns") && text.contains("full pass"), "{text}");
    let json = ask(folder.path(), &["explain", "--format", "json", "std::stdp"]).good();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["rule"].as_str(), Some("stdp"));
    assert!(!value["notes"].as_array().unwrap().is_empty());
}

fn list_knows_the_shipped_rules() {
    let folder = folder();
    let text = ask(folder.path(), &["list"]).good();
    let json = ask(folder.path(), &["list", "--format", "json"]).good();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    for (at, (name, rule)) in aplysia_rules::all().enumerate() {
        assert!(text.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name}: {text}");
        assert_eq!(value[at]["name"].as_str(), Some(name));
        assert!(!value[at]["documentation"][0].as_str().unwrap().is_empty(), "{name}");
        assert_eq!(ask(folder.path(), &["list", name]).good(), rule);
    }
    assert!(ask(folder.path(), &["list", "stdpp"]).bad(1).contains("did you mean `stdp`?"));
}

fn manual_and_completions() {
    let folder = folder();
    for shell in ["bash", "zsh", "fish"] {
        assert!(ask(folder.path(), &["completions", shell]).good().contains("checkpoint-every"));
    }
    assert!(ask(folder.path(), &["man"]).good().starts_with(".ie"));
    assert!(ask(folder.path(), &["man", "run"]).good().contains("checkpoint"));
    assert!(ask(folder.path(), &["man", "rum"]).bad(2).contains("did you mean `run`?"));
    let help = ask(folder.path(), &["run", "--help"]).good();
    assert!(help.contains("pre.spike") && help.contains("--resume"), "{help}");
    assert!(ask(folder.path(), &["--version"]).good().starts_with("aplysia "));
}

/// Song, Miller & Abbott (2000): a_plus exp(-Δt / tau_plus) for pre before post, -a_minus exp(Δt / tau_minus) after.
fn window_is_the_closed_form() {
    let folder = folder();
    let at = folder.path();
    let arguments =
        ["window", "std::stdp", "--set", "a_plus=0.02", "--set", "tau_minus=10ms", "--output", "w.npz"];
    let text = ask(at, &arguments).good();
    assert!(text.contains("t post - t pre") && text.contains("+2.000000e-2"), "{text}");
    let curve = arrays::<f64>(&at.join("w.npz"));
    let (times, change) = (&curve["delta_t"], &curve["w"]);
    assert_eq!(times.shape(), [201]);
    for (&time, &change) in times.iter().zip(change) {
        let expected = match time {
            0.0.. => 0.02 * f64::exp(-time / 20.0),
            _ => -0.012 * f64::exp(time / 10.0),
        };
        // The weight is near 0.5, where f64 has steps of 1.1e-16; traces decay in up to 100 roundings.
        assert!((change - expected).abs() < 1e-15, "{time}: {change} {expected}");
    }
    ask(at, &["window", "std::stdp", "--output", "w.csv"]).good();
    let table = std::fs::read_to_string(at.join("w.csv")).unwrap();
    assert_eq!(table.lines().count(), 202);
    assert!(table.starts_with("delta_t_ms,change_w\n-100,"), "{table:.60}");
    assert!(ask(at, &["window", "given.rule"]).bad(1).contains("`alpha`"));
    ask(at, &["window", "std::stdp", "--output", "w.svg"]).bad(2);
}

fn arrays<T: ndarray_npy::ReadableElement>(path: &Path) -> BTreeMap<String, ArrayD<T>> {
    let mut reader = NpzReader::new(File::open(path).unwrap()).unwrap();
    let names = reader.names().unwrap();
    names.into_iter().map(|name| (name.clone(), reader.by_name(&name).unwrap())).collect()
}

/// Trains that are irregular, but the same in every run.
fn train(steps: usize, neurons: usize, salt: usize) -> Array2<bool> {
    Array2::from_shape_fn((steps, neurons), |(step, neuron)| {
        (step * 7 + neuron * 13 + salt + step * step % 11).is_multiple_of(9)
    })
}

fn run_equals_the_library() {
    let folder = folder();
    let at = folder.path();
    let (pre, post) = (train(60, 5, 1), train(60, 3, 4));
    let dopamine = ndarray::Array1::from_shape_fn(60, |step| (step % 5) as f64 / 4.0);
    let start = Array2::from_shape_fn((5, 3), |(i, j)| (i * 3 + j) as f32 / 20.0);
    let mut writer = NpzWriter::new(File::create(at.join("case.npz")).unwrap());
    writer.add_array("pre.spike", &pre).unwrap();
    // A train of another type, in Fortran's order.
    let wide = post.mapv(|spike| f64::from(u8::from(spike)));
    writer.add_array("post.spike", &wide.t().as_standard_layout().t().to_owned()).unwrap();
    writer.add_array("dopamine", &dopamine).unwrap();
    writer.add_array("init.w", &start).unwrap();
    writer.finish().unwrap();
    let rule = Rule::from_source("given", GIVEN).unwrap().option("sign", "down").unwrap();
    let mut engine = Engine::new(Device::interpreter()).unwrap();
    let group =
        Group::dense(5, 3).rule(&rule).dt(ms(0.5)).init("w", start).param("alpha", 0.02).param("tau", 10.0);
    let group = engine.register(group.seed(5)).unwrap();
    let input = engine.input(group, "dopamine").unwrap();
    let recording = engine.record(group, &Recorder::new(["w"]).every(20)).unwrap();
    for (from, to) in [(0, 30), (30, 60)] {
        let rows = ndarray::s![from..to, ..];
        let series = dopamine.slice(ndarray::s![from..to]);
        let train = Train::new().pre(pre.slice(rows)).post(post.slice(rows)).input(input, series);
        engine.run(30, &Inputs::new().group(group, train)).unwrap();
        if to == 30 {
            engine.call(group, "halve").unwrap();
        }
    }
    let w = engine.read::<f32>(group, "w").unwrap().to_owned().into_dyn();
    let x = engine.read::<f32>(group, "x").unwrap().to_owned().into_dyn();
    let trace = engine.trace::<f32>(recording, "w").unwrap().to_owned();
    assert!(w.iter().any(|&value| value > 0.0) && x.iter().any(|&value| value > 0.0));
    for backend in ["cpu", "interpreter"] {
        for (plan, threads) in [("auto", "1"), ("full", "2"), ("events", "7")] {
            #[rustfmt::skip]
            let text = ask(at, &[
                "run", "given.rule", "--input", "case.npz", "--output", "out.npz", "--set", "alpha=0.02",
                "--set", "tau=10ms", "--dt", "500us", "--option", "sign=down", "--call", "halve@30", "--record", "w",
                "--record-every", "20", "--seed", "5", "--backend", backend, "--plan", plan, "--threads", threads,
            ])
            .good();
            assert!(
                text.contains("steps     60\n") && text.contains("5 × 3 dense, f32, dt 0.5 ms"),
                "{text}"
            );
            let found = arrays::<f32>(&at.join("out.npz"));
            assert_eq!(found.keys().collect::<Vec<_>>(), ["w", "w.trace", "x"]);
            assert_eq!(found["w"], w, "{backend} {plan}");
            assert_eq!(found["x"], x, "{backend} {plan}");
            assert_eq!(found["w.trace"], trace, "{backend} {plan}");
        }
    }
    let left: Vec<_> = std::fs::read_dir(at).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

const DRAWN: [&str; 8] = ["run", "std::stdp", "--pre", "40", "--post", "30", "--set", "w=0.5"];

fn run_without_input_is_reproducible() {
    let folder = folder();
    let at = folder.path();
    let run = |more: &[&str]| ask(at, &[&DRAWN, more].concat()).good();
    let text = run(&["--steps", "400", "--rate", "20Hz", "--output", "a.npz"]);
    for part in ["Poisson, 20 Hz", "w: mean 0.", "synapse updates per second", "written   a.npz", "█"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    run(&["--steps", "400", "--rate", "20Hz", "--output", "b.npz", "--threads", "3"]);
    assert_eq!(std::fs::read(at.join("a.npz")).unwrap(), std::fs::read(at.join("b.npz")).unwrap());
    run(&["--steps", "400", "--rate", "20Hz", "--output", "c.npz", "--seed", "1"]);
    assert_ne!(arrays::<f32>(&at.join("a.npz"))["w"], arrays::<f32>(&at.join("c.npz"))["w"]);
    let value: serde_json::Value = serde_json::from_str(&run(&["--format", "json"])).unwrap();
    assert_eq!((value["last_step"].as_u64(), value["pre"].as_u64()), (Some(1000), Some(40)));
    // 40 neurons, 1000 steps and 0.01 spikes a step are 400 spikes, with a standard deviation of 20.
    assert!(value["pre_spikes"].as_u64().unwrap().abs_diff(400) < 100, "{value}");
    let classes = value["plastic"]["w"]["after"]["histogram"].as_array().unwrap();
    assert_eq!(classes.iter().map(|count| count.as_u64().unwrap()).sum::<u64>(), 40 * 30);
}

fn steps_that_are_too_long_are_said() {
    let folder = folder();
    let quiet = ask(folder.path(), &["check", "std::stdp"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (0, ""));
    let asked = [
        vec!["check", "std::stdp", "--dt", "50ms"],
        vec!["run", "std::stdp", "--steps", "2", "--dt", "50ms"],
    ];
    for arguments in asked {
        let answer = ask(folder.path(), &arguments);
        assert_eq!(answer.code, 0, "{}", answer.err);
        assert!(answer.err.contains("W0103") && answer.err.contains("`tau_plus` is 20 ms"), "{}", answer.err);
    }
}

fn a_run_is_drawn() {
    let folder = folder();
    let run = ["run", "std::stdp", "--pre", "20", "--post", "10", "--steps", "200", "--plot", "w.svg"];
    let answer = ask(folder.path(), &run);
    assert_eq!(answer.code, 0, "{}", answer.err);
    let picture = std::fs::read_to_string(folder.path().join("w.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.trim_end().ends_with("</svg>"));
    for word in ["after", "before", "w: mean"] {
        assert!(picture.contains(word), "the picture does not say `{word}`");
    }
    // A rule that trains nothing has nothing to draw.
    std::fs::write(folder.path().join("trace.rule"), "rule trace { pre state x; on pre { x += 1; } }")
        .unwrap();
    let answer = ask(folder.path(), &["run", "trace.rule", "--steps", "5", "--plot", "x.svg"]);
    assert_eq!(answer.code, 2, "{}", answer.err);
    assert!(answer.err.contains("no trainable variable"), "{}", answer.err);
}

fn resumed_runs_are_the_same_to_the_bit() {
    let folder = folder();
    let at = folder.path();
    let run = |more: &[&str]| ask(at, &[&DRAWN, more].concat()).good();
    run(&["--steps", "300", "--output", "whole.npz"]);
    run(&["--steps", "170", "--checkpoint", "c", "--checkpoint-every", "50"]);
    let text = run(&["--steps", "300", "--resume", "c", "--output", "resumed.npz"]);
    assert!(text.contains("steps     130, after 170"), "{text}");
    assert_eq!(std::fs::read(at.join("whole.npz")).unwrap(), std::fs::read(at.join("resumed.npz")).unwrap());
    // With calls around the checkpoint, which are neither lost nor repeated, and input from a file.
    let mut writer = NpzWriter::new(File::create(at.join("case.npz")).unwrap());
    writer.add_array("pre.spike", &train(80, 5, 1)).unwrap();
    writer.add_array("post.spike", &train(80, 3, 4)).unwrap();
    writer.add_array("dopamine", &ndarray::Array1::from_elem(80, 0.5)).unwrap();
    writer.finish().unwrap();
    let case = ["run", "given.rule", "--input", "case.npz", "--set", "alpha=0.02"];
    let run = |more: &[&str]| ask(at, &[&case, more].concat()).good();
    run(&["--call", "halve@39,40,41", "--output", "whole.npz"]);
    run(&["--call", "halve@39,40", "--steps", "40", "--checkpoint", "c"]);
    run(&["--call", "halve@39,40,41", "--resume", "c", "--output", "resumed.npz"]);
    assert_eq!(std::fs::read(at.join("whole.npz")).unwrap(), std::fs::read(at.join("resumed.npz")).unwrap());
    // A checkpoint of another run is refused, as is one that is past the end.
    let other = |more: &[&str]| ask(at, &[&case, more].concat()).bad(1);
    assert!(other(&["--resume", "c", "--dt", "2ms"]).contains("E0825"));
    assert!(other(&["--resume", "c", "--steps", "30"]).contains("E0825"));
    std::fs::write(at.join("c"), "no checkpoint").unwrap();
    assert!(other(&["--resume", "c"]).contains("E0822"));
}

fn event_lists_equal_arrays() {
    let folder = folder();
    let at = folder.path();
    let (pre, post) = (train(50, 6, 2), train(50, 4, 3));
    let mut writer = NpzWriter::new(File::create(at.join("arrays.npz")).unwrap());
    writer.add_array("pre.spike", &pre).unwrap();
    writer.add_array("post.spike", &post).unwrap();
    writer.finish().unwrap();
    let list = |array: &Array2<bool>| -> (Vec<i64>, Vec<u32>) {
        let spikes = array.indexed_iter().filter(|(_, spike)| **spike);
        spikes.map(|((step, neuron), _)| (step as i64, neuron as u32)).unzip()
    };
    let mut writer = NpzWriter::new(File::create(at.join("lists.npz")).unwrap());
    for (side, array) in [("pre", &pre), ("post", &post)] {
        let (step, index) = list(array);
        writer.add_array(format!("{side}.spike.step"), &ndarray::Array1::from(step)).unwrap();
        writer.add_array(format!("{side}.spike.index"), &ndarray::Array1::from(index)).unwrap();
    }
    writer.finish().unwrap();
    let run = |more: &[&str]| ask(at, &[&["run", "std::stdp", "--set", "w=0.5"], more].concat());
    run(&["--input", "arrays.npz", "--output", "a.npz"]).good();
    run(&["--input", "lists.npz", "--pre", "6", "--post", "4", "--steps", "50", "--output", "b.npz"]).good();
    assert_eq!(std::fs::read(at.join("a.npz")).unwrap(), std::fs::read(at.join("b.npz")).unwrap());
    assert!(run(&["--input", "lists.npz"]).bad(1).contains("--pre N"));
    assert!(run(&["--input", "lists.npz", "--pre", "5", "--post", "4"]).bad(1).contains("E0810"));
}

/// Arrays of reals by name, of one case.
type Arrays<'a> = &'a [(&'a str, &'a [usize], &'a [f64])];

fn wrong_inputs_are_refused() {
    let folder = folder();
    let at = folder.path();
    let refused = |arrays: Arrays, more: &[&str]| {
        let mut writer = NpzWriter::new(File::create(at.join("case.npz")).unwrap());
        for (name, shape, values) in arrays {
            let array = ArrayD::from_shape_vec(shape.to_vec(), values.to_vec()).unwrap();
            writer.add_array(*name, &array).unwrap();
        }
        writer.finish().unwrap();
        let arguments =
            ["run", "given.rule", "--input", "case.npz", "--pre", "2", "--post", "1", "--output", "out.npz"];
        let err = ask(at, &[&arguments, more].concat()).bad(1);
        assert!(!at.join("out.npz").exists());
        err
    };
    let all = ["--set", "alpha=1", "--set", "dopamine=1"];
    for (arrays, part) in [
        (&[("pre.spik", &[1, 2][..], &[0.0, 0.0][..])][..], "did you mean `pre.spike`?"),
        (&[("init.ww", &[2, 1], &[0.0, 0.0])], "did you mean `w`?"),
        (&[("init.w", &[1, 2], &[0.0, 0.0])], "`init.w` has 1 presynaptic neurons, but `--pre` has 2"),
        (&[("init.w", &[2], &[0.0, 0.0])], "[pre, post]"),
        (&[("init.w", &[2, 1], &[0.0, f64::NAN])], "`init.w` is NaN at [1, 0]"),
        (&[("pre.spike", &[1, 2], &[0.0, 2.0])], "is 2 at [0, 1]"),
        (&[("pre.spike", &[1, 2], &[0.0, 1.0]), ("post.spike", &[2, 1], &[0.0, 1.0])], "2 steps"),
        (&[("pre.spike.step", &[2], &[3.0, 1.0]), ("pre.spike.index", &[2], &[0.0, 0.0])], "E0811"),
        (&[("draw.given.z", &[2, 1], &[0.0, 0.0])], "no draw `given.z`"),
        (&[("csr.indptr", &[2], &[0.0, 0.0])], "--topology csr"),
    ] {
        let err = refused(arrays, &all);
        assert!(err.contains(part), "{part}: {err}");
    }
    let err = refused(&[], &["--set", "dopamine=1"]);
    assert!(err.contains("`alpha`") && err.contains("--set alpha=VALUE"), "{err}");
    let err = refused(&[], &["--set", "alpha=1"]);
    assert!(err.contains("`dopamine`") && err.contains("[steps]"), "{err}");
    std::fs::write(at.join("case.npz"), "no archive").unwrap();
    let broken = ask(at, &["run", "given.rule", "--input", "case.npz"]).bad(2);
    assert!(broken.contains("not an .npz file"), "{broken}");
}

fn wrong_command_lines_are_refused() {
    let folder = folder();
    let at = folder.path();
    for (arguments, code, part) in [
        (&["run", "none.rule"][..], 2, "none.rule"),
        (&["run", "std::stdpp"], 1, "did you mean `stdp`?"),
        (&["run", "std::stdp", "--set", "a_pluss=1"], 1, "did you mean `a_plus`?"),
        (&["run", "std::stdp", "--set", "a_plus=1ms"], 2, "dimensionless"),
        (&["run", "std::stdp", "--set", "tau_plus=1mV"], 2, "time"),
        (&["run", "std::stdp", "--dt", "1"], 2, "needs a unit"),
        (&["run", "std::stdp", "--rate", "5kHz"], 2, "more than one spike"),
        (&["run", "std::stdp", "--call", "x@1"], 1, "no `on call x`"),
        (&["run", "std::stdp", "--record", "w"], 2, "--output"),
        (&["run", "std::stdp", "--topology", "conv3d"], 2, "conv2d"),
        (&["run", "std::stdp", "--output", "no/such/folder.npz"], 2, "folder.npz"),
        (&["run", "std::stdp", "--rule", "x"], 1, "no rule `x`"),
        (&["run", "std::stdp", "--option", "x=y"], 1, "error[E"),
        (&["frobnicate"], 2, "unrecognized"),
    ] {
        let err = ask(at, arguments).bad(code);
        assert!(err.contains(part), "{part}: {err}");
    }
}

fn a_closed_pipe_is_no_error() {
    let folder = folder();
    let mut child = command(folder.path(), &["emit", "--target", "asm", "std::stdp"]).spawn().unwrap();
    drop(child.stdout.take());
    let answer = answer(child.wait_with_output().unwrap());
    assert_eq!((answer.code, answer.err.as_str()), (0, ""));
}
