// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {UnorderedNonces} from "../../src/libraries/UnorderedNonces.sol";
import {Symbolic} from "./Symbolic.t.sol";

/// @notice The nonce bitmap, for all accounts, nonces and states: a nonce is used once and for ever, and nothing that
/// happens to one nonce touches another.
contract UnorderedNoncesSymbolic is Symbolic {
    using UnorderedNonces for UnorderedNonces.Nonces;

    UnorderedNonces.Nonces private _nonces;

    function setUp() external {
        svm.enableSymbolicStorage(address(this));
    }

    function check_usedOnceAndForEver(address account, uint256 nonce) external {
        bool wasFresh = !_isUsed(account, nonce);
        assert(_nonces.tryUse(account, nonce) == wasFresh);
        assert(_isUsed(account, nonce));
        assert(!_nonces.tryUse(account, nonce));
        assert(_isUsed(account, nonce));
    }

    function check_usingTouchesNoOther(address account, uint256 nonce, address other, uint256 another) external {
        bool before = _isUsed(other, another);
        _nonces.tryUse(account, nonce);
        if (other != account || another != nonce) assert(_isUsed(other, another) == before);
    }

    function check_cancellingUsesWhatTheMaskNames(address account, uint256 wordIndex, uint256 mask, uint8 bit)
        external
    {
        uint256 nonce = wordIndex << 8 | bit;
        if (wordIndex >> 248 != 0) return; // no nonce has such a word
        bool before = _isUsed(account, nonce);
        _nonces.cancel(account, wordIndex, mask);
        bool named = mask >> bit & 1 == 1;
        assert(_isUsed(account, nonce) == (before || named));
        assert(_nonces.tryUse(account, nonce) == (!before && !named));
    }

    function check_cancellingTouchesNoOther(
        address account,
        uint256 wordIndex,
        uint256 mask,
        address other,
        uint256 anotherIndex
    ) external {
        uint256 before = _nonces.wordOf(other, anotherIndex);
        _nonces.cancel(account, wordIndex, mask);
        if (other != account || anotherIndex != wordIndex) assert(_nonces.wordOf(other, anotherIndex) == before);
    }

    /// @notice No sequence frees a nonce: here two steps of any kind after it was used.
    function check_nothingFreesANonce(
        address account,
        uint256 nonce,
        address other,
        uint256 another,
        uint256 wordIndex,
        uint256 mask
    ) external {
        _nonces.tryUse(account, nonce);
        _nonces.cancel(other, wordIndex, mask);
        _nonces.tryUse(other, another);
        assert(!_nonces.tryUse(account, nonce));
    }

    function _isUsed(address account, uint256 nonce) private view returns (bool) {
        return _nonces.wordOf(account, nonce >> 8) >> (nonce & 0xff) & 1 == 1;
    }
}
