#!/usr/bin/env bash
# browser.sh PROGRAMS BUILD [--screenshot FILE]: the console's tests in Debian's chromium.
# Exits with 77, and says why, where there is no chromium or npm (`./run browser` installs them).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$2"
export HOLDFAST_PROGRAMS=$(realpath "$1") HOLDFAST_BROWSER_MODULES=$(realpath "$2")
for tool in chromium npm node; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed (./run browser installs it)"; exit 77; }
done
export CHROMIUM=${CHROMIUM:-$(command -v chromium)}
if ! cmp -s "$here/package-lock.json" "$2/package-lock.json" || [ ! -d "$2/node_modules/playwright-core" ]; then
  cp "$here/package.json" "$here/package-lock.json" "$2/"
  (cd "$2" && npm ci --no-audit --no-fund --loglevel=error) ||
    { rm -f "$2/package-lock.json"; echo "skipped: npm ci failed (is the npm registry reached?)"; exit 77; }
fi
if [ "${3:-}" = --screenshot ]; then exec node "$here/screenshot.mjs" "$4"; fi
exec node --test --test-concurrency=1 "$here/now_test.mjs"
