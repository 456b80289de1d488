// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {LazyClaim, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @dev Needs nearly all that was promised.
contract Hungry {
    uint256 public startedWith;
    bool public finished;

    function onInference(uint256, uint64, address, bytes32, bytes32, bytes calldata) external {
        uint256 started = gasleft();
        startedWith = started;
        while (gasleft() > 40_000) {}
        finished = true;
    }
}

/// @notice Attack: whoever makes an output final sends just so little gas that the payment succeeds and the callback
/// fails for want of it: alone, in a batch, or with a proof. Too little gas makes the whole of it fail.
contract LazyStarvedCallbackAttack is LazyNetwork {
    uint32 internal constant CALLBACK_GAS = 300_000;

    Hungry internal hungry;

    function setUp() public override {
        super.setUp();
        hungry = new Hungry();
    }

    function test_attack_anyGasCallsBackOrFails() external {
        LazyClaim memory claim = _awaited();
        pastWindow(claim);
        uint256 before = vm.snapshotState();
        uint256 refused;
        uint256 served;
        uint256 byName;
        for (uint256 gas_ = 100_000; gas_ < 700_000; gas_ += 12_345) {
            (bool success, bytes memory reason) =
                address(lazy).call{gas: gas_}(abi.encodeCall(lazy.finalize, (claim, truth())));
            if (bytes4(reason) == IRecordMarket.RecordMarket_NotEnoughGasForCallback.selector) ++byName;
            if (success) {
                assertGe(hungry.startedWith(), CALLBACK_GAS - 1000, "all that was promised");
                assertTrue(hungry.finished(), "it ran to its end");
                ++served;
            } else {
                assertLazy(claim.requestId, LazyState.ANSWERED);
                ++refused;
            }
            vm.revertToState(before);
        }
        assertTrue(served != 0 && refused != 0 && byName != 0, "all were seen");
    }

    function test_attack_inABatchItIsSkipped() external {
        LazyClaim memory claim = _awaited();
        pastWindow(claim);
        bytes[] memory calls = new bytes[](2);
        calls[0] = abi.encodeCall(lazy.cancelNonces, (9, 1));
        calls[1] = abi.encodeCall(lazy.finalize, (claim, truth()));
        vm.expectEmit(true, false, false, false, address(lazy));
        emit IRecordMarket.CallSkipped(address(this), 1, "");
        lazy.batch{gas: 350_000}(calls);
        assertLazy(claim.requestId, LazyState.ANSWERED);
        assertEq(hungry.startedWith(), 0, "not called with less");
    }

    /// @notice Many may not be used to leave a callback out.
    function test_attack_manyLeaveNoCallbackOut() external {
        LazyClaim memory claim = _awaited();
        pastWindow(claim);
        vm.expectRevert(IRecordMarket.RecordMarket_NothingDone.selector);
        lazy.finalizeMany(list(claim));
    }

    function test_attack_aProofWithTooLittleGas() external {
        LazyClaim memory claim = _awaited();
        Case memory proven = packed.cases[0];
        bytes memory data =
            abi.encodeCall(court.prove, (address(lazy), list(claim), 0, proven.input, proven.output, proven.proof));
        uint256 before = vm.snapshotState();
        uint256 refused;
        for (uint256 gas_ = 500_000; gas_ < 1_300_000; gas_ += 34_567) {
            (bool success,) = address(court).call{gas: gas_}(data);
            if (success) assertTrue(hungry.finished(), "it ran to its end");
            else ++refused;
            vm.revertToState(before);
        }
        assertTrue(refused != 0, "too little was tried");
        court.prove(address(lazy), list(claim), 0, proven.input, proven.output, proven.proof);
        assertTrue(hungry.finished(), "with enough");
    }

    function _awaited() private returns (LazyClaim memory) {
        LazyRequest memory request = wantedNamed();
        (request.callback, request.callbackGas) = (address(hungry), CALLBACK_GAS);
        return answerSigned(request, truth());
    }
}
