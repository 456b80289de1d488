// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Several packed integers in one field element
/// @notice An integer x of w bytes becomes the digit x + 2^(8w-1), which is never negative and below 2^(8w); word j is
/// the sum of digit[j*d + i] * 2^(b*i) over its d digits, b being bits per digit. A row's last word may be short: the
/// digits that it lacks are zero.
/// @dev The registry has checked b >= 8w, so digits never overlap and a word spells one row only, and b*d <= 253, so
/// that every word is below 2^253 and thereby below the field modulus: its alias (word + r) cannot be spelled. The
/// circuit proves each of its digits to be in [0, 2^b); a digit of 2^(8w) or more exists in circuits, but in no packed
/// row, and so in no word that is made here. A zero digit stands for everything that is too small, too: circuits cut it
/// off there. Of an input that is what the circuit goes on with; of an output it would be a wrong answer with a valid
/// proof, so outputs must not hold the lowest integer of their width (`holdsLowest`).
library DenseWords {
    /// @notice Words for `count` values.
    function wordCount(uint256 count, uint256 digitsPerWord) internal pure returns (uint256) {
        return (count + digitsPerWord - 1) / digitsPerWord;
    }

    /// @notice Packs all rows of a tensor: `count` elements of `width` bytes each.
    /// @dev The caller has checked that the elements lie inside the calldata, and owns the memory from `destination`
    /// for `wordCount` words a row.
    /// @param source calldata offset of the first row's first element.
    /// @param rowLength bytes from one row to the next, other tensors included.
    /// @param sourceEnd calldata offset after the last row: `source` plus `rowLength` for each row.
    /// @param destination memory address of the first word.
    /// @return end memory address after the last word.
    function pack(
        uint256 source,
        uint256 rowLength,
        uint256 sourceEnd,
        uint256 width,
        uint256 count,
        uint256 digitBits,
        uint256 digitsPerWord,
        uint256 destination
    ) internal pure returns (uint256 end) {
        // Assembly: the innermost loop runs once per public value, and checked Solidity costs several times the gas.
        // - Two's complement of w bytes, read without a sign, is x mod 2^(8w): flipping its top bit gives x + 2^(8w-1).
        // - Horner's rule from a word's last value to its first: every step lifts the digits so far by one digit and
        //   puts the next below them.
        // - All writes stay in the words that the caller owns: one per `digitsPerWord` elements of a row.
        end = destination;
        assembly ("memory-safe") {
            let wordLength := mul(width, digitsPerWord)
            let tensorLength := mul(width, count)
            let topBit := shl(sub(shl(3, width), 1), 1)
            let shift := sub(256, shl(3, width))
            for {} lt(source, sourceEnd) { source := add(source, rowLength) } {
                let first := source
                let last := add(source, tensorLength)
                for {} lt(first, last) { end := add(end, 0x20) } {
                    let next := add(first, wordLength)
                    if gt(next, last) { next := last }
                    let word := 0
                    for { let at := next } gt(at, first) {} {
                        at := sub(at, width)
                        word := or(shl(digitBits, word), xor(shr(shift, calldataload(at)), topBit))
                    }
                    mstore(end, word)
                    first := next
                }
            }
        }
    }

    /// @notice Whether one of a tensor's elements is the smallest integer of its width, whose digit is zero.
    /// @dev The parameters are those of `pack`.
    function holdsLowest(uint256 source, uint256 rowLength, uint256 sourceEnd, uint256 width, uint256 count)
        internal
        pure
        returns (bool found)
    {
        // Assembly: the inner loop runs once per value; it writes nothing to memory.
        assembly ("memory-safe") {
            let tensorLength := mul(width, count)
            let shift := sub(256, shl(3, width))
            let lowest := shl(sub(shl(3, width), 1), 1)
            for {} lt(source, sourceEnd) { source := add(source, rowLength) } {
                let last := add(source, tensorLength)
                for { let at := source } lt(at, last) { at := add(at, width) } {
                    found := or(found, eq(shr(shift, calldataload(at)), lowest))
                }
            }
        }
    }
}
