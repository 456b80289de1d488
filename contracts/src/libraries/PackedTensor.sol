// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Packed signed integers to field elements
/// @notice Big-endian two's complement, width from the schema, no padding. An integer x becomes x mod r, so a negative
/// one becomes r - |x|. Every integer that the encoding can spell is far below r / 2 in size: one encoding per value,
/// and a non-canonical field element (x + r) cannot be spelled at all.
library PackedTensor {
    /// @notice Order of the BN254 scalar field.
    uint256 internal constant FIELD_MODULUS =
        21_888_242_871_839_275_222_246_405_745_257_275_088_548_364_400_416_034_343_698_204_186_575_808_495_617;

    /// @notice Unpacks all rows of a tensor, `count` elements of `width` bytes each, every element to a word of its
    /// own. @dev The caller has checked that the elements lie inside the calldata, and owns the memory from
    /// `destination`
    /// for one word per element.
    /// @param source calldata offset of the first row's first element.
    /// @param rowLength bytes from one row to the next, other tensors included.
    /// @param sourceEnd calldata offset after the last row: `source` plus `rowLength` for each row.
    /// @param destination memory address of the first word.
    /// @return end memory address after the last word.
    function unpack(
        uint256 source,
        uint256 rowLength,
        uint256 sourceEnd,
        uint256 width,
        uint256 count,
        uint256 destination
    ) internal pure returns (uint256 end) {
        // Assembly: this loop runs once per public value, and checked Solidity costs several times the gas.
        // - A word loaded at an element's first byte holds the element in its top `width` bytes; what follows, be it
        //   the next element or bytes after the calldata's end, is shifted out.
        // - `sar` extends the sign; adding r exactly when the sign bit is set wraps modulo 2^256 to r - |x|.
        // - All writes stay in the words that the caller owns.
        end = destination;
        assembly ("memory-safe") {
            let shift := sub(256, shl(3, width))
            for {} lt(source, sourceEnd) { source := add(source, rowLength) } {
                let at := source
                for { let last := add(end, shl(5, count)) } lt(end, last) { end := add(end, 0x20) } {
                    let value := sar(shift, calldataload(at))
                    mstore(end, add(value, and(FIELD_MODULUS, sar(255, value))))
                    at := add(at, width)
                }
            }
        }
    }
}
