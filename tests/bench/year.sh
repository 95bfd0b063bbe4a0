#!/usr/bin/env bash
# year.sh BUILD DAYS SYSTEMS MINUTES: a snapshot of each of SYSTEMS each MINUTES, and a prune each
# day, for DAYS of simulated time: a line each ten days. Scratch goes to TMPDIR.
set -euo pipefail
[ $# = 4 ] || { echo "usage: $0 BUILD DAYS SYSTEMS MINUTES" >&2; exit 2; }
build=$(cd "$1" && pwd)
cmake --build "$build" --target holdfast_bench >&2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$build/bench/holdfast_bench" year "$scratch/year" "$2" "$3" "$4"
