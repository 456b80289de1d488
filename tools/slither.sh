#!/usr/bin/env bash
# Static analysis with Slither; docs/static-analysis.md answers what it says. Arguments: forge, slither.
set -euo pipefail
forge=$(readlink -f "$1")
slither=$2
out=.build/slither
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
ln -s "$forge" "$tools/forge" # Slither asks the one on the PATH for its settings
export PATH="$tools:$PATH"
export FOUNDRY_OUT=$out/out FOUNDRY_CACHE_PATH=$out/cache FOUNDRY_TEST=contracts/src # without the tests

rm -rf "$out" # what an earlier build left would be analysed, too
forge build --quiet --build-info --build-info-path "$out/out/build-info" contracts/src
# Left out: names, and which lines are assembly.
"$slither" . --foundry-ignore-compile --foundry-out-directory "$out/out" --exclude-dependencies \
  --filter-paths node_modules --exclude naming-convention,assembly,cyclomatic-complexity --fail-none
