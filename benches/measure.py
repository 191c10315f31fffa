#!/usr/bin/env python3
"""Measures the workloads beside other programs, and writes the tables of docs/performance.md. Standard library only.

    measure.py run OUT.jsonl [--kit FOLDER] [--quick] [--only W1,W4] [--minutes 20]
    measure.py tables OUT.jsonl [MORE.jsonl ...] [--into docs/performance.md]

`run` builds aplysia, then runs everything in turn, round by round (A B C A B C), each in a process of its own that is
pinned to as many processors as it may use, and appends a line of JSON for each result. The other programs come from a
folder of peers (`--kit`): scripts NAME.py that are called as `NAME.py WORKLOAD --threads N --seconds S --systems A,B` and
print the same lines; PEERS_PYTHON_TORCH=/path/to/python names the interpreter of peer_torch.py, and so on. Without a
folder, aplysia is measured alone. What fails is said on standard error and in the tables.

`tables` makes Markdown of such lines, and puts it between the two marks of a file or prints it: the machine, the goals and whether they are reached, every workload, and what was
not measured. Ratios are medians over rounds of the ratio within a round, with the least and the greatest.
"""
import argparse, contextlib, datetime, io, json, os, platform, statistics, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
RELEASE = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release")
APLYSIA = [os.path.join(RELEASE, "aplysia"), "bench"]
NATIVE = [os.path.join(RELEASE, "aplysia-native-bench")]
CREF, NUMBA, JAX, TORCH, BRIAN2 = "c_ref", "peer_numba", "peer_jax", "peer_torch", "peer_brian2"

# Between these the tables stand.
BEGIN, END = "<!-- measured -->", "<!-- end of what was measured -->"

# Their compilers take a minute, so they take part in the first round only.
SLOW = {TORCH, BRIAN2}

# workload -> (peers and their systems, whether `plasticity!` takes part, rounds, threads)
OUTER = "torch-compile,torch-compile-outer"
JOBS = [
    # What has a goal comes first: a run may be out of time before the end.
    ("W1-4000-p01", [(CREF, ""), (NUMBA, ""), (JAX, "")], True, 3, 1),
    ("W1-4000-p05", [(CREF, ""), (NUMBA, ""), (JAX, "")], True, 3, 1),
    ("W2-10k-1pc", [(CREF, ""), (NUMBA, ""), (BRIAN2, "brian2-cpp")], True, 3, 1),
    ("W2-10k-10pc", [(CREF, ""), (NUMBA, ""), (BRIAN2, "brian2-cpp")], True, 2, 1),
    ("W3-4000", [(CREF, ""), (JAX, "")], True, 3, 1),
    ("W4-4096-b1", [(CREF, ""), (JAX, ""), (TORCH, OUTER)], True, 2, 1),
    ("W4-4096-b32", [(CREF, ""), (JAX, ""), (TORCH, "torch-compile")], True, 2, 1),
    ("W4-4096-b256", [(CREF, ""), (JAX, ""), (TORCH, "torch-compile")], True, 2, 1),
    ("W5-4096", [(CREF, "")], True, 2, 1),
    ("W6-4096", [(CREF, ""), (JAX, "")], True, 3, 1),
    ("W6-4096-more", [], True, 3, 1),
    ("G1-32-p00", [], False, 3, 1),
    ("W1-4000-p01", [(CREF, "c-full")], False, 2, 2),
    ("W3-4000", [(CREF, "c-full")], False, 2, 2),
    ("W6-4096", [(CREF, "")], False, 2, 2),
    ("W1-1000-p01", [(CREF, ""), (NUMBA, ""), (JAX, "")], True, 2, 1),
    ("W1-1000-p05", [(CREF, ""), (NUMBA, ""), (JAX, "")], True, 1, 1),
    ("W3-1000", [(CREF, ""), (JAX, "")], True, 2, 1),
    ("W6-1000", [(CREF, ""), (JAX, "")], True, 2, 1),
    ("G1000-32-p00", [], False, 2, 1),
    ("G1000-32-p01", [], False, 2, 1),
    ("G1000-32-p01", [], False, 2, 2),
]
# The same memory, one thread and two: the ratio that two threads are held against.
SHARED = {"W1-4000-p01": 64, "W3-4000": 128, "W6-4096": 64}

