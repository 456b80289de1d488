// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {LazyClaim, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @dev Makes every prepared call from within the callback.
contract Reenterer {
    ILazyMarket internal immutable MARKET;
    address[] internal targets;
    bytes[] internal calls;
    bytes[] public results;
    bool[] public succeeded;
    LazyState public seen;

    constructor(ILazyMarket market) {
        MARKET = market;
    }

    function prepare(address target, bytes memory data) external {
        targets.push(target);
        calls.push(data);
    }

    function onInference(uint256 requestId, uint64, address, bytes32, bytes32, bytes calldata) external {
        seen = MARKET.stateOf(requestId);
        for (uint256 i = 0; i < calls.length; ++i) {
            (bool success, bytes memory result) = targets[i].call(calls[i]);
            succeeded.push(success);
            results.push(result);
        }
    }

    function prepared(uint256 index) external view returns (address, bytes memory) {
        return (targets[index], calls[index]);
    }

    function count() external view returns (uint256) {
        return results.length;
    }
}

/// @notice Attack: a callback enters the market and its court again, by functions that would succeed from outside. Both
/// are guarded while it runs, and what it can read is final already.
contract LazyReentrancyAttack is LazyNetwork {
    Reenterer internal attacker;

    function setUp() public override {
        super.setUp();
        attacker = new Reenterer(lazy);
        depositLazy(address(attacker), DEPOSIT);
        depositAtCourt(address(attacker), DEPOSIT);
        backLazy(address(attacker), BACKING);
    }

    function test_attack_noFunctionOfTheMarketIsEntered() external {
        LazyClaim memory other = honest();
        LazyClaim memory claim = _prepared(other);
        pastWindow(claim);
        lazy.finalize(claim, truth());
        _assertRefused(8);
    }

    function test_attack_norOfTheCourtWhileItProves() external {
        LazyClaim memory other = honest();
        LazyClaim memory claim = _prepared(other);
        attacker.prepare(address(court), abi.encodeCall(court.withdraw, (1, address(attacker))));
        attacker.prepare(address(court), abi.encodeCall(court.commitChallenge, (SALT)));
        Case memory proven = packed.cases[0];
        attacker.prepare(
            address(court),
            abi.encodeCall(court.prove, (address(lazy), list(other), 0, proven.input, proven.output, proven.proof))
        );
        assertEq(prove(claim), 1, "settled");
        _assertRefused(11);
    }

    /// @notice The same calls from outside succeed, so that the refusals above are not for another reason.
    function test_theSameCallsSucceedFromOutside() external {
        LazyClaim memory other = honest();
        LazyClaim memory claim = _prepared(other);
        pastWindow(claim);
        for (uint256 i = 0; i < 8; ++i) {
            (address target, bytes memory data) = attacker.prepared(i);
            vm.prank(address(attacker));
            (bool success,) = target.call(data);
            assertTrue(success, string.concat("call ", vm.toString(i)));
        }
    }

    function _prepared(LazyClaim memory other) private returns (LazyClaim memory) {
        LazyRequest memory request = wantedNamed();
        (request.callback, request.callbackGas) = (address(attacker), MAX_CALLBACK_GAS);
        LazyRequest memory own = wanted();
        own.requester = address(attacker);
        LazyRequest memory open = wanted();
        open.deadline = uint64(block.timestamp) + 1 days;
        send(open);
        attacker.prepare(address(lazy), abi.encodeCall(lazy.withdraw, (1, address(attacker))));
        attacker.prepare(address(lazy), abi.encodeCall(lazy.cancelNonces, (9, 1)));
        attacker.prepare(address(lazy), abi.encodeCall(lazy.unback, (1)));
        attacker.prepare(address(lazy), abi.encodeCall(lazy.finalize, (other, "")));
        attacker.prepare(address(lazy), abi.encodeCall(lazy.lock, (open, 0, 0)));
        own.deadline = uint64(block.timestamp) + 1 days;
        attacker.prepare(address(lazy), abi.encodeCall(lazy.request, (own, "")));
        attacker.prepare(address(lazy), abi.encodeCall(lazy.cancel, (own)));
        attacker.prepare(
            address(lazy), abi.encodeCall(lazy.batch, (_one(abi.encodeCall(lazy.withdraw, (1, stranger)))))
        );
        return answerSigned(request, truth());
    }

    function _one(bytes memory call_) private pure returns (bytes[] memory calls) {
        calls = new bytes[](1);
        calls[0] = call_;
    }

    function _assertRefused(uint256 count) private view {
        assertEq(attacker.count(), count, "every call was made");
        for (uint256 i = 0; i < count; ++i) {
            assertFalse(attacker.succeeded(i), "a call got in");
        }
        // A batch fails as a whole, with what it says of a batch; the others by the guard.
        for (uint256 i = 0; i < count; ++i) {
            if (i == 7) continue;
            assertEq(
                attacker.results(i),
                abi.encodePacked(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector),
                "stopped by the guard"
            );
        }
        assertEq(uint256(attacker.seen()), uint256(LazyState.FINAL), "final before the call");
    }
}
