// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IoSchema} from "../../src/libraries/IoSchema.sol";
import {PackedTensor} from "../../src/libraries/PackedTensor.sol";
import {PublicWords} from "../../src/libraries/PublicWords.sol";
import {Base} from "../Base.t.sol";

/// @dev The library behind a calldata boundary, with a canary word behind the destination.
contract Unpacker {
    uint256 internal constant CANARY = uint256(keccak256("canary"));

    function unpack(bytes calldata packed, bytes memory schema, uint256 from, uint256 to)
        external
        pure
        returns (uint256[] memory felts)
    {
        (uint256 elements, uint256 packedLength) = IoSchema.extent(schema, from, to);
        require(packed.length == packedLength, "the caller checks lengths");
        felts = new uint256[](elements);
        uint256[] memory canary = new uint256[](1);
        canary[0] = CANARY;
        uint256 destination;
        assembly ("memory-safe") {
            destination := add(felts, 0x20)
        }
        uint256 end = PublicWords.write(PublicWords.Spelling(1, 0, 0), packed, schema, from, to, destination);
        require(end == destination + elements * 32, "end");
        require(canary[0] == CANARY && canary.length == 1, "wrote past the end");
    }

    function isValid(bytes calldata schema) external pure returns (bool) {
        return IoSchema.isValid(schema);
    }
}