# (words, workload, systems of ours by preference, systems to compare with, goal, threads)
FULL = ["aplysia-full", "aplysia"]
C = ["c-full"]
BEST_W2 = ["numba-event", "brian2-cpp", "c-event", "c-lazy"]
BEST_W4 = ["c-full", "jax-jit", "torch-compile", "torch-compile-outer"]
GOALS = [
    ("W1, 4000, 1 %, default plan", "W1-4000-p01", ["aplysia"], ["c-event"], 0.3),
    ("W1, 4000, 5 %, default plan", "W1-4000-p05", ["aplysia"], ["c-event"], 0.3),
    ("W1, 4000, 1 %, closed form", "W1-4000-p01", ["aplysia-closed", "aplysia-closed-form"], ["c-lazy"], 1.0),
    ("W1, 4000, 5 %, closed form", "W1-4000-p05", ["aplysia-closed", "aplysia-closed-form"], ["c-lazy"], 1.0),
    ("W1, 4000, full pass", "W1-4000-p01", FULL, C, 1.1),
    ("W3, 4000, full pass", "W3-4000", FULL, C, 1.1),
    ("W6, 4096, full pass", "W6-4096", FULL, C, 1.1),
    ("W1, 4000, 1 %, default plan, native", "W1-4000-p01", ["aplysia-native"], ["c-event"], 0.3),
    ("W1, 4000, 5 %, default plan, native", "W1-4000-p05", ["aplysia-native"], ["c-event"], 0.3),
    ("W1, 4000, 1 %, closed form, native", "W1-4000-p01", ["aplysia-native-closed-form"], ["c-lazy"], 1.0),
    ("W1, 4000, 5 %, closed form, native", "W1-4000-p05", ["aplysia-native-closed-form"], ["c-lazy"], 1.0),
    ("W1, 4000, full pass, native", "W1-4000-p01", ["aplysia-native-full"], C, 1.0),
    ("W3, 4000, full pass, native", "W3-4000", ["aplysia-native"], C, 1.0),
    ("W6, 4096, full pass, native", "W6-4096", ["aplysia-native"], C, 1.0),
    ("W2, density 1 %", "W2-10k-1pc", ["aplysia"], BEST_W2, 0.9),
    ("W2, density 10 %", "W2-10k-10pc", ["aplysia"], BEST_W2, 0.9),
    ("W2, density 1 %, closed form", "W2-10k-1pc", ["aplysia-closed-form"], BEST_W2, 0.9),
    ("W2, density 10 %, closed form", "W2-10k-10pc", ["aplysia-closed-form"], BEST_W2, 0.9),
    ("W2, density 1 %, native", "W2-10k-1pc", ["aplysia-native"], BEST_W2, 0.9),
    ("W2, density 10 %, native", "W2-10k-10pc", ["aplysia-native"], BEST_W2, 0.9),
    ("W2, density 1 %, closed form, native", "W2-10k-1pc", ["aplysia-native-closed-form"], BEST_W2, 0.9),
    ("W2, density 10 %, closed form, native", "W2-10k-10pc", ["aplysia-native-closed-form"], BEST_W2, 0.9),
    ("W3, 4000, closed form, native", "W3-4000", ["aplysia-native-closed-form"], ["c-lazy"], 1.0),
    ("W3, 4000, closed form", "W3-4000", ["aplysia-closed", "aplysia-closed-form"], ["c-lazy"], 1.0),
    ("W4, 4096, batch 1", "W4-4096-b1", ["aplysia"], BEST_W4, 1.0),
    ("W4, 4096, batch 1, native", "W4-4096-b1", ["aplysia-native"], BEST_W4, 1.0),
    ("W4, 4096, batch 32", "W4-4096-b32", ["aplysia"], BEST_W4, 1.0),
    ("W4, 4096, batch 32, native", "W4-4096-b32", ["aplysia-native"], BEST_W4, 1.0),
    ("W4, 4096, batch 256", "W4-4096-b256", ["aplysia"], BEST_W4, 1.0),
    ("W4, 4096, batch 256, native", "W4-4096-b256", ["aplysia-native"], BEST_W4, 1.0),
    ("W5, 4096", "W5-4096", ["aplysia"], C, 1.5),
    ("W5, 4096, native", "W5-4096", ["aplysia-native"], C, 0.9),
]
# What a full pass moves at least, in bytes for each synapse.
BYTES = dict(W1=8, W3=16, W4=24, W5=20, W6=8)


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def python(peer):
    return os.environ.get("PEERS_PYTHON_" + peer.replace("peer_", "").upper(), sys.executable)


