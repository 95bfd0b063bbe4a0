#!/usr/bin/env bash
# fuzz.sh BUILD SECONDS: runs every fuzz target of BUILD for SECONDS, from its seeds. One line each.
# Ends with 1 if one of them found something; the input that shows it is kept, and named.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# = 2 ] || { echo "usage: $0 BUILD SECONDS" >&2; exit 2; }
build=$(cd "$1" && pwd)
seconds=$2
kept=$build/findings
mkdir -p "$kept"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The work folder is where libFuzzer puts new inputs, so the seeds are copied.
fuzz() {
  local name=$1 log=$scratch/$1.log corpus=$scratch/$1
  cp -r "$here/seeds/$name" "$corpus"
  local outcome=0
  "$build/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="$kept/$name-" "$corpus" >"$log" 2>&1 || outcome=$?
  local runs
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  if [ "$outcome" = 0 ]; then
    echo "$name: ${runs:-0} executions, nothing found"
    return 0
  fi
  cp "$log" "$kept/$name.log"
  local input
  input=$(sed -n 's/.*Test unit written to //p' "$log" | head -n 1)
  grep -m 1 -E 'ERROR: |runtime error: |assert' "$log" | sed "s/^/$name: /" || true
  echo "$name: ${runs:-0} executions, FOUND: ${input:-no input was kept} (see $kept/$name.log)"
  return 1
}

targets=0
failed=0
for target in "$build"/tests/fuzz/fuzz_*; do
  [ -f "$target" ] && [ -x "$target" ] || continue
  targets=$((targets + 1))
  fuzz "$(basename "$target" | sed 's/^fuzz_//')" || failed=$((failed + 1))
done
if [ "$targets" = 0 ]; then
  echo "$build holds no fuzz targets: build it with the preset fuzz" >&2
  exit 1
fi
if [ "$failed" != 0 ]; then
  echo "$failed fuzz targets found something; once mended, make the kept input a seed" >&2
  exit 1
fi
