//! Runs on every topology and in batches: what the arrays show, what comes out, and what is refused.

use aplysia::{Conv2d, Inputs, Train};
use ndarray::{Array, Array1, IxDyn};

use super::*;

/// A rule with everything that has a shape.
const SHAPED: &str = "\
rule shaped {
    batch mean;
    plastic w in 0 .. 1 = 0.5;
    pre state x;
    post_channel state seen;
    pre input u = 1;
    on pre { x += u; }
    on post { dw += 0.1 * x * (1 - seen); }
    update { seen = sum[batch](mean[position](post.spike)); }
    modulate { let z = normal[synapse](0, 0.01); dw += z; }
    on call halve { w *= 0.5; }
}
";

pub fn trials() -> Vec<Trial> {
    let trial = |name: &str, test: fn()| {
        Trial::test(format!("command_line::topologies::{name}"), move || {
            test();
            Ok::<(), Failed>(())
        })
    };
    macro_rules! all { ($($test:ident)*) => { vec![$(trial(stringify!($test), $test)),*] }; }
    all! {
        runs_equal_the_library batches_are_read_from_the_arrays lists_of_a_batch_equal_arrays drawn_runs_have_their_shapes
        convolutions_show_their_shape wrong_groups_are_refused the_compiler_shows_every_topology
        resumed_runs_know_their_connections delays_are_late_spikes
    }
}

fn shaped() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("shaped.rule"), SHAPED).unwrap();
    folder
}

/// Writes arrays of reals by name.
fn save(path: &Path, arrays: &[(&str, ArrayD<f64>)]) {
    let mut writer = NpzWriter::new(File::create(path).unwrap());
    for (name, array) in arrays {
        writer.add_array(*name, array).unwrap();
    }
    writer.finish().unwrap();
}

fn bitmap(shape: &[usize], salt: usize) -> ArrayD<f64> {
    let mut at = salt;
    Array::from_shape_fn(IxDyn(shape), |_| {
        at += 1;
        f64::from(u8::from((at * 7 + at * at % 11).is_multiple_of(5)))
    })
}

fn ramp(shape: &[usize]) -> ArrayD<f64> {
    let count: usize = shape.iter().product();
    let values = (0..count).map(|at| at as f64 / count as f64).collect();
    ArrayD::from_shape_vec(IxDyn(shape), values).unwrap()
}

fn groups() -> Vec<(Group, Vec<&'static str>)> {
    let shape = Conv2d::new([2, 5, 6], 3, (3, 2)).stride((2, 1)).padding((1, 0));
    let spatial = |topology| vec!["--topology", topology, "--stride", "2,1", "--padding", "1,0"];
    vec![
        (Group::dense(5, 3), vec![]),
        (Group::one_to_one(6), vec!["--topology", "one-to-one"]),
        (Group::csr(4, 3, [0, 2, 2, 5, 6], [0, 2, 0, 1, 2, 1]).unwrap(), vec!["--topology", "csr"]),
        (Group::conv2d(shape).unwrap(), spatial("conv2d")),
        (Group::local2d(shape).unwrap(), spatial("local2d")),
    ]
}

/// Spikes, an input, initial weights and draws of a group, in the shapes that a file has.
fn arrays_of(group: &Group, batch: usize, steps: usize) -> Vec<(&'static str, ArrayD<f64>)> {
    use aplysia::compiler::kernel::Side;
    let topology = group.topology();
    let leading = if batch > 1 { vec![steps, batch] } else { vec![steps] };
    let [pre, post] =
        [Side::Pre, Side::Post].map(|side| [&leading[..], &topology.neuron_shape(side)].concat());
    let synapses = topology.synapse_shape();
    let mut arrays = vec![
        ("pre.spike", bitmap(&pre, 1)),
        ("post.spike", bitmap(&post, 3)),
        ("u", ramp(&pre)),
        ("init.w", ramp(&synapses)),
        ("draw.shaped.z", ramp(&[&[steps], &synapses[..]].concat()) - 0.5),
    ];
    if let aplysia::Topology::Sparse(sparse) = topology {
        let starts: Vec<f64> = sparse.row_start().iter().map(|&start| start as f64).collect();
        let columns: Vec<f64> = sparse.columns().iter().map(|&column| f64::from(column)).collect();
        arrays.push(("csr.indptr", Array1::from(starts).into_dyn()));
        arrays.push(("csr.indices", Array1::from(columns).into_dyn()));
    }
    arrays
}

