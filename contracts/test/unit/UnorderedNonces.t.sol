// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {UnorderedNonces} from "../../src/libraries/UnorderedNonces.sol";
import {Base} from "../Base.t.sol";

contract UnorderedNoncesTest is Base {
    using UnorderedNonces for UnorderedNonces.Nonces;

    UnorderedNonces.Nonces private _nonces;

    function testFuzz_eachNonceWorksOnce(address account, uint256 nonce, uint256 other) external {
        assertTrue(_nonces.tryUse(account, nonce), "fresh");
        assertFalse(_nonces.tryUse(account, nonce), "used");
        if (other != nonce) assertTrue(_nonces.tryUse(account, other), "in any order");
        assertTrue(_nonces.tryUse(address(uint160(account) ^ 1), nonce), "another's are his own");
    }

    function testFuzz_cancelsExactlyTheMask(address account, uint256 nonce, uint256 mask) external {
        _nonces.cancel(account, nonce >> 8, mask);
        bool cancelled = mask & (1 << (nonce & 0xff)) != 0;
        assertEq(_nonces.wordOf(account, nonce >> 8), mask, "the mask");
        assertTrue(_nonces.tryUse(account, nonce) != cancelled, "cancelled xor usable");
        _nonces.cancel(account, nonce >> 8, 0);
        assertFalse(_nonces.tryUse(account, nonce), "a cancellation revives nothing");
    }
}