def answer(command, threads, folder=None, limit=900):
    """What a command prints, pinned to the first processors, and why it failed."""
    processors = sorted(os.sched_getaffinity(0))[:threads]
    few = str(threads)
    env = dict(os.environ, OMP_NUM_THREADS=few, OPENBLAS_NUM_THREADS=few, MKL_NUM_THREADS=few, PYTHONDONTWRITEBYTECODE="1")
    if any("peer_" in part for part in command):
        # Large temporaries stay mapped, or eager programs spend their time in page faults.
        env.update(MALLOC_MMAP_THRESHOLD_=str(2**32), MALLOC_TRIM_THRESHOLD_=str(2**34), MALLOC_TOP_PAD_=str(2**28))
    try:
        done = subprocess.run(command, cwd=folder, env=env, text=True, capture_output=True, timeout=limit,
                              preexec_fn=lambda: os.sched_setaffinity(0, processors))
    except (OSError, subprocess.TimeoutExpired) as error:
        return [], str(error)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    reason = "" if lines else (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    return lines, reason


def first_line(command):
    try:
        return subprocess.run(command, text=True, capture_output=True, timeout=60).stdout.strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return ""


def machine():
    """What is measured on, and with which versions."""
    processor = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    family = {key: next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith(key)), "")
              for key in ("cpu family", "model\t", "cache size")}
    memory = next(int(line.split()[1]) for line in open("/proc/meminfo") if line.startswith("MemTotal")) >> 20
    caches = [first_line(["getconf", name]) for name in ("LEVEL1_DCACHE_SIZE", "LEVEL2_CACHE_SIZE", "LEVEL3_CACHE_SIZE")]
    wide = next((line for line in open("/proc/cpuinfo") if line.startswith("flags")), "")
    return dict(processor=processor, family=family["cpu family"], model=family["model\t"], processors=os.cpu_count(),
                memory_gib=memory, caches=caches, avx512="avx512f" in wide, system=platform.release(),
                rustc=first_line(["rustc", "-V"]), gcc=first_line(["gcc", "--version"]),
                date=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), load=os.getloadavg())


def packages(kit):
    """Versions of what the peers run on."""
    code = ("import importlib.metadata as m\n"
            "for p in ('numpy','numba','jax','torch','Brian2'):\n"
            " try: print(p, m.version(p))\n"
            " except Exception: pass")
    found = {}
    for peer in sorted({peer for job in JOBS for peer, _ in job[1]}) if kit else []:
        lines = subprocess.run([python(peer), "-c", code], text=True, capture_output=True).stdout.splitlines()
        found[peer] = lines
    return found


