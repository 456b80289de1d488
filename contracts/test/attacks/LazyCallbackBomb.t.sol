// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {LazyClaim, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @dev Answers every call with `size` bytes, or burns all that it gets.
contract CallbackBomb {
    enum Kind {
        RETURNS,
        REVERTS,
        BURNS
    }

    Kind internal immutable KIND;
    uint256 internal immutable SIZE;

    constructor(Kind kind, uint256 size) {
        KIND = kind;
        SIZE = size;
    }

    fallback() external {
        (Kind kind, uint256 size) = (KIND, SIZE);
        if (kind == Kind.BURNS) while (true) {}
        assembly ("memory-safe") {
            if eq(kind, 1) { revert(0x80, size) }
            return(0x80, size)
        }
    }
}

/// @notice Attack: a callback that reverts, burns all its gas, has no code, or returns so much that copying it would
/// eat the gas of whoever pays. Nothing of it undoes a payment or a result, and no more than 256 bytes are copied.
contract LazyCallbackBombAttack is LazyNetwork {
    uint32 internal constant CALLBACK_GAS = 200_000;
    uint256 internal constant BOMB = 200_000;

    function test_attack_itReverts() external {
        _survives(address(new CallbackBomb(CallbackBomb.Kind.REVERTS, 0)), false, "");
    }

    function test_attack_itRevertsWithABomb() external {
        _survives(address(new CallbackBomb(CallbackBomb.Kind.REVERTS, BOMB)), false, new bytes(256));
    }

    function test_attack_itReturnsABomb() external {
        _survives(address(new CallbackBomb(CallbackBomb.Kind.RETURNS, BOMB)), true, new bytes(256));
    }

    function test_attack_itBurnsAllItsGas() external {
        _survives(address(new CallbackBomb(CallbackBomb.Kind.BURNS, 0)), false, "");
    }

    function test_attack_itHasNoCode() external {
        _survives(makeAddr("an account without code"), true, "");
    }

    function test_attack_itIsTheMarketItself() external {
        _survives(address(lazy), false, "");
        _survives(address(court), false, "");
        _survives(address(token), false, "");
        _survives(address(staking), false, "");
    }

    /// @notice With a proof, and in a list with others: whoever proves is not held up, nor are the others.
    function test_attack_inAListOfProofs() external {
        LazyClaim memory bomb = _awaited(address(new CallbackBomb(CallbackBomb.Kind.BURNS, 0)));
        LazyClaim memory other = honest();
        LazyClaim memory second = _awaited(address(new CallbackBomb(CallbackBomb.Kind.REVERTS, BOMB)));
        LazyClaim[] memory claims = new LazyClaim[](3);
        (claims[0], claims[1], claims[2]) = (bomb, other, second);
        assertEq(proveBy(executor, claims, packed, 0), 3, "all of them");
        for (uint256 i = 0; i < 3; ++i) {
            assertLazy(claims[i].requestId, LazyState.FINAL);
        }
        assertEq(lazy.balanceOf(executor), 3 * uint256(PRICE - PRICE / 10), "all are paid");
    }

    function _survives(address callback, bool success, bytes memory returned) private {
        LazyClaim memory claim = _awaited(callback);
        pastWindow(claim);
        uint256 before = lazy.balanceOf(executor);
        vm.expectEmit(address(lazy));
        emit IRecordMarket.CallbackExecuted(claim.requestId, callback, success, returned);
        uint256 gas_ = gasleft();
        lazy.finalize(claim, truth());
        assertLe(gas_ - gasleft(), CALLBACK_GAS + 150_000, "no more than was promised to it");
        assertLazy(claim.requestId, LazyState.FINAL);
        assertEq(lazy.balanceOf(executor) - before, PRICE - PRICE / 10, "paid");
        assertEq(lazy.resultOf(claim.requestId).outputDigest, claim.outputDigest, "kept");
    }

    function _awaited(address callback) private returns (LazyClaim memory) {
        LazyRequest memory request = wantedNamed();
        (request.callback, request.callbackGas) = (callback, CALLBACK_GAS);
        return answerSigned(request, truth());
    }
}
