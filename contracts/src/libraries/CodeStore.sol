// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Words kept as the code of a contract
/// @notice Reading n words costs one cold account and 3 gas a word, against 2,100 gas a word from storage. The code
/// opens with STOP, so that nobody can run the data.
library CodeStore {
    /// @dev EIP-170's 24,576 bytes less the STOP byte, in whole words.
    uint256 internal constant MAX_WORDS = 767;

    error CodeStore_CreationFailed();

    /// @notice Deploys a contract whose code is STOP and then `words`.
    function write(bytes32[] calldata words) internal returns (address pointer) {
        // 61 size+1 | 80 | 60 0a | 3d | 39 | 3d | f3 is "return codecopy of what follows the tenth byte".
        bytes memory creation = abi.encodePacked(
            hex"61", uint16(words.length * 32 + 1), hex"80600a3d393df3", hex"00", abi.encodePacked(words)
        );
        assembly ("memory-safe") {
            pointer := create(0, add(creation, 0x20), mload(creation))
        }
        if (pointer == address(0)) revert CodeStore_CreationFailed();
    }

    /// @notice Word `index` of those stored at `pointer`; zero beyond the last.
    function wordAt(address pointer, uint256 index) internal view returns (uint256 word) {
        assembly ("memory-safe") {
            // To scratch space; the code's first byte is STOP.
            extcodecopy(pointer, 0x00, add(1, shl(5, index)), 0x20)
            word := mload(0x00)
        }
    }

    /// @notice Number of words stored at `pointer`.
    function wordCount(address pointer) internal view returns (uint256) {
        return (pointer.code.length - 1) / 32;
    }
}
