// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Nonces that can be used in any order, each once
/// @notice One bit per nonce, 256 to a word, as in Permit2: signed things do not wait for each other, and the holder
/// cancels one nonce, or up to 256 of them, with one write.
library UnorderedNonces {
    /// @param words used nonces of each account: bit `nonce & 255` of word `nonce >> 8`.
    struct Nonces {
        mapping(address account => mapping(uint256 wordIndex => uint256 bits)) words;
    }

    /// @notice Uses a nonce; false where it was used or cancelled before.
    function tryUse(Nonces storage nonces, address account, uint256 nonce) internal returns (bool fresh) {
        uint256 bits = nonces.words[account][nonce >> 8];
        uint256 bit = 1 << (nonce & 0xff);
        fresh = bits & bit == 0;
        if (fresh) nonces.words[account][nonce >> 8] = bits | bit;
    }

    /// @notice Makes every nonce whose bit is set in `mask` useless, used or not.
    function cancel(Nonces storage nonces, address account, uint256 wordIndex, uint256 mask) internal {
        nonces.words[account][wordIndex] |= mask;
    }

    /// @notice The used and cancelled nonces of a word.
    function wordOf(Nonces storage nonces, address account, uint256 wordIndex) internal view returns (uint256) {
        return nonces.words[account][wordIndex];
    }
}
