#!/usr/bin/env bash
# scale.sh BUILD COUNT: what snapshots of COUNT small sparse files cost: the first, an unchanged one,
# one in which a file has changed, with what that one stored, and, on ext4 or XFS as root, one with 100
# changed files that the journal told of. Tells, judges nothing. Where RESTIC
# names a restic ("restic", or "chroot DIR restic" with scratch seen inside), it is measured over the
# same files. Scratch goes to TMPDIR.
set -euo pipefail
usage() { echo "usage: $0 BUILD COUNT" >&2; exit 2; }
[ $# = 2 ] || usage
build=$(cd "$1" && pwd)
count=$2
cmake --build "$build" --target holdfast_bench holdfast >&2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
files=$scratch/files
"$build/bench/holdfast_bench" files "$files" "$count"

# measured NAME COMMAND...: wall seconds, and the peak of memory in MiB.
measured() {
  local name=$1
  shift
  sync
  /usr/bin/time -f "%e %M" -o "$scratch/time" "$@" >"$scratch/out" 2>&1 || { cat "$scratch/out" >&2; exit 1; }
  awk -v name="$name" '{ printf "%-22s %9.2f s %8.0f MiB\n", name, $1, $2 / 1024 }' "$scratch/time"
}
holdfast() { measured "holdfast $1" "$build/bin/holdfast" --home "$scratch/home" snapshot --path "$files" bench --json; }

"$build/bin/holdfast" --home "$scratch/home" init --trust Bench >"$scratch/out"
holdfast first
holdfast unchanged
echo changed >>"$files/0/letter-7.txt"
holdfast "one changed"
sed -n 's/.*"stored_bytes": *\([0-9]*\).*/  stored by that one: \1 bytes/p' "$scratch/out"

# The journal: once read whole with it, then only what it tells.
journal=
trap '[ -z "$journal" ] || kill "$journal"; rm -rf "$scratch"' EXIT
case $(stat -f -c %T "$files") in
  ext2/ext3 | xfs)
    sed '/^path = /a journal = true' "$scratch/home/systems/bench.toml" >"$scratch/bench.toml"
    "$build/bin/holdfast" --home "$scratch/home" system remove bench >"$scratch/out"
    "$build/bin/holdfast" --home "$scratch/home" system add "$scratch/bench.toml" >"$scratch/out"
    exec 3< <(exec "$build/bin/holdfast" --home "$scratch/home" journal bench)
    journal=$!
    read -r watches <&3 && echo "  $watches" | sed "s|$scratch/||"
    told() { measured "holdfast $1" "$build/bin/holdfast" --home "$scratch/home" snapshot bench; }
    told "whole, journal"
    for number in $(seq 0 99); do echo changed >>"$files/$((number * 7))/letter-$((number * 7000 + 3)).txt"; done
    told "100 changed, journal"
    sed 's/^/  /' "$scratch/out"
    awk '/VmRSS/ { printf "  memory of the journal: %.0f MiB\n", $2 / 1024 }' "/proc/$journal/status"
    told "none, journal"
    ;;
  *) echo "no journal: $files is neither on ext4 nor on XFS" ;;
esac
if [ -n "${RESTIC:-}" ]; then
  export RESTIC_PASSWORD=bench
  restic() { measured "restic $1" $RESTIC -q -r "$scratch/restic" --cache-dir "$scratch/cache" "${@:2}"; }
  restic init init
  restic first backup "$files"
  restic unchanged backup "$files"
fi