/// What the library makes of the same.
fn expected(group: Group, batch: usize, arrays: &[(&str, ArrayD<f64>)]) -> [ArrayD<f32>; 3] {
    let array = |name: &str| &arrays.iter().find(|(known, _)| *known == name).unwrap().1;
    let rule = Rule::from_source("shaped", SHAPED).unwrap();
    let draws = array("draw.shaped.z");
    let group = group.rule(&rule).batch(batch).init("w", array("init.w"));
    let group = group.draw("shaped.z", draws.index_axis(ndarray::Axis(0), 0));
    let mut engine = Engine::new(Device::interpreter()).unwrap();
    let id = engine.register(group).unwrap();
    let (input, draw) = (engine.input(id, "u").unwrap(), engine.draw(id, "shaped.z").unwrap());
    let spikes = |name: &str| array(name).mapv(|spike| spike == 1.0);
    let (pre, post) = (spikes("pre.spike"), spikes("post.spike"));
    let train = Train::new().pre(pre.view()).post(post.view());
    let train = train.input(input, array("u").view()).draw(draw, draws.view());
    engine.run(pre.shape()[0] as u64, &Inputs::new().group(id, train)).unwrap();
    ["w", "x", "seen"].map(|name| engine.read::<f32>(id, name).unwrap().to_owned())
}

fn runs_equal_the_library() {
    let folder = shaped();
    let at = folder.path();
    for (group, arguments) in groups() {
        for batch in [1, 3] {
            let arrays = arrays_of(&group, batch, 7);
            save(&at.join("case.npz"), &arrays);
            let [w, x, seen] = expected(group.clone(), batch, &arrays);
            for more in [&["--backend", "interpreter"][..], &["--threads", "2"]] {
                let run = ["run", "shaped.rule", "--input", "case.npz", "--output", "out.npz"];
                ask(at, &[&run, &arguments[..], more].concat()).good();
                let found = arrays_by_name(&at.join("out.npz"));
                assert_eq!(found.keys().collect::<Vec<_>>(), ["seen", "w", "x"]);
                assert_eq!(found["w"], w, "{arguments:?}, batch {batch}");
                assert_eq!(found["x"], x, "{arguments:?}, batch {batch}");
                assert_eq!(found["seen"], seen, "{arguments:?}, batch {batch}");
            }
        }
    }
}

fn arrays_by_name(path: &Path) -> BTreeMap<String, ArrayD<f32>> {
    arrays::<f32>(path)
}

