#!/usr/bin/env bash
# clang-tidy over the sources of one build: lint.sh build/dev [PATTERN]; the other builds do not know the
# files one by one. Slow (5 s of CPU a file): not part of the tests, run before a release or on the files
# of a change.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
git ls-files 'agent/*.cpp' 'replicator/*.cpp' 'vault/*.cpp' 'console/*.cpp' | grep -E "${2:-.}" |
  xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p "$1"
