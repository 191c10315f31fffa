#!/usr/bin/env bash
# Everything that needs a GPU, in about seven minutes: the suite, the benchmark, what others make of the same update, and
# compute-sanitizer over a part of the suite.
#
# usage: tests/gpu/run.sh [FOLDER WITH suite AND gpu_bench] [FOLDER FOR WHAT COMES OUT]
#
# The binaries are built by tests/gpu/build.sh, and may have been carried here; nothing else of the repository is read
# but this folder. Wanted are the NVIDIA driver, NVRTC (of the CUDA toolkit), and, for the peers, Python with torch.
# SUITE_SECONDS bounds the suite.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "${1:-$here/../../target/gpu}" && pwd)
out=${2:-/tmp/aplysia-gpu}
mkdir -p "$out"
export APLYSIA_CACHE="$out/cache"
for folder in /usr/local/cuda/lib64 /usr/local/cuda/targets/x86_64-linux/lib; do
    [ -d "$folder" ] && export LD_LIBRARY_PATH="$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done
export PATH="$PATH:/usr/local/cuda/bin"

step() {
    local name=$1 limit=$2
    shift 2
    echo "== $name"
    local begin=$SECONDS
    timeout "$limit" "$@" >"$out/$name.log" 2>&1
    local rc=$?
    tail -n "${TAIL:-40}" "$out/$name.log"
    echo "$name: rc $rc, $((SECONDS - begin)) s" | tee -a "$out/summary"
}

# A process for each trial, as many as there are processors: NVRTC and the driver compile one text at a time in a process.
suite() {
    local trials=$out/trials
    "$bin/suite" gpu:: --list | sed -n 's/: test$//p' >"$trials"
    one() {
        local begin=$EPOCHREALTIME text
        text=$("$1" --exact "$2" --test-threads 1 2>&1)
        case $text in
        *" 1 passed"*) echo "$2: passed, $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)) ms" ;;
        *" 1 ignored"*) echo "$2: ignored" ;;
        *) printf '%s: FAILED\n%s\n' "$2" "$text" ;;
        esac
    }
    export -f one
    xargs -a "$trials" -P "$(nproc)" -I{} bash -c 'one "$0" "$1"' "$bin/suite" {} >"$out/trials.log"
    local passed total
    passed=$(grep -c ': passed,' "$out/trials.log")
    total=$(wc -l <"$trials")
    grep -v ': passed,' "$out/trials.log"
    sed -n 's/^\(.*\): passed, \([0-9]*\) ms$/\2 ms  \1/p' "$out/trials.log" | sort -rn | head -n 5
    echo "$passed of $total trials passed"
    [ "$passed" -gt 0 ] && [ "$passed" = "$total" ]
}

: >"$out/summary"
export -f suite
export bin out
TAIL=60 step benchmark 60 "$bin/gpu_bench"
TAIL=60 step suite "${SUITE_SECONDS:-240}" bash -c suite
echo "trials that passed: $(grep -c ': passed,' "$out/trials.log")" | tee -a "$out/summary"
if command -v compute-sanitizer >/dev/null; then
    for part in gpu::stdp:: gpu::trains gpu::normalise::f32; do
        TAIL=6 step "memcheck_${part//:/}" 45 compute-sanitizer --tool memcheck --error-exitcode 9 \
            "$bin/suite" "$part" --test-threads 1
    done
    TAIL=6 step racecheck 30 compute-sanitizer --tool racecheck --error-exitcode 9 \
        "$bin/suite" gpu::normalise::f32 --test-threads 1
fi
if command -v python3 >/dev/null; then
    TAIL=20 step peers 100 python3 "$here/peers.py" 4096 16384 32768
fi
echo "== summary"
cat "$out/summary"
