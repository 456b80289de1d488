// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @dev Answers every call with `size` bytes, as a return or as a revert.
contract Bomb {
    uint256 internal immutable SIZE;
    bool internal immutable REVERTS;

    constructor(uint256 size, bool reverts) {
        SIZE = size;
        REVERTS = reverts;
    }

    fallback() external {
        uint256 size = SIZE;
        if (REVERTS) {
            assembly {
                revert(0x80, size)
            }
        }
        assembly {
            return(0x80, size)
        }
    }
}

/// @notice The callback returns or reverts with so much data that copying it eats the executor's gas.
contract ReturnBombAttack is Network {
    uint32 internal constant CALLBACK_GAS = 150_000;
    /// @dev What 150,000 gas of memory can hold.
    uint256 internal constant BOMB_SIZE = 190_000;

    function test_attack_revertBomb() external {
        _attack(true);
    }

    function test_attack_returnBomb() external {
        _attack(false);
    }

    function _attack(bool reverts) private {
        // The first payment opens balances; the ones compared do not.
        _fulfil(address(new Bomb(0, reverts)), !reverts, "");
        uint256 harmless = _fulfil(address(new Bomb(0, reverts)), !reverts, "");
        uint256 bombed = _fulfil(address(new Bomb(BOMB_SIZE, reverts)), !reverts, new bytes(256));
        // The callee burns the gas that it was given; beside that the caller pays for 256 bytes copied and logged, and
        // would pay 1.9 million for the whole.
        assertLe(bombed, harmless + CALLBACK_GAS + 10_000, "the executor's cost is bounded");
        assertTrue(bombed > harmless + 50_000, "the bomb went off");
    }

    function _fulfil(address callback, bool success, bytes memory returned) private returns (uint256 gasUsed) {
        RequestParams memory params = packedParams();
        params.callback = callback;
        params.callbackGas = CALLBACK_GAS;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        nextBlock();
        bytes memory input = packed.cases[0].input;
        bytes memory output = packed.cases[0].output;
        bytes memory proof = packed.cases[0].proof;
        vm.expectEmit(address(market));
        emit IInferenceMarket.CallbackExecuted(requestId, callback, success, returned);
        vm.prank(executor);
        gasUsed = gasleft();
        market.fulfill(requestId, 0, input, output, proof);
        gasUsed -= gasleft();
        assertState(requestId, RequestState.PAID);
    }
}
