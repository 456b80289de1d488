// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {PublicWords} from "../../src/libraries/PublicWords.sol";
import {Base} from "../Base.t.sol";

/// @dev The library behind a calldata boundary, with a canary word behind the destination.
contract WordWriter {
    uint256 internal constant CANARY = uint256(keccak256("canary"));

    function write(
        PublicWords.Spelling memory spelling,
        bytes calldata packed,
        bytes memory schema,
        uint256 from,
        uint256 to
    ) external pure returns (uint256[] memory words) {
        (uint256 count,, uint256 length) = PublicWords.extent(spelling, schema, from, to);
        require(packed.length == length, "the caller checks lengths");
        words = new uint256[](count);
        uint256[] memory canary = new uint256[](1);
        canary[0] = CANARY;
        uint256 destination;
        assembly ("memory-safe") {
            destination := add(words, 0x20)
        }
        uint256 end = PublicWords.write(spelling, packed, schema, from, to, destination);
        require(end == destination + count * 32, "end");
        require(canary[0] == CANARY && canary.length == 1, "wrote past the end");
    }
}

/// @title Public words of batches, plain and dense, against a reference in plain arithmetic
contract PublicWordsFuzz is Base {
    uint256 internal constant R =
        21_888_242_871_839_275_222_246_405_745_257_275_088_548_364_400_416_034_343_698_204_186_575_808_495_617;
    uint8[5] internal WIDTHS = [1, 2, 4, 8, 16];
    WordWriter internal writer = new WordWriter();

    struct Shape {
        uint256[2] widths;
        uint256[2] counts;
        bytes schema;
        bytes packed;
    }

    /// @notice Tensor by tensor, row by row, one word a value.
    function testFuzz_plainWordsOfABatch(uint256 seed, uint256 rows) external view {
        PublicWords.Spelling memory spelling = PublicWords.Spelling(bound(rows, 1, 9), 0, 0);
        Shape memory shape = _shape(seed, spelling.rows);
        uint256[] memory words = writer.write(spelling, shape.packed, shape.schema, 0, 2);
        uint256 at;
        for (uint256 tensor = 0; tensor < 2; ++tensor) {
            for (uint256 row = 0; row < spelling.rows; ++row) {
                for (uint256 i = 0; i < shape.counts[tensor]; ++i) {
                    int256 value = _value(shape, tensor, row, i);
                    assertEq(words[at++], value < 0 ? R - uint256(-value) : uint256(value), "value");
                }
            }
        }
        assertEq(words.length, at, "no more");
    }

    /// @notice Tensor by tensor, row by row, in words of several digits; each row starts a word of its own.
    function testFuzz_denseWordsOfABatch(uint256 seed, uint256 rows, uint256 digitBits, uint256 digitsPerWord)
        external
        view
    {
        PublicWords.Spelling memory spelling = PublicWords.Spelling(bound(rows, 1, 9), 0, 0);
        Shape memory shape = _shape(seed, spelling.rows);
        uint256 widest = shape.widths[0] > shape.widths[1] ? shape.widths[0] : shape.widths[1];
        spelling.digitBits = bound(digitBits, 8 * widest, 253);
        spelling.digitsPerWord = bound(digitsPerWord, 1, 253 / spelling.digitBits);
        uint256[] memory words = writer.write(spelling, shape.packed, shape.schema, 0, 2);
        uint256 at;
        for (uint256 tensor = 0; tensor < 2; ++tensor) {
            for (uint256 row = 0; row < spelling.rows; ++row) {
                for (uint256 i = 0; i < shape.counts[tensor]; i += spelling.digitsPerWord) {
                    uint256 word = _denseWord(shape, tensor, row, i, spelling);
                    assertEq(words[at++], word, "word");
                    vm.assertLt(word, R, "canonical");
                }
            }
        }
        assertEq(words.length, at, "no more");
    }

    /// @notice Two rows that differ anywhere differ in their words.
    function testFuzz_denseWordsAreInjective(uint256 seed, uint256 bit) external view {
        PublicWords.Spelling memory spelling = PublicWords.Spelling(3, 0, 0);
        Shape memory shape = _shape(seed, 3);
        spelling.digitBits = 8 * (shape.widths[0] > shape.widths[1] ? shape.widths[0] : shape.widths[1]);
        spelling.digitsPerWord = 253 / spelling.digitBits;
        uint256[] memory words = writer.write(spelling, shape.packed, shape.schema, 0, 2);
        bit = bound(bit, 0, 8 * shape.packed.length - 1);
        shape.packed[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        uint256[] memory others = writer.write(spelling, shape.packed, shape.schema, 0, 2);
        uint256 differing;
        for (uint256 i = 0; i < words.length; ++i) {
            if (words[i] != others[i]) ++differing;
        }
        assertEq(differing, 1, "in exactly one word");
    }

    function _denseWord(
        Shape memory shape,
        uint256 tensor,
        uint256 row,
        uint256 first,
        PublicWords.Spelling memory spelling
    ) private pure returns (uint256 word) {
        int256 offset = int256(1 << (8 * shape.widths[tensor] - 1));
        for (uint256 i = 0; i < spelling.digitsPerWord && first + i < shape.counts[tensor]; ++i) {
            int256 digit = _value(shape, tensor, row, first + i) + offset;
            word += uint256(digit) * 2 ** (spelling.digitBits * i);
        }
    }

    /// @dev An element, byte by byte, with the sign as a subtraction.
    function _value(Shape memory shape, uint256 tensor, uint256 row, uint256 index)
        private
        pure
        returns (int256 value)
    {
        uint256 width = shape.widths[tensor];
        uint256 rowLength = shape.widths[0] * shape.counts[0] + shape.widths[1] * shape.counts[1];
        uint256 at = row * rowLength + (tensor == 0 ? 0 : shape.widths[0] * shape.counts[0]) + index * width;
        for (uint256 i = 0; i < width; ++i) {
            value = value * 256 + int256(uint256(uint8(shape.packed[at + i])));
        }
        if (uint8(shape.packed[at]) >= 128) value -= int256(1 << (8 * width));
    }

    function _shape(uint256 seed, uint256 rows) private view returns (Shape memory shape) {
        shape.schema = hex"0101";
        uint256 rowLength;
        for (uint256 i = 0; i < 2; ++i) {
            shape.widths[i] = WIDTHS[(seed >> (8 * i)) % 5];
            shape.counts[i] = 1 + (seed >> (16 + 8 * i)) % 20;
            rowLength += shape.widths[i] * shape.counts[i];
            shape.schema =
                bytes.concat(shape.schema, bytes1(uint8(shape.widths[i])), hex"07", bytes4(uint32(shape.counts[i])));
        }
        shape.packed = new bytes(rows * rowLength);
        for (uint256 i = 0; i < shape.packed.length; ++i) {
            shape.packed[i] = bytes1(uint8(uint256(keccak256(abi.encode(seed, i)))));
        }
    }
}
