// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest} from "../../src/attested/AttestedTypes.sol";
import {AttestedNetwork} from "../AttestedNetwork.t.sol";

/// @title Gas of attested answers
/// @notice Whole transactions, as in `GasSnapshots`; the file is `contracts/snapshots/Attested.json`. Two of three
/// keys, 8 bytes of input and output, no callback, balances not zero before.
/// forge-config: default.isolate = true
contract AttestedGasTest is AttestedNetwork {
    string internal constant GROUP = "Attested";

    function setUp() public override {
        super.setUp();
        AttestedRequest memory first = request();
        open(first);
        fulfill(first);
    }

    function test_request() external {
        AttestedRequest memory asked = request();
        open(asked);
        vm.snapshotGasLastCall(GROUP, "request");
    }

    function test_fulfill() external {
        AttestedRequest memory asked = request();
        open(asked);
        fulfill(asked);
        vm.snapshotGasLastCall(GROUP, "fulfill, 2 of 3 keys");
    }

    function test_fulfillWithRamp() external {
        AttestedRequest memory asked = rising();
        open(asked);
        fulfill(asked);
        vm.snapshotGasLastCall(GROUP, "fulfill, 2 of 3 keys, rising price");
    }

    function test_fulfillSigned() external {
        AttestedRequest memory asked = request();
        fulfillSigned(asked);
        vm.snapshotGasLastCall(GROUP, "fulfill a signed request, 2 of 3 keys");
    }

    function test_fulfillThirtyTwoSigned() external {
        bytes[] memory calls = new bytes[](32);
        for (uint256 i = 0; i < 32; ++i) {
            AttestedRequest memory asked = request();
            calls[i] = abi.encodeCall(market.fulfillSigned, (asked, sign(asked), 0, output, evidenceFor(asked)));
        }
        vm.prank(executor);
        assertEq(market.batch(calls), 32, "all");
        uint256 used = vm.snapshotGasLastCall(GROUP, "fulfill 32 signed requests");
        vm.snapshotValue(GROUP, "fulfill 32 signed requests, each", used / 32);
    }

    function test_refund() external {
        AttestedRequest memory asked = request();
        open(asked);
        vm.warp(asked.deadline + 1);
        market.refund(asked);
        vm.snapshotGasLastCall(GROUP, "refund");
    }
}
