#!/usr/bin/env bash
# The demo's entry: what it needs is installed, then demo.py goes. See README.md beside this.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(cd "$1" && pwd)
shift
if [ "$(id -u)" != 0 ]; then
  exec sudo "$0" "$build" "$@"  # Mounts, namespaces and PostgreSQL's own user need root.
fi
exec /usr/bin/python3 "$here/demo.py" --build "$build" "$@"
