#!/usr/bin/env bash
# bench.sh BUILD [--megabytes N] [--folder DIR]: what the primitives cost over a folder, then what
# `holdfast snapshot` costs over the same one. Tells, judges nothing. The folder is N MB (default
# 256) of letters, table pages and images, or DIR. Scratch goes to TMPDIR.
set -euo pipefail
usage() { echo "usage: $0 BUILD [--megabytes N] [--folder DIR]" >&2; exit 2; }
[ $# -ge 1 ] || usage
build=$(cd "$1" && pwd)
shift
megabytes=256
folder=
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || usage
  case $1 in
    --megabytes) megabytes=$2 ;;
    --folder) folder=$(cd "$2" && pwd) ;;
    *) usage ;;
  esac
  shift 2
done

cmake --build "$build" --target holdfast_bench holdfast >&2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
if [ -z "$folder" ]; then
  folder=$scratch/dataset
  "$build/bench/holdfast_bench" make "$folder" "$megabytes"
fi

mkdir "$scratch/packs"
"$build/bench/holdfast_bench" floor "$folder" "$scratch/packs" | tee "$scratch/floor"
floor=$(awk '$1 == "floor" { seconds = $(NF - 1) } END { print seconds }' "$scratch/floor")

holdfast() { "$build/bin/holdfast" --home "$scratch/home" "$@" >>"$scratch/log"; }
measured() {
  local start=$EPOCHREALTIME outcome=0
  holdfast snapshot bench --path "$folder" || outcome=$?
  local end=$EPOCHREALTIME
  [ "$outcome" = 0 ] || [ "$outcome" = 3 ] || { cat "$scratch/log" >&2; exit 1; }
  awk -v a="$start" -v b="$end" 'BEGIN { printf "%.3f", b - a }'
}
holdfast init --trust Bench
first=$(measured)
unchanged=$(measured)
stored=$(du -sm "$scratch/home/vault" | cut -f1)
awk -v f="$floor" -v a="$first" -v b="$unchanged" -v s="$stored" 'BEGIN {
  printf "snapshot: first %.3f s, %.2f times the floor on all threads\n", a, a / f
  printf "snapshot: unchanged %.3f s\n", b
  printf "vault: %d MiB\n", s
}'
