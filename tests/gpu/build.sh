#!/usr/bin/env bash
# Builds what tests/gpu/run.sh runs, into target/gpu: two programs without debug information that need no other file of
# the repository.
set -euo pipefail
cd "$(dirname "$0")/../.."
profile=${1:-dev}
mkdir -p target/gpu
binary() {
    python3 -c '
import json, sys
wanted = sys.argv[1]
for line in sys.stdin:
    message = json.loads(line)
    if message.get("reason") == "compiler-artifact" and message["target"]["name"] == wanted and message.get("executable"):
        print(message["executable"])
' "$1"
}
cargo test --profile "$profile" -p aplysia-tests --test suite --no-run --message-format json | binary suite |
    while read -r path; do strip -o target/gpu/suite "$path"; done
cargo build --profile "$profile" -p aplysia --features cuda --example gpu_bench --message-format json | binary gpu_bench |
    while read -r path; do strip -o target/gpu/gpu_bench "$path"; done
ls -l target/gpu
