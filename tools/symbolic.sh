#!/usr/bin/env bash
# Symbolic checks with halmos: contracts/test/symbolic. First that it finds what is wrong, then that nothing is.
# Arguments: forge, halmos.
set -euo pipefail
forge=$(readlink -f "$1")
halmos=$(readlink -f "$2")
out=.build/symbolic/out

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
ln -s "$forge" "$tools/forge" # halmos compiles with the one on the PATH
export PATH="$tools:$PATH" FOUNDRY_PROFILE=symbolic

check() {
  "$halmos" --root . --forge-build-out "$out" --contract '' --match-contract "$1" \
    --solver-timeout-assertion 120s --no-status
}

wrong=$(check '^MustFailSymbolic$' || true)
if [[ $(grep -c '\[FAIL\]' <<<"$wrong") != $(grep -c 'function check_' contracts/test/symbolic/MustFail.t.sol) ]]; then
  echo "$wrong"
  echo "halmos does not see what is wrong in MustFail.t.sol" >&2
  exit 1
fi
check '^(?!MustFail).*Symbolic$'
