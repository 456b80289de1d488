// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DenseWords} from "./DenseWords.sol";
import {IoSchema} from "./IoSchema.sol";
import {PackedTensor} from "./PackedTensor.sol";

/// @title Public words of a circuit
/// @notice What a circuit makes public, in its order: tensor by tensor, and of each tensor row by row. A value is a
/// word of its own (`PackedTensor`), or several share one (`DenseWords`), where the circuit has digits.
library PublicWords {
    /// @notice How a circuit spells its public words.
    /// @param rows rows of the batch.
    /// @param digitBits bits of a digit; zero where every value has a word of its own.
    /// @param digitsPerWord digits of a word, where there are digits.
    struct Spelling {
        uint256 rows;
        uint256 digitBits;
        uint256 digitsPerWord;
    }

    /// @notice Public words, values and packed bytes of tensors `from` to `to - 1`, over all rows.
    /// @dev At most 510 tensors of 2^32 elements of 16 bytes in 2^32 rows: far from overflow.
    function extent(Spelling memory spelling, bytes memory schema, uint256 from, uint256 to)
        internal
        pure
        returns (uint256 words, uint256 values, uint256 packedLength)
    {
        unchecked {
            for (uint256 i = from; i < to; ++i) {
                (uint256 width, uint256 count) = IoSchema.tensor(schema, i);
                words += spelling.digitBits == 0 ? count : DenseWords.wordCount(count, spelling.digitsPerWord);
                values += count;
                packedLength += count * width;
            }
            words *= spelling.rows;
            values *= spelling.rows;
            packedLength *= spelling.rows;
        }
    }

    /// @notice Writes the words of tensors `from` to `to - 1`.
    /// @dev The caller has checked `packed.length` against `extent` and owns the memory from `destination` for as many
    /// words.
    /// @param packed the rows, one after the other; each holds the tensors in the schema's order.
    /// @param destination memory address of the first word.
    /// @return end memory address after the last word.
    function write(
        Spelling memory spelling,
        bytes calldata packed,
        bytes memory schema,
        uint256 from,
        uint256 to,
        uint256 destination
    ) internal pure returns (uint256 end) {
        uint256 source;
        assembly ("memory-safe") {
            source := packed.offset
        }
        end = destination;
        for (uint256 i = from; i < to; ++i) {
            (uint256 width, uint256 count) = IoSchema.tensor(schema, i);
            end = _writeTensor(spelling, source, packed.length, width, count, end);
            // The next tensor of the first row.
            source += width * count;
        }
    }

    /// @notice Whether tensors `from` to `to - 1` hold the smallest integer of their width anywhere.
    /// @dev The parameters are those of `write`.
    function holdsLowest(Spelling memory spelling, bytes calldata packed, bytes memory schema, uint256 from, uint256 to)
        internal
        pure
        returns (bool found)
    {
        uint256 source;
        assembly ("memory-safe") {
            source := packed.offset
        }
        uint256 rowLength = packed.length / spelling.rows;
        for (uint256 i = from; i < to && !found; ++i) {
            (uint256 width, uint256 count) = IoSchema.tensor(schema, i);
            found = DenseWords.holdsLowest(source, rowLength, source + packed.length, width, count);
            // The next tensor of the first row.
            source += width * count;
        }
    }

    /// @param source calldata offset of the tensor in the first row.
    /// @param length bytes of all rows.
    function _writeTensor(
        Spelling memory spelling,
        uint256 source,
        uint256 length,
        uint256 width,
        uint256 count,
        uint256 destination
    ) private pure returns (uint256) {
        uint256 rowLength = length / spelling.rows;
        // One row length for each row, from wherever in the first row the tensor begins.
        uint256 sourceEnd = source + length;
        if (spelling.digitBits == 0) {
            return PackedTensor.unpack(source, rowLength, sourceEnd, width, count, destination);
        }
        return DenseWords.pack(
            source, rowLength, sourceEnd, width, count, spelling.digitBits, spelling.digitsPerWord, destination
        );
    }
}