/// The batch is where the spikes, or an input alone, have an axis for it; neurons of images may be in one axis.
fn batches_are_read_from_the_arrays() {
    let folder = shaped();
    let at = folder.path();
    let run = |more: &[&str]| {
        let all = [&["run", "shaped.rule", "--input", "case.npz", "--output", "out.npz"], more].concat();
        ask(at, &all)
    };
    save(&at.join("case.npz"), &[("u", ramp(&[9, 2, 4]))]);
    let text = run(&["--post", "3"]).good();
    assert!(text.contains("4 × 3 dense, batch 2") && text.contains("steps     9"), "{text}");
    assert_eq!(arrays_by_name(&at.join("out.npz"))["x"].shape(), [2, 4]);
    // Where the batch is known, two axes are a batch that is held.
    save(&at.join("case.npz"), &[("u", ramp(&[2, 4]))]);
    let text = run(&["--post", "3", "--batch", "2", "--steps", "5"]).good();
    assert!(text.contains("batch 2") && text.contains("steps     5"), "{text}");
    assert!(run(&["--post", "3"]).good().contains("steps     2\n"));
    // A batch of one may have its axis, and leaves none.
    save(
        &at.join("case.npz"),
        &[("pre.spike", bitmap(&[6, 1, 4], 0)), ("post.spike", bitmap(&[6, 1, 3], 1))],
    );
    assert!(run(&[]).good().contains("4 × 3 dense, f32"));
    assert_eq!(arrays_by_name(&at.join("out.npz"))["x"].shape(), [4]);
    save(
        &at.join("case.npz"),
        &[("pre.spike", bitmap(&[6, 2, 4], 0)), ("post.spike", bitmap(&[6, 3, 3], 1))],
    );
    let err = run(&[]).bad(1);
    assert!(err.contains("`post.spike` has 3 batch elements, but `pre.spike` has 2"), "{err}");
    save(&at.join("case.npz"), &[("pre.spike", bitmap(&[6, 4], 0)), ("post.spike", bitmap(&[6, 3], 1))]);
    let err = run(&["--batch", "2"]).bad(1);
    assert!(err.contains("[steps, batch, pre]"), "{err}");
    save(&at.join("case.npz"), &[("pre.spike", bitmap(&[6, 2, 4], 0)), ("init.x", ramp(&[4]))]);
    let err = run(&["--post", "3"]).bad(1);
    assert!(err.contains("`init.x` has shape [4], but [batch, pre] is needed"), "{err}");
}

fn lists_of_a_batch_equal_arrays() {
    let folder = shaped();
    let at = folder.path();
    let (pre, post) = (bitmap(&[8, 2, 4], 0), bitmap(&[8, 2, 3], 3));
    save(&at.join("case.npz"), &[("pre.spike", pre.clone()), ("post.spike", post.clone())]);
    let run = |more: &[&str]| ask(at, &[&["run", "shaped.rule", "--input", "case.npz"], more].concat());
    run(&["--output", "a.npz"]).good();
    let lists = |map: &ArrayD<f64>| -> [ArrayD<f64>; 3] {
        let events: Vec<_> =
            map.indexed_iter().filter(|(_, spike)| **spike == 1.0).map(|(at, _)| at).collect();
        [0, 1, 2].map(|axis| events.iter().map(|at| at[axis] as f64).collect::<Array1<f64>>().into_dyn())
    };
    let [[step, element, index], [post_step, post_element, post_index]] = [lists(&pre), lists(&post)];
    let mut listed = vec![
        ("pre.spike.step", step),
        ("pre.spike.batch", element),
        ("pre.spike.index", index),
        ("post.spike.step", post_step),
        ("post.spike.batch", post_element),
        ("post.spike.index", post_index),
    ];
    save(&at.join("case.npz"), &listed);
    let sizes = ["--pre", "4", "--post", "3", "--steps", "8", "--batch", "2"];
    run(&[&sizes[..], &["--output", "b.npz"]].concat()).good();
    assert_eq!(std::fs::read(at.join("a.npz")).unwrap(), std::fs::read(at.join("b.npz")).unwrap());
    let err = run(&["--pre", "4", "--post", "3", "--steps", "8"]).bad(1);
    assert!(err.contains("E0833") && err.contains("batch element 1"), "{err}");
    listed.remove(1);
    save(&at.join("case.npz"), &listed);
    let err = run(&sizes).bad(1);
    assert!(err.contains("`pre.spike.batch` is not in the input"), "{err}");
}