contract PackedTensorFuzz is Base {
    uint256 internal constant R =
        21_888_242_871_839_275_222_246_405_745_257_275_088_548_364_400_416_034_343_698_204_186_575_808_495_617;
    uint8[5] internal WIDTHS = [1, 2, 4, 8, 16];
    Unpacker internal unpacker = new Unpacker();

    function test_theModulusIsBn254s() external pure {
        assertEq(PackedTensor.FIELD_MODULUS, R, "EIP-197's group order");
    }

    /// @notice Every element of every width against a byte-by-byte reference.
    function testFuzz_unpacksLikeTheReference(bytes calldata data, uint256 widthSeed) external view {
        uint256 width = WIDTHS[widthSeed % 5];
        uint256 count = data.length / width;
        if (count == 0) return;
        bytes calldata packed = data[:count * width];
        uint256[] memory felts = unpacker.unpack(packed, _schema(width, count), 0, 1);
        for (uint256 i = 0; i < count; ++i) {
            assertEq(felts[i], _slowFelt(packed[i * width:(i + 1) * width]), "element");
        }
    }

    /// @notice Several tensors of different widths, any range of them.
    function testFuzz_unpacksRangesOfTensors(uint256 seed, uint8 firstCount, uint8 secondCount, uint8 thirdCount)
        external
        view
    {
        uint256[3] memory widths = [uint256(WIDTHS[seed % 5]), WIDTHS[(seed >> 8) % 5], WIDTHS[(seed >> 16) % 5]];
        uint256[3] memory counts = [bound(firstCount, 1, 40), bound(secondCount, 1, 40), bound(thirdCount, 1, 40)];
        bytes memory schema = hex"0201";
        bytes[3] memory parts;
        for (uint256 i = 0; i < 3; ++i) {
            schema = bytes.concat(schema, bytes1(uint8(widths[i])), hex"07", bytes4(uint32(counts[i])));
            parts[i] = _noise(seed ^ i, widths[i] * counts[i]);
        }
        uint256[] memory inputs = unpacker.unpack(bytes.concat(parts[0], parts[1]), schema, 0, 2);
        assertEq(inputs.length, counts[0] + counts[1], "inputs");
        for (uint256 i = 0; i < inputs.length; ++i) {
            (uint256 part, uint256 at) = i < counts[0] ? (0, i) : (1, i - counts[0]);
            assertEq(inputs[i], _slowFelt(_slice(parts[part], at * widths[part], widths[part])), "input");
        }
        uint256[] memory outputs = unpacker.unpack(parts[2], schema, 2, 3);
        assertEq(outputs.length, counts[2], "outputs");
        for (uint256 i = 0; i < outputs.length; ++i) {
            assertEq(outputs[i], _slowFelt(_slice(parts[2], i * widths[2], widths[2])), "output");
        }
    }

    /// @notice What packs to a signed integer unpacks to that integer modulo r, canonically.
    function testFuzz_packedIntegersRoundTrip(int128 value) external view {
        for (uint256 i = 0; i < 5; ++i) {
            uint256 width = WIDTHS[i];
            int256 cut = _signExtend(value, width);
            bytes memory packed = _pack(cut, width);
            uint256 felt = unpacker.unpack(packed, _schema(width, 1), 0, 1)[0];
            vm.assertLt(felt, R, "canonical");
            int256 back = felt > R / 2 ? int256(felt) - int256(R) : int256(felt);
            assertEq(uint256(back), uint256(cut), "the integer");
        }
    }

    /// @notice The two ends of each width.
    function test_extremes() external view {
        for (uint256 i = 0; i < 5; ++i) {
            uint256 width = WIDTHS[i];
            uint256 half = 1 << (8 * width - 1);
            assertEq(unpacker.unpack(_pack(int256(half - 1), width), _schema(width, 1), 0, 1)[0], half - 1, "highest");
            assertEq(unpacker.unpack(_pack(-int256(half), width), _schema(width, 1), 0, 1)[0], R - half, "lowest");
            assertEq(unpacker.unpack(_pack(-1, width), _schema(width, 1), 0, 1)[0], R - 1, "minus one");
            assertEq(unpacker.unpack(_pack(0, width), _schema(width, 1), 0, 1)[0], 0, "zero");
        }
    }

    /// @notice The schema check against a reference that reads field by field.
    function testFuzz_schemaCheckLikeTheReference(bytes calldata schema) external view {
        assertTrue(unpacker.isValid(schema) == _slowIsValid(schema), "verdict");
    }

    /// @notice Well-formed schemas pass, and each of these breaks exactly one rule.
    function testFuzz_wellFormedSchemasPass(uint256 seed, uint8 inputs, uint8 outputs) external view {
        inputs = uint8(bound(inputs, 1, 12));
        outputs = uint8(bound(outputs, 1, 12));
        bytes memory schema = abi.encodePacked(inputs, outputs);
        uint256 tensors = uint256(inputs) + outputs;
        for (uint256 i = 0; i < tensors; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            uint32 count = uint32(bound(dice >> 16, 1, type(uint32).max));
            schema = abi.encodePacked(schema, WIDTHS[dice % 5], uint8(dice >> 8), count);
        }
        assertTrue(unpacker.isValid(schema), "well-formed");
        assertFalse(unpacker.isValid(bytes.concat(schema, hex"00")), "a byte more");
        assertFalse(unpacker.isValid(_slice(schema, 0, schema.length - 1)), "a byte less");
        uint256 at = 2 + 6 * (seed % tensors);
        bytes1 kept = schema[at];
        schema[at] = bytes1(uint8(kept) + 1 == 2 ? 3 : uint8(kept) + 1);
        assertFalse(unpacker.isValid(schema), "a width that is none");
        schema[at] = kept;
        for (uint256 i = 2; i < 6; ++i) {
            schema[at + i] = 0;
        }
        assertFalse(unpacker.isValid(schema), "an empty tensor");
    }

    function _slowIsValid(bytes calldata schema) private view returns (bool) {
        if (schema.length < 2) return false;
        uint256 inputs = uint8(schema[0]);
        uint256 outputs = uint8(schema[1]);
        if (inputs == 0 || outputs == 0) return false;
        if (schema.length != 2 + 6 * (inputs + outputs)) return false;
        for (uint256 at = 2; at < schema.length; at += 6) {
            bool known;
            for (uint256 i = 0; i < 5; ++i) {
                known = known || uint8(schema[at]) == WIDTHS[i];
            }
            if (!known || bytes4(schema[at + 2:at + 6]) == 0) return false;
        }
        return true;
    }

    /// @dev One element, byte by byte, with the sign as a subtraction.
    function _slowFelt(bytes memory element) private pure returns (uint256) {
        int256 value;
        for (uint256 i = 0; i < element.length; ++i) {
            value = value * 256 + int256(uint256(uint8(element[i])));
        }
        if (uint8(element[0]) >= 128) value -= int256(1 << (8 * element.length));
        return value < 0 ? R - uint256(-value) : uint256(value);
    }

    function _schema(uint256 width, uint256 count) private pure returns (bytes memory) {
        return bytes.concat(hex"0101", bytes1(uint8(width)), hex"07", bytes4(uint32(count)), hex"010700000001");
    }

    function _pack(int256 value, uint256 width) private pure returns (bytes memory packed) {
        packed = new bytes(width);
        for (uint256 i = 0; i < width; ++i) {
            packed[width - 1 - i] = bytes1(uint8(uint256(value >> (8 * i))));
        }
    }

    function _signExtend(int256 value, uint256 width) private pure returns (int256) {
        uint256 shift = 256 - 8 * width;
        return (value << shift) >> shift;
    }

    function _noise(uint256 seed, uint256 length) private pure returns (bytes memory data) {
        data = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            data[i] = bytes1(uint8(uint256(keccak256(abi.encode(seed, i)))));
        }
    }

    function _slice(bytes memory data, uint256 from, uint256 length) private pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            part[i] = data[from + i];
        }
    }
}
