// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest} from "../../src/attested/AttestedTypes.sol";
import {QuorumRequest} from "../../src/quorum/QuorumTypes.sol";
import {LazyRequest} from "../../src/types/LazyTypes.sol";
import {BoardNetwork} from "../BoardNetwork.t.sol";

/// @title Gas of publishing results, as whole transactions
/// forge-config: default.isolate = true
contract BoardGasTest is BoardNetwork {
    string internal constant GROUP = "ResultBoard";

    function test_publishProven() external {
        uint256 requestId = provenResult();
        board.publishProven(requestId);
        vm.snapshotGasLastCall(GROUP, "publish a proven result, the first of its topic");
    }

    function test_publishLazy() external {
        LazyRequest memory first = lazyResult(COLLATERAL);
        LazyRequest memory second = lazyResult(COLLATERAL);
        board.publishLazy(first);
        vm.snapshotGasLastCall(GROUP, "publish a lazy result, the first of its topic");
        board.publishLazy(second);
        vm.snapshotGasLastCall(GROUP, "publish a lazy result, hiding one");
    }

    function test_publishQuorum() external {
        QuorumRequest memory asked = quorumResult(CLASS, truth());
        board.publishQuorum(asked);
        vm.snapshotGasLastCall(GROUP, "publish a quorum's result");
    }

    function test_publishAttested() external {
        AttestedRequest memory asked = attestedResult(truth());
        board.publishAttested(asked);
        vm.snapshotGasLastCall(GROUP, "publish an attested result");
    }

    /// @notice The dearest: the oldest comes last, and as many as there may be move.
    function test_publishLate() external {
        LazyRequest memory oldest = lazyResult(COLLATERAL);
        for (uint128 i = 0; i < 40; ++i) {
            board.publishLazy(lazyResult(COLLATERAL - 1 - i));
        }
        uint256 before = gasleft();
        board.publishLazy(oldest);
        vm.snapshotGasLastCall(GROUP, "publish late, before 40 newer ones");
        assertLe(before - gasleft(), 600_000, "bounded");
    }
}

/// @title Gas of reading the board from a contract: the call alone, its storage cold
/// forge-config: default.isolate = true
contract BoardReadGasTest is BoardNetwork {
    string internal constant GROUP = "ResultBoard";

    function test_read() external {
        board.publishProven(provenResult());
        for (uint128 i = 0; i < 16; ++i) {
            board.publishLazy(lazyResult(COLLATERAL - i));
        }
        board.publishQuorum(quorumResult(CLASS, truth()));
        board.publishAttested(attestedResult(truth()));
        latest(ZK, 0);
        vm.snapshotGasLastCall(GROUP, "latest of ZK");
        latest(PROVABLE, COLLATERAL);
        vm.snapshotGasLastCall(GROUP, "latest of ZK and LAZY_ZK, 16 stand");
        latestOf(ALL_MODES);
        vm.snapshotGasLastCall(GROUP, "latest of all modes");
    }
}