fn drawn_runs_have_their_shapes() {
    let folder = shaped();
    let at = folder.path();
    for (topology, w, x) in [
        ("dense", vec![30, 20], vec![30]),
        ("one-to-one", vec![30], vec![30]),
        ("conv2d", vec![8, 2, 5, 5], vec![2, 28, 28]),
        ("local2d", vec![8, 576, 50], vec![2, 28, 28]),
    ] {
        let sizes: &[&str] = match topology {
            "dense" => &["--pre", "30", "--post", "20"],
            "one-to-one" => &["--pre", "30"],
            _ => &[],
        };
        for batch in [1, 2] {
            let words = batch.to_string();
            let run = [
                "run",
                "shaped.rule",
                "--topology",
                topology,
                "--batch",
                &words,
                "--steps",
                "3",
                "--output",
                "o.npz",
            ];
            let text = ask(at, &[&run, sizes].concat()).good();
            assert!(text.contains(topology) && text.contains("Poisson"), "{text}");
            let found = arrays_by_name(&at.join("o.npz"));
            let leading = if batch > 1 { vec![batch] } else { vec![] };
            assert_eq!(found["w"].shape(), w);
            assert_eq!(found["x"].shape(), [leading, x.clone()].concat());
        }
    }
    // Synapses that were drawn are told.
    let run = ["run", "shaped.rule", "--topology", "csr", "--pre", "30", "--post", "20", "--steps", "3"];
    let text =
        ask(at, &[&run[..], &["--probability", "0.25", "--output", "o.npz", "--format", "json"]].concat())
            .good();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut reader = NpzReader::new(File::open(at.join("o.npz")).unwrap()).unwrap();
    let indptr: Array1<i64> = reader.by_name("csr.indptr").unwrap();
    let indices: Array1<i64> = reader.by_name("csr.indices").unwrap();
    let w: Array1<f32> = reader.by_name("w").unwrap();
    assert_eq!((indptr.len(), indptr[30] as usize, w.len()), (31, indices.len(), indices.len()));
    // Of 600 pairs 150 are expected, with a standard deviation of 10.6.
    assert!(indices.len().abs_diff(150) < 53 && value["synapses"] == indices.len(), "{value}");
}

fn convolutions_show_their_shape() {
    let folder = shaped();
    let at = folder.path();
    let run = |topology: &str, more: &[&str]| {
        let all = ["run", "shaped.rule", "--input", "case.npz", "--topology", topology];
        ask(at, &[&all, more].concat())
    };
    // Neurons in one axis: the sizes of the two sides leave one image.
    let flat = [
        ("pre.spike", bitmap(&[6, 50], 0)),
        ("post.spike", bitmap(&[6, 36], 1)),
        ("init.w", ramp(&[4, 2, 3, 3])),
    ];
    save(&at.join("case.npz"), &flat);
    let text = run("conv2d", &[]).good();
    assert!(text.contains("conv2d, 2 × 5 × 5 to 4 × 3 × 3, kernel 3 × 3,"), "{text}");
    // Without weights the kernel is found by what it makes, or said.
    save(&at.join("case.npz"), &flat[..2]);
    let err = run("local2d", &[]).bad(1);
    assert!(err.contains("input channels") && err.contains("--in-shape C,H,W"), "{err}");
    let said = ["--in-shape", "2,5,5", "--out-channels", "4", "--kernel", "3"];
    let text = run("local2d", &said).good();
    assert!(text.contains("local2d, 2 × 5 × 5 to 4 × 3 × 3, kernel 3 × 3,"), "{text}");
    let err = run("conv2d", &[&said[..], &["--stride", "2"]].concat()).bad(1);
    assert!(err.contains("no convolution has the sizes"), "{err}");
    let err = run("conv2d", &["--in-shape", "2,5,5", "--out-channels", "4", "--kernel", "7"]).bad(1);
    assert!(err.contains("E0830") && err.contains("does not fit into a padded image"), "{err}");
}