def run(o):
    out = open(o.out, "a")
    def keep(line):
        out.write(json.dumps(line) + "\n")
        out.flush()
    build = ["cargo", "build", "--release", "--quiet", "-p", "aplysia-cli", "-p", "aplysia-bench"]
    compile_bench = ["cargo", "bench", "--quiet", "-p", "aplysia-compiler", "--features", "cranelift", "--bench", "compile"]
    if not o.no_build:
        subprocess.run(build, cwd=ROOT, check=True)
        subprocess.run(compile_bench + ["--no-run"], cwd=ROOT, check=True)
    begin = time.time()
    commit = first_line(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"])
    keep(dict(kind="machine", commit=commit, packages=packages(o.kit), seconds=o.seconds, **machine()))
    for threads in (1, 2):
        for line in answer(APLYSIA + ["machine", "--threads", str(threads)], threads)[0]:
            keep(dict(line, kind="limit"))
    cold = compile_bench + ["--", "--cold", "--json"]
    lines, reason = ([], "nothing was built") if o.no_build else answer(cold, os.cpu_count(), ROOT)
    for line in lines:
        keep(dict(line, kind="cold"))
    if reason:
        keep(dict(kind="failed", workload="cold", what="compile", reason=reason))
    jobs = [job for job in JOBS if not o.only or job[0].split("-")[0] in o.only.split(",") or job[0] in o.only.split(",")]
    for round_ in range(max(job[3] for job in jobs)):
        for workload, peers, native, rounds, threads in jobs:
            if round_ >= (1 if o.quick else rounds):
                continue
            if time.time() - begin > o.minutes * 60:
                keep(dict(kind="late", workload=workload, threads=threads, round=round_))
                continue
            tail = [workload, "--threads", str(threads), "--seconds", str(o.seconds)]
            commands = [(peer, [python(peer), os.path.join(o.kit, peer + ".py")] + tail + ["--systems", systems] * bool(systems))
                        for peer, systems in peers if o.kit and (round_ == 0 or peer not in SLOW)]
            if o.kit and workload.split("-")[0] in BYTES:
                bytes_, side = BYTES[workload.split("-")[0]], int(workload.split("-")[1])
                arrays = bytes_ // 8
                megabytes = side * side * 4 * arrays / 1e6
                commands.append(("roofline", [python(CREF), os.path.join(o.kit, "roofline.py"), str(threads), str(arrays), str(megabytes)]))
            commands.append(("aplysia", APLYSIA + tail))
            if native:
                commands.append(("aplysia-native", NATIVE + tail))
            for name, command in commands:
                lines, reason = answer(command, threads, o.kit if name not in ("aplysia", "aplysia-native") else None)
                for line in lines:
                    keep(dict(line, kind="roofline" if name == "roofline" else "result", workload=workload, round=round_))
                if reason:
                    keep(dict(kind="failed", workload=workload, what=name, threads=threads, reason=reason[:200]))
                    say(f"# {workload} {name}: {reason}")
            if threads == 2 and workload in SHARED:
                for few in (1, 2):
                    lines, _ = answer(APLYSIA + ["machine", "--threads", str(few)], few)
                    for line in lines:
                        if line.get("kib") == SHARED[workload] << 10 or line.get("kib") == 64 << 10 == SHARED[workload] << 9:
                            keep(dict(line, kind="shared", workload=workload, round=round_))
        say(f"round {round_ + 1}: {(time.time() - begin) / 60:.1f} minutes")
    keep(dict(kind="end", load=os.getloadavg(), minutes=round((time.time() - begin) / 60, 1)))


class Runs:
    """Results by (workload, threads, system, round)."""

    def __init__(self, lines):
        self.lines = lines
        self.by = {}
        for line in self.of("result"):
            self.by.setdefault((line["workload"], line["threads"]), {}).setdefault(line["system"], {})[line["round"]] = line

    def of(self, kind):
        return [line for line in self.lines if line.get("kind") == kind]

    def systems(self, workload, threads=1):
        return self.by.get((workload, threads), {})

    def micros(self, workload, system, threads=1):
        rounds = self.systems(workload, threads).get(system, {})
        return {round_: line["us_per_step"] for round_, line in rounds.items()}

    def first_of(self, workload, systems, threads=1):
        return next((system for system in systems if system in self.systems(workload, threads)), None)

    def ratios(self, workload, ours, others):
        """Of each round: our time over the best of the others'; of one that took part in other rounds only, the median counts."""
        mine = self.micros(workload, ours)
        theirs = [self.micros(workload, system) for system in others]
        found = []
        for round_, micros in mine.items():
            best = [times.get(round_, statistics.median(times.values())) for times in theirs if times]
            if best:
                found.append(micros / min(best))
        return found

    def peak(self):
        return max((line["gflop_per_s"] for line in self.of("limit") if "gflop_per_s" in line), default=None)

    def product(self, system):
        """GFLOP/s in the product of W4 at batch 256, if its patterns are multiplied in every step."""
        micros = self.micros("W4-4096-b256", system).values()
        return 2 * 256 * 4096**2 / statistics.median(micros) / 1e3 if micros else None

    def hoisting(self):
        """Systems whose step grows less from batch 32 to 256 than the processor takes for the operations between: the patterns
        of W4 are held, so a compiler of the whole loop over steps may take the product out of it."""
        peak = self.peak()
        least = 2 * (256 - 32) * 4096**2 / peak / 1e3 if peak else 0
        few, many = ({system: statistics.median(times.values()) for system in self.systems(workload)
                      if (times := self.micros(workload, system))} for workload in ("W4-4096-b32", "W4-4096-b256"))
        # Measured times differ from round to round.
        return [system for system in many if system in few and many[system] - few[system] < 0.8 * least]

    def best(self, workload, others):
        medians = {system: statistics.median(times.values()) for system in others if (times := self.micros(workload, system))}
        return min(medians, key=medians.get) if medians else None


def spread(values, digits=2):
    if not values:
        return "–"
    middle = statistics.median(values)
    return f"{middle:.{digits}f}" + (f" ({min(values):.{digits}f}–{max(values):.{digits}f})" if len(values) > 1 else "")


def verdict(value, goal):
    return "reached" if value <= goal else f"short by {100 * (value / goal - 1):.0f} %"


def table(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + " --- |" * len(head))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def goals(runs):
    rows = []
    for words, workload, ours, others, goal in GOALS:
        if workload.startswith("W4"):
            others = [system for system in others if system not in runs.hoisting()]
        system = runs.first_of(workload, ours)
        ratios = runs.ratios(workload, system, others) if system else []
        best = runs.best(workload, others)
        if not ratios:
            missing = "not measured" if system is None else "nothing to compare with"
            rows.append([words, best or others[0], f"≤ {goal}", "–", missing])
            continue
        rows.append([words, best, f"≤ {goal}", spread(ratios), verdict(statistics.median(ratios), goal)])
    for system, words in (("aplysia", "W6 and two more rules"), ("aplysia-native", "W6 and two more rules, native")):
        more, alone = runs.micros("W6-4096-more", system), runs.micros("W6-4096", system)
        ratios = [more[round_] / alone[round_] for round_ in more if round_ in alone]
        result = verdict(statistics.median(ratios), 1.1) if ratios else "not measured"
        rows.append([words, "W6 alone", "≤ 1.1", spread(ratios), result])
    for line in runs.of("cold")[-1:]:
        for words, key, goal in (("median", "median_ms", 3), ("worst", "worst_ms", 15)):
            name = f", {line['worst']}" if key == "worst_ms" else ""
            rows.append([f"text → kernels, {line['rules']} shipped rules, cold process, {words}{name}", "–", f"≤ {goal} ms",
                         f"{line[key]:.2f} ms", verdict(line[key], goal)])
    silent = [1000 * micros for micros in runs.micros("G1-32-p00", "aplysia").values()]
    result = verdict(statistics.median(silent), 300) if silent else "not measured"
    rows.append(["a step without events of one 32 × 32 group", "–", "≤ 300 ns", spread(silent, 0) + " ns" * bool(silent), result])
    for workload in SHARED:
        ours = runs.first_of(workload, FULL, 2)
        one, two = runs.micros(workload, ours) if ours else {}, runs.micros(workload, ours, 2) if ours else {}
        faster = [one[round_] / two[round_] for round_ in two if round_ in one]
        memory = {threads: [line["gb_per_s"] for line in runs.of("shared")
                            if line["workload"] == workload and line["threads"] == threads] for threads in (1, 2)}
        if not faster or not memory[1] or not memory[2]:
            rows.append([f"two threads, {workload}", "the memory's own ratio", "≥ 0.9", "–", "not measured"])
            continue
        own, allowed = statistics.median(faster), statistics.median(memory[2]) / statistics.median(memory[1])
        share = own / allowed
        result = "reached" if share >= 0.9 else f"short by {100 * (1 - share / 0.9):.0f} %"
        rows.append([f"two threads, {workload}, full pass: {own:.2f} times one", f"the memory's own ratio, {allowed:.2f}",
                     "≥ 0.9", f"{share:.2f}", result])
    table(["what", "against", "goal", "measured", ""], rows)
    for system in ("aplysia", "aplysia-native", "c-full", "jax-jit", "torch-compile"):
        done, peak = runs.product(system), runs.peak()
        if done and peak:
            print(f"W4 at batch 256, `{system}`: {done:.0f} GFLOP/s in the product, {100 * done / peak:.0f} % of one "
                  f"processor's {peak:.0f}.", end="  \n")
    for system in runs.hoisting():
        took = ", ".join(f"{statistics.median(micros) / 1e3:.1f} ms at batch {batch}" for batch in (1, 32, 256)
                         if (micros := runs.micros(f"W4-4096-b{batch}", system).values()))
        print(f"`{system}` stands in no goal of W4: from batch 32 to 256 its step grows by less than the processor takes for the "
              f"operations between. The patterns are held, so the product can be taken out of its loop over steps ({took}).", end="  \n")
    print()


def compiled(runs):
    """What rustc has compiled, over what Cranelift has, with the same plan."""
    rows = []
    for (workload, threads), systems in sorted(runs.by.items()):
        for system in sorted(systems):
            plan = system.removeprefix("aplysia-native")
            if threads != 1 or plan == system:
                continue
            # Where nothing but a full pass is possible, no other plan is measured.
            ratios = runs.ratios(workload, system, ["aplysia" + plan])
            if ratios:
                rows.append([workload, plan.removeprefix("-").replace("-", " ") or "its own choice", spread(ratios)])
    table(["workload", "plan", "rustc of Cranelift"], rows)


def workloads(runs):
    limits = {}
    for line in runs.of("roofline"):
        if "roofline" in line:
            key = (line["workload"], line["threads"])
            limits[key] = max(limits.get(key, 0), line["best"])
    for (workload, threads), systems in sorted(runs.by.items(), key=lambda item: (item[0][1], item[0][0])):
        plural = "" if threads == 1 else "s"
        print(f"**{workload}**, {threads} thread{plural}\n")
        medians = {system: statistics.median(line["us_per_step"] for line in rounds.values()) for system, rounds in systems.items()}
        reference = next((name for name in ("c-full", "c-event") if name in medians), None)
        trusted = next((systems[name] for name in ("c-full", "c-event", "aplysia") if name in systems), None)
        sums = [line["checksum"] for line in trusted.values()] if trusted else []
        rows = []
        for system in sorted(medians, key=medians.get):
            lines = list(systems[system].values())
            times = [line["us_per_step"] for line in lines]
            line = lines[0]
            limit = limits.get((workload, threads))
            least = BYTES.get(workload.split("-")[0], 0) * line["synapses"] / limit / 1e3 if limit else 0
            apart = abs(line["checksum"] - sums[0]) / max(abs(sums[0]), 1e-30) if sums and line["checksum"] == line["checksum"] else float("nan")
            rows.append([system, spread(times, 1 if medians[system] > 10 else 2), f"{line['ns_per_synapse_step']:.4f}",
                         line["ns_per_synaptic_event"] if line["ns_per_synaptic_event"] is not None else "–",
                         f"{medians[system] / medians[reference]:.2f}" if reference else "–",
                         f"{medians[system] / least:.2f}" if least else "–",
                         f"{max(line['spread'] for line in lines):.2f}", f"{apart:.0e}" if apart else "0"])
        table(["system", "µs a step (rounds)", "ns a synapse", "ns an event", f"of {reference or 'c-full'}", "of the memory limit", "spread inside", "checksum apart"], rows)


def tables(o):
    lines = []
    for name in o.files:
        with open(name) as file:
            lines += [json.loads(line) for line in file if line.startswith("{")]
    # Lines of other programs' own drivers have no kind and no round: theirs is the order in which they come.
    seen = {}
    for line in lines:
        if "kind" not in line and "system" in line:
            key = (line["workload"], line["threads"], line["system"])
            line.update(kind="result", round=seen.get(key, 0))
            seen[key] = line["round"] + 1
    runs = Runs(lines)
    for line in runs.of("machine"):
        print(f"Measured on {line['date']}, commit {line['commit']}: {line['processor']} (family {line['family']}, model {line['model']}), "
              f"{line['processors']} processors, AVX-512 {'yes' if line['avx512'] else 'no'}, caches {' / '.join(size for size in line['caches'])} bytes, "
              f"{line['memory_gib']} GiB, Linux {line['system']}; {line['rustc']}; {line['gcc']}. "
              f"Load average at the start {line['load'][0]:.2f}. Rounds of {line['seconds']} s, three in each process.\n")
        found = sorted({package for names in line["packages"].values() for package in names})
        if found:
            print("Other programs: " + ", ".join(found) + ".\n")
    for line in runs.of("end"):
        print(f"All of it took {line['minutes']} minutes; load average at the end {line['load'][0]:.2f}.\n")
    limits = [[line["threads"], f"{line['kib'] / 1024:g} MiB", f"{line['gb_per_s']:.1f} GB/s"] for line in runs.of("limit") if "kib" in line]
    if limits:
        table(["threads", "arrays", "read and written in place"], limits)
    print("### Goals\n")
    goals(runs)
    print("### Code of `plasticity!` against the engine's\n")
    compiled(runs)
    print("### Workloads\n")
    workloads(runs)
    print("### Not measured\n")
    gone = {(line["workload"], line["what"], line["reason"]) for line in runs.of("failed")}
    gone |= {(line["workload"], f"round {line['round'] + 1}", "no time left") for line in runs.of("late")}
    for workload, what, reason in sorted(gone):
        print(f"- {workload}, {what}: {reason}")
    if not gone:
        print("Nothing of what the script runs is missing.")


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = a.add_subparsers(dest="command", required=True)
    r = commands.add_parser("run")
    r.add_argument("out")
    r.add_argument("--kit")
    r.add_argument("--quick", action="store_true", help="one round of each")
    r.add_argument("--only", default="", help="workloads, or their first parts, with commas")
    r.add_argument("--seconds", type=float, default=0.5)
    r.add_argument("--minutes", type=float, default=20)
    r.add_argument("--no-build", action="store_true")
    t = commands.add_parser("tables")
    t.add_argument("files", nargs="+")
    t.add_argument("--into", help="a file with the two marks")
    o = a.parse_args()
    if o.command == "run":
        o.kit = o.kit and os.path.abspath(o.kit)
        run(o)
    elif o.into:
        text = io.StringIO()
        with contextlib.redirect_stdout(text):
            tables(o)
        with open(o.into) as file:
            before, rest = file.read().split(BEGIN, 1)
        after = rest.split(END, 1)[1]
        with open(o.into, "w") as file:
            file.write(f"{before}{BEGIN}\n\n{text.getvalue().strip()}\n\n{END}{after}")
    else:
        tables(o)


if __name__ == "__main__":
    main()
