// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Tensor} from "../../src/consumer/Tensor.sol";
import {Base} from "../Base.t.sol";
import {TensorUser} from "../TensorUser.t.sol";

/// @notice `Tensor` against references that are as slow and plain as can be: bytes one by one, sorting by hand.
contract TensorReferenceFuzz is Base {
    uint8[5] internal WIDTHS = [1, 2, 4, 8, 16];
    TensorUser internal user = new TensorUser();

    /// @notice Every byte string of whole elements is a packing, and comes back from its numbers.
    function testFuzz_readsLikeTheReference(bytes memory data, uint256 widthSeed) external view {
        uint256 width = WIDTHS[widthSeed % 5];
        bytes memory packed = _cut(data, data.length / width * width);
        int256[] memory expected = _read(packed, width);
        int256[] memory values = user.unpack(packed, width);
        assertEq(values.length, expected.length, "count");
        for (uint256 i = 0; i < values.length; ++i) {
            assertEq(values[i], expected[i], "element");
            assertEq(user.at(packed, width, i), expected[i], "at");
        }
        assertEq(user.pack(values, width), packed, "and back");
    }

    /// @notice Largest, smallest and lead, by sorting what the reference read.
    function testFuzz_extremesAreThoseOfTheSortedList(bytes memory data, uint256 widthSeed) external {
        uint256 width = WIDTHS[widthSeed % 5];
        bytes memory packed = _cut(data, data.length / width * width);
        int256[] memory values = _read(packed, width);
        if (values.length == 0) {
            vm.expectRevert(Tensor.Tensor_Empty.selector);
            user.max(packed, width);
            vm.expectRevert(Tensor.Tensor_Empty.selector);
            user.min(packed, width);
            return;
        }
        int256[] memory sorted = _sorted(values);
        (uint256 index, int256 value) = user.max(packed, width);
        assertEq(value, sorted[sorted.length - 1], "largest");
        assertEq(index, _first(values, value), "the first of the largest");
        assertEq(user.argmax(packed, width), index, "argmax");
        (index, value) = user.min(packed, width);
        assertEq(value, sorted[0], "smallest");
        assertEq(index, _first(values, value), "the first of the smallest");
        if (values.length == 1) {
            vm.expectRevert(Tensor.Tensor_Empty.selector);
            user.margin(packed, width);
            return;
        }
        uint256 lead;
        (index, lead) = user.margin(packed, width);
        assertEq(index, _first(values, sorted[sorted.length - 1]), "the leader");
        assertEq(int256(lead), sorted[sorted.length - 1] - sorted[sorted.length - 2], "lead");
    }

    /// @notice A layout that lies in the bytes gives just its bytes; any other is refused.
    function testFuzz_slicesStayInside(bytes memory data, uint256 offset, uint256 count, uint256 widthSeed) external {
        uint256 width = WIDTHS[widthSeed % 5];
        if (widthSeed % 3 != 0) (offset, count) = (offset % (data.length + 2), count % (data.length / width + 2));
        Tensor.Layout memory layout = Tensor.Layout({offset: offset, width: width, count: count, scaleBits: 0});
        bool fits = offset <= data.length && count <= (data.length - offset) / width;
        if (!fits) {
            vm.expectRevert(abi.encodeWithSelector(Tensor.Tensor_OutOfBounds.selector, offset, count, data.length));
            user.slice(data, layout);
            return;
        }
        bytes memory part = user.slice(data, layout);
        assertEq(part.length, count * width, "length");
        for (uint256 i = 0; i < part.length; ++i) {
            assertTrue(part[i] == data[offset + i], "byte");
        }
    }

    /// @notice Of a coarser scale the nearest, halves away from zero; of a finer one the same number.
    function testFuzz_rescaleIsTheNearest(int128 value, int8 fromBits, int8 toBits) external view {
        fromBits = int8(fromBits / 2);
        toBits = int8(toBits / 2);
        int256 result = user.rescale(value, fromBits, toBits);
        int256 steps = int256(toBits) - fromBits;
        if (steps >= 0) {
            assertEq(result, int256(value) * int256(2 ** uint256(steps)), "exact");
            assertEq(user.rescale(result, toBits, fromBits), value, "and back");
            return;
        }
        int256 unit = int256(2 ** uint256(-steps));
        int256 twice = 2 * (result * unit - value);
        assertTrue(value >= 0 ? twice <= unit && twice > -unit : twice >= -unit && twice < unit, "near");
        assertEq(user.rescale(-int256(value), fromBits, toBits), -result, "symmetric");
    }

    function test_theWidestStepsOfScale() external {
        assertEq(user.rescale(type(int256).max, 127, -128), 1, "2^255 - 1 over 2^255 is nearest to 1");
        assertEq(user.rescale(2 ** 254 - 1, 127, -128), 0, "less than a half");
        assertEq(user.rescale(2 ** 254, 127, -128), 1, "a half, away from zero");
        assertEq(user.rescale(-(2 ** 254), 127, -128), -1, "a half, away from zero");
        vm.expectRevert(Tensor.Tensor_NumberOutOfRange.selector);
        user.rescale(1, -128, 127);
        assertEq(user.rescale(0, -128, 127), 0, "zero at any scale");
    }

    function _read(bytes memory packed, uint256 width) private pure returns (int256[] memory values) {
        values = new int256[](packed.length / width);
        for (uint256 i = 0; i < values.length; ++i) {
            int256 value = uint8(packed[i * width]) >= 128 ? int256(-1) : int256(0);
            for (uint256 j = 0; j < width; ++j) {
                value = value * 256 + int256(uint256(uint8(packed[i * width + j])));
            }
            values[i] = value;
        }
    }

    function _sorted(int256[] memory values) private pure returns (int256[] memory sorted) {
        sorted = new int256[](values.length);
        for (uint256 i = 0; i < values.length; ++i) {
            uint256 at = i;
            for (; at != 0 && sorted[at - 1] > values[i]; --at) {
                sorted[at] = sorted[at - 1];
            }
            sorted[at] = values[i];
        }
    }

    function _first(int256[] memory values, int256 wanted) private pure returns (uint256 index) {
        while (values[index] != wanted) ++index;
    }

    function _cut(bytes memory data, uint256 length) private pure returns (bytes memory part) {
        part = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            part[i] = data[i];
        }
    }
}
