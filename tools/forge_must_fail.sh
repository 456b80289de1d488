#!/usr/bin/env bash
# Self-test of the test command: a suite that must fail has to make forge exit non-zero. The npm wrapper of forge
# exits 0 whatever happens, and with it every Solidity test would pass for ever.
set -euo pipefail
forge=$(realpath "$1")
root=$(realpath "$(dirname "$0")/..")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

mkdir -p "$folder/src" "$folder/test"
cat >"$folder/foundry.toml" <<EOF
[profile.default]
solc = "$root/tools/solc"
offline = true
EOF
cat >"$folder/test/Fails.t.sol" <<'EOF'
// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

contract FailsTest {
    function test_mustFail() external pure {
        revert("this failure must be seen");
    }
}
EOF
if (cd "$folder" && "$forge" test >"$folder/log" 2>&1); then
  echo "forge exits 0 although a test failed: its results cannot be trusted ($forge)" >&2
  exit 1
fi
grep -q "this failure must be seen" "$folder/log" || { cat "$folder/log" >&2; exit 1; }
echo "self-test: a failing Solidity test fails the build"
