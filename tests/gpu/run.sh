#!/usr/bin/env bash
# Everything that needs a GPU, in about six minutes: the suite, compute-sanitizer over a part of it, the benchmark, and
# what others make of the same update.
#
# usage: tests/gpu/run.sh [FOLDER WITH suite AND gpu_bench] [FOLDER FOR WHAT COMES OUT]
#
# The binaries are built by tests/gpu/build.sh, and may have been carried here; nothing else of the repository is read
# but this folder. Wanted are the NVIDIA driver, NVRTC (of the CUDA toolkit), and, for the peers, Python with torch.
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

: >"$out/summary"
TAIL=8 step suite 150 "$bin/suite" gpu:: --test-threads 14
grep -E 'FAILED|^---- |differ|instead of' "$out/suite.log" | head -40
TAIL=60 step benchmark 120 "$bin/gpu_bench"
if command -v python3 >/dev/null; then
    TAIL=20 step peers 100 python3 "$here/peers.py" 4096 16384 32768
fi
if command -v compute-sanitizer >/dev/null; then
    for part in gpu::stdp:: gpu::trains gpu::normalise::f32; do
        TAIL=6 step "memcheck_${part//:/}" 45 compute-sanitizer --tool memcheck --error-exitcode 9 \
            "$bin/suite" "$part" --test-threads 1
    done
    TAIL=6 step racecheck 30 compute-sanitizer --tool racecheck --error-exitcode 9 \
        "$bin/suite" gpu::normalise::f32 --test-threads 1
fi
echo "== summary"
cat "$out/summary"
