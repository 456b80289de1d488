// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Tensor} from "../../src/consumer/Tensor.sol";
import {Base} from "../Base.t.sol";
import {TensorUser} from "../TensorUser.t.sol";

contract TensorFuzz is Base {
    uint8[5] internal WIDTHS = [1, 2, 4, 8, 16];
    TensorUser internal user = new TensorUser();

    /// @notice What is packed is read back, whole and element by element.
    function testFuzz_packedIntegersComeBack(int256[] memory values, uint256 widthSeed) external {
        uint256 width = WIDTHS[widthSeed % 5];
        uint256 shift = 256 - 8 * width;
        for (uint256 i = 0; i < values.length; ++i) {
            values[i] = (values[i] << shift) >> shift;
        }
        bytes memory packed = user.pack(values, width);
        assertEq(packed.length, values.length * width, "length");
        int256[] memory back = user.unpack(packed, width);
        assertEq(back.length, values.length, "count");
        for (uint256 i = 0; i < values.length; ++i) {
            assertEq(back[i], values[i], "element");
            assertEq(user.at(packed, width, i), values[i], "at");
        }
        user.requireShape(packed, width, values.length);
        vm.expectRevert(abi.encodeWithSelector(Tensor.Tensor_IndexOutOfRange.selector, values.length, values.length));
        user.at(packed, width, values.length);
    }

    /// @notice No element is larger than the one at argmax, and none before it is as large.
    function testFuzz_argmaxIsTheFirstLargest(int8[] memory small) external {
        int256[] memory values = new int256[](small.length);
        for (uint256 i = 0; i < small.length; ++i) {
            values[i] = small[i] / 32; // few different values, so that there are ties
        }
        bytes memory packed = user.pack(values, 2);
        if (values.length == 0) vm.expectRevert(Tensor.Tensor_Empty.selector);
        uint256 best = user.argmax(packed, 2);
        for (uint256 i = 0; i < values.length; ++i) {
            assertTrue(i < best ? values[i] < values[best] : values[i] <= values[best], "argmax");
        }
    }

    /// @notice A value beyond its width is refused, the ends are not.
    function testFuzz_valuesBeyondTheWidthAreRefused(uint256 widthSeed, uint128 beyond) external {
        uint256 width = WIDTHS[widthSeed % 5];
        int256 bound = int256(1) << (8 * width - 1);
        int256[] memory values = new int256[](2);
        (values[0], values[1]) = (-bound, bound - 1);
        user.pack(values, width);
        values[0] = bound + int256(uint256(beyond));
        vm.expectRevert(abi.encodeWithSelector(Tensor.Tensor_ValueOutOfRange.selector, values[0], width));
        user.pack(values, width);
        values[0] = -bound - 1 - int256(uint256(beyond));
        vm.expectRevert(abi.encodeWithSelector(Tensor.Tensor_ValueOutOfRange.selector, values[0], width));
        user.pack(values, width);
    }

    /// @notice Widths that are none, and bytes that are no whole elements.
    function testFuzz_wrongWidthsAndLengthsAreRefused(bytes calldata data, uint256 width) external {
        width = bound(width, 0, 33);
        bool known = width == 1 || width == 2 || width == 4 || width == 8 || width == 16;
        if (!known) {
            vm.expectRevert(abi.encodeWithSelector(Tensor.Tensor_InvalidWidth.selector, width));
        } else if (data.length % width != 0) {
            uint256 whole = data.length - data.length % width;
            vm.expectRevert(abi.encodeWithSelector(Tensor.Tensor_InvalidLength.selector, data.length, whole));
        }
        user.unpack(data, width);
    }

    function test_aWrongShapeIsRefused() external {
        vm.expectRevert(abi.encodeWithSelector(Tensor.Tensor_InvalidLength.selector, 5, 4));
        user.requireShape(hex"0102030405", 2, 2);
        vm.expectRevert(abi.encodeWithSelector(Tensor.Tensor_InvalidLength.selector, 4, 6));
        user.requireShape(hex"01020304", 2, 3);
    }

    /// @notice Against exact arithmetic with numbers small enough for it; toward zero.
    function testFuzz_toDecimalsRoundsTowardZero(int96 value, uint8 scale, uint8 decimals) external view {
        int8 scaleBits = int8(uint8(bound(scale, 0, 64)));
        uint256 places = bound(decimals, 0, 18);
        int256 expected = int256(value) * int256(10 ** places) / int256(1 << uint8(scaleBits));
        assertEq(user.toDecimals(value, scaleBits, places), expected, "Solidity's division rounds toward zero");
        assertEq(user.toDecimals(-int256(value), scaleBits, places), -expected, "symmetric");
    }

    /// @notice The nearest: no more than half a unit away, and a half goes away from zero.
    function testFuzz_fromDecimalsIsTheNearest(int96 number, uint8 scale, uint8 decimals) external view {
        int8 scaleBits = int8(uint8(bound(scale, 0, 64)));
        uint256 places = bound(decimals, 0, 18);
        int256 divisor = int256(10 ** places);
        int256 exact = int256(number) * int256(1 << uint8(scaleBits));
        int256 result = user.fromDecimals(number, places, scaleBits);
        int256 twice = 2 * (result * divisor - exact);
        assertTrue(number >= 0 ? twice <= divisor && twice > -divisor : twice >= -divisor && twice < divisor, "near");
    }

    /// @notice There and back, where the binary scale is fine enough.
    function testFuzz_decimalsComeBack(int64 number) external view {
        int256 value = user.fromDecimals(number, 6, 40);
        int256 back = user.toDecimals(value, 40, 6);
        // 2^40 is finer than 10^6: one unit below at most, by rounding toward zero.
        assertTrue(
            number >= 0 ? back <= number && back >= int256(number) - 1 : back >= number && back <= int256(number) + 1,
            "back"
        );
    }

    function test_negativeScalesMultiply() external view {
        assertEq(user.toDecimals(3, -4, 2), 4800, "3 * 16, two decimals");
        assertEq(user.fromDecimals(4800, 2, -4), 3, "and back");
        assertEq(user.fromDecimals(40, 0, -4), 3, "40 / 16 = 2.5, away from zero");
        assertEq(user.fromDecimals(-40, 0, -4), -3, "the same below zero");
    }

    /// @notice Numbers that fit nothing are refused, not wrapped.
    function test_numbersThatDoNotFitAreRefused() external {
        vm.expectRevert(Tensor.Tensor_NumberOutOfRange.selector);
        user.toDecimals(type(int256).max, 0, 1);
        vm.expectRevert(Tensor.Tensor_NumberOutOfRange.selector);
        user.toDecimals(1, 0, 78);
        vm.expectRevert(Tensor.Tensor_NumberOutOfRange.selector);
        user.toDecimals(1, -128, 60);
        vm.expectRevert(Tensor.Tensor_NumberOutOfRange.selector);
        user.fromDecimals(type(int256).max, 0, 127);
        vm.expectRevert(Tensor.Tensor_NumberOutOfRange.selector);
        user.fromDecimals(1, 78, 0);
        assertEq(user.toDecimals(type(int256).min + 1, 0, 0), type(int256).min + 1, "the lowest that has an opposite");
        vm.expectRevert(Tensor.Tensor_NumberOutOfRange.selector);
        user.toDecimals(type(int256).min, 0, 0);
    }

    function test_theLayoutOfAnOutputTensor() external {
        // One input of 4 x 2 bytes; outputs of 3 x 4 bytes at scale 10 and 2 x 1 byte at scale -3.
        bytes memory schema = hex"0102020700000004040a0000000301fd00000002";
        Tensor.Layout memory second = user.outputLayout(schema, 1);
        assertEq(second.offset, 12, "offset");
        assertEq(second.width, 1, "width");
        assertEq(second.count, 2, "count");
        assertEq(int256(second.scaleBits), -3, "scale");
        assertEq(int256(user.outputLayout(schema, 0).scaleBits), 10, "scale of the first");
        vm.expectRevert(abi.encodeWithSelector(Tensor.Tensor_NoSuchTensor.selector, 2, 2));
        user.outputLayout(schema, 2);
    }
}
