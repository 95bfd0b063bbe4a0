#!/usr/bin/env bash
# Fails on a source file that clang-format (14, Debian 12's) would write in another way.
set -euo pipefail
cd "$1"
git ls-files -z '*.cpp' '*.h' | xargs -0 clang-format --dry-run -Werror