fn wrong_groups_are_refused() {
    let folder = shaped();
    let at = folder.path();
    let lists = |indptr: &[f64], indices: &[f64]| {
        [("csr.indptr", indptr), ("csr.indices", indices)]
            .map(|(name, list)| (name, Array1::from(list.to_vec()).into_dyn()))
    };
    for (arrays, more, part) in [
        (
            lists(&[0.0, 2.0, 4.0], &[0.0, 1.0, 2.0, 1.0]),
            "csr",
            "row 1 is not sorted: column 1 comes after 2",
        ),
        (lists(&[0.0, 2.0, 4.0], &[0.0, 1.0, 1.0, 1.0]), "csr", "the synapse from 1 to 1 is there twice"),
        (lists(&[0.0, 2.0, 3.0], &[0.0, 1.0, 3.0]), "csr", "row 1 has column 3, where there are 3"),
        (lists(&[0.0, 2.0, 1.0], &[0.0]), "csr", "never goes down"),
        (lists(&[0.0, 1.0], &[0.5]), "csr", "whole numbers from 0"),
        (lists(&[], &[]), "csr", "`csr.indptr` is empty"),
        (lists(&[0.0, 1.0], &[0.0]), "dense", "--topology csr"),
    ] {
        save(&at.join("case.npz"), &arrays);
        let all = ["run", "shaped.rule", "--input", "case.npz", "--post", "3", "--topology", more];
        let err = ask(at, &all).bad(1);
        assert!(err.contains(part), "{part}: {err}");
    }
    save(&at.join("case.npz"), &lists(&[0.0, 1.0], &[0.0])[..1]);
    let run = |more: &[&str]| ask(at, &[&["run", "shaped.rule", "--input", "case.npz"], more].concat());
    assert!(run(&["--topology", "csr"]).bad(1).contains("no `csr.indices`"));
    save(&at.join("case.npz"), &[("pre.spike", bitmap(&[5, 4], 0)), ("post.spike", bitmap(&[5, 3], 0))]);
    assert!(run(&["--topology", "csr"]).bad(1).contains("`csr.indptr` and `csr.indices`"));
    let err = run(&["--topology", "one-to-one"]).bad(1);
    assert!(err.contains("`pre.spike` has 4 presynaptic neurons and `post.spike` 3"), "{err}");
    assert!(run(&["--stride", "2"]).bad(2).contains("--topology conv2d"));
    assert!(run(&["--probability", "0.5"]).bad(2).contains("--topology csr"));
    assert!(run(&["--topology", "csr", "--probability", "1.5"]).bad(1).contains("from 0 to 1"));
    assert!(run(&["--topology", "conv2d", "--kernel", "3x3"]).bad(2).contains("whole number"));
    let err = ask(at, &["run", "std::stdp", "--batch", "2", "--steps", "1"]).bad(1);
    assert!(err.contains("`batch sum;`") && err.contains("dw -= a_minus"), "{err}");
}

fn the_compiler_shows_every_topology() {
    let folder = shaped();
    let at = folder.path();
    let mut texts = Vec::new();
    for topology in ["dense", "one-to-one", "csr", "conv2d", "local2d"] {
        for batch in ["1", "3"] {
            let which = ["shaped.rule", "--topology", topology, "--batch", batch];
            texts.push(ask(at, &[&["emit", "--target", "kernel"], &which[..]].concat()).good());
            assert!(!ask(at, &[&["explain"], &which[..]].concat()).good().is_empty());
            let checked = ask(at, &[&["check"], &which[..]].concat()).good();
            assert_eq!(checked, "shaped.rule: ok, 1 rule\n");
        }
    }
    let count = texts.len();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), count, "two topologies have the same kernels");
    assert_eq!(ask(at, &["check", "std::stdp"]).code, 0);
    let err = ask(at, &["check", "std::stdp", "--batch", "2"]).bad(1);
    assert!(err.contains("`batch sum;`"), "{err}");
}

