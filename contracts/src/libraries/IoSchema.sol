// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Schema of a version's packed inputs and outputs
/// @notice `[inputs u8][outputs u8]`, then per tensor, inputs first: `[width u8][scale i8][count u32 big-endian]`.
/// Width is bytes per element, count the elements of one row, scale the binary scale (the real value is
/// `integer / 2^scale`), which no contract of the network needs to know.
library IoSchema {
    /// @dev Bytes before the first tensor.
    uint256 internal constant HEADER_LENGTH = 2;
    /// @dev Bytes per tensor.
    uint256 internal constant TENSOR_LENGTH = 6;
    /// @dev Bit `w` is set where `w` bytes is an allowed width: 1, 2, 4, 8, 16.
    uint256 private constant WIDTHS = (1 << 1) | (1 << 2) | (1 << 4) | (1 << 8) | (1 << 16);

    /// @notice Whether a schema is well-formed to the last byte.
    function isValid(bytes memory schema) internal pure returns (bool) {
        if (schema.length < HEADER_LENGTH) return false;
        uint256 inputs = inputCount(schema);
        uint256 outputs = outputCount(schema);
        if (inputs == 0 || outputs == 0) return false;
        if (schema.length != HEADER_LENGTH + TENSOR_LENGTH * (inputs + outputs)) return false;
        for (uint256 i = 0; i < inputs + outputs; ++i) {
            (uint256 width, uint256 count) = tensor(schema, i);
            // Widths above 255 cannot be spelled, so the shift stays in the word.
            if ((WIDTHS >> width) & 1 == 0 || count == 0) return false;
        }
        return true;
    }

    /// @notice Number of input tensors.
    function inputCount(bytes memory schema) internal pure returns (uint256) {
        return uint8(schema[0]);
    }

    /// @notice Number of output tensors.
    function outputCount(bytes memory schema) internal pure returns (uint256) {
        return uint8(schema[1]);
    }

    /// @notice Width in bytes and number of elements of tensor `index`, inputs first.
    /// @dev Reads past the schema's end for an index out of range: callers stay within `isValid` schemas.
    function tensor(bytes memory schema, uint256 index) internal pure returns (uint256 width, uint256 count) {
        // One word from the tensor's first byte: width in the top byte, scale in the next, then four bytes of count.
        uint256 word;
        assembly ("memory-safe") {
            word := mload(add(add(schema, 34), mul(index, 6)))
        }
        width = word >> 248;
        count = (word >> 208) & 0xffffffff;
    }

    /// @notice Elements and packed bytes of tensors `from` to `to - 1`.
    function extent(bytes memory schema, uint256 from, uint256 to)
        internal
        pure
        returns (uint256 elements, uint256 packedLength)
    {
        for (uint256 i = from; i < to; ++i) {
            (uint256 width, uint256 count) = tensor(schema, i);
            // At most 510 tensors of 2^32 elements of 16 bytes: far from overflow.
            unchecked {
                elements += count;
                packedLength += count * width;
            }
        }
    }

    /// @notice Bytes per element of the schema's widest tensor.
    function maxWidth(bytes memory schema) internal pure returns (uint256 widest) {
        uint256 tensors = inputCount(schema) + outputCount(schema);
        for (uint256 i = 0; i < tensors; ++i) {
            (uint256 width,) = tensor(schema, i);
            if (width > widest) widest = width;
        }
    }
}