fn resumed_runs_know_their_connections() {
    let folder = shaped();
    let at = folder.path();
    for topology in [
        &["--topology", "csr", "--pre", "20", "--post", "15"][..],
        &["--topology", "local2d", "--batch", "2"],
    ] {
        let run = |more: &[&str]| ask(at, &[&["run", "shaped.rule"], topology, more].concat());
        run(&["--steps", "9", "--call", "halve@2,7", "--output", "whole.npz"]).good();
        run(&["--steps", "5", "--call", "halve@2", "--checkpoint", "c"]).good();
        run(&["--steps", "9", "--call", "halve@2,7", "--resume", "c", "--output", "resumed.npz"]).good();
        assert_eq!(
            std::fs::read(at.join("whole.npz")).unwrap(),
            std::fs::read(at.join("resumed.npz")).unwrap()
        );
    }
    let err = ask(at, &["run", "shaped.rule", "--topology", "local2d", "--resume", "c"]).bad(1);
    assert!(err.contains("batch of group 0: 2 in the file, 1 here"), "{err}");
    let err =
        ask(at, &["run", "shaped.rule", "--topology", "conv2d", "--batch", "2", "--resume", "c"]).bad(1);
    assert!(err.contains("topology of group 0: local2d in the file, conv2d here"), "{err}");
}

/// Of a rule that reads spikes and traces of them, a delay is the same as later spikes.
fn delays_are_late_spikes() {
    let folder = shaped();
    let at = folder.path();
    let (pre, post) = (bitmap(&[20, 4], 0), bitmap(&[20, 3], 3));
    let late = |map: &ArrayD<f64>, steps: &dyn Fn(usize) -> usize| {
        Array::from_shape_fn(IxDyn(map.shape()), |at| {
            at[0].checked_sub(steps(at[1])).map_or(0.0, |earlier| map[[earlier, at[1]]])
        })
    };
    let run = |arrays: &[(&str, ArrayD<f64>)], more: &[&str]| {
        save(&at.join("case.npz"), arrays);
        let all = ["run", "std::stdp", "--input", "case.npz", "--output", "out.npz", "--set", "w=0.5"];
        ask(at, &[&all, more].concat()).good();
        arrays_by_name(&at.join("out.npz")).remove("w").unwrap()
    };
    let spikes = [("pre.spike", pre.clone()), ("post.spike", post.clone())];
    let base = run(&spikes, &[]);
    let later = [("pre.spike", late(&pre, &|_| 3)), ("post.spike", late(&post, &|_| 1))];
    let expected = run(&later, &[]);
    assert_ne!(expected, base);
    assert_eq!(run(&spikes, &["--axonal-delay", "3ms", "--dendritic-delay", "1ms"]), expected);
    let number = |value: f64| ArrayD::from_elem(vec![], value);
    let given = [&spikes[..], &[("delay.axonal", number(3.0)), ("delay.dendritic", number(1.2))]].concat();
    assert_eq!(run(&given, &[]), expected);
    let each = |neurons: usize| Array1::from_iter((0..neurons).map(|neuron| (neuron * 2) as f64)).into_dyn();
    let expected = run(&[("pre.spike", late(&pre, &|neuron| neuron * 2)), ("post.spike", post.clone())], &[]);
    assert_eq!(run(&[&spikes[..], &[("delay.axonal", each(4))]].concat(), &[]), expected);
    // For each synapse the same as for its presynaptic neuron.
    let synapses = Array::from_shape_fn(IxDyn(&[4, 3]), |at| (at[0] * 2) as f64);
    assert_eq!(run(&[&spikes[..], &[("delay.axonal", synapses)]].concat(), &[]), expected);
    let refused = |arrays: &[(&str, ArrayD<f64>)], more: &[&str], code: i32, part: &str| {
        save(&at.join("case.npz"), &[&spikes[..], arrays].concat());
        let err = ask(at, &[&["run", "std::stdp", "--input", "case.npz"], more].concat()).bad(code);
        assert!(err.contains(part), "{part}: {err}");
    };
    refused(&[("delay.axonal", number(-1.0))], &[], 1, "axonal delay is -1 ms");
    refused(&[("delay.axonal", each(3))], &[], 1, "3 presynaptic neurons");
    refused(&[("delay.dendritic", number(1.0))], &["--dendritic-delay", "1ms"], 2, "given twice");
    refused(&[], &["--axonal-delay", "3"], 2, "needs a unit");
}
