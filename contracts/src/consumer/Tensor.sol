// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IoSchema} from "../libraries/IoSchema.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Tensors for contracts that use inferences
/// @notice Reads and writes packed tensors (big-endian two's complement, `width` bytes per element, no padding) and
/// numbers with a binary scale: a number is an integer `value` and `scaleBits`, and means `value / 2^scaleBits`.
/// @dev Everything is checked: a consumer may hand in bytes that nobody verified.
library Tensor {
    /// @dev Elements are 1, 2, 4, 8 or 16 bytes wide.
    error Tensor_InvalidWidth(uint256 width);
    error Tensor_InvalidLength(uint256 length, uint256 expected);
    error Tensor_IndexOutOfRange(uint256 index, uint256 count);
    error Tensor_ValueOutOfRange(int256 value, uint256 width);
    error Tensor_OutOfBounds(uint256 offset, uint256 count, uint256 length);
    error Tensor_Empty();
    error Tensor_NoSuchTensor(uint256 index, uint256 tensors);
    /// @dev A number that does not fit the result, or decimals above 77 (10^78 fits no 256 bits).
    error Tensor_NumberOutOfRange();

    /// @notice Where one tensor lies in a version's packed input or output.
    /// @param offset first byte.
    /// @param width bytes per element.
    /// @param count elements.
    /// @param scaleBits binary scale of the elements.
    struct Layout {
        uint256 offset;
        uint256 width;
        uint256 count;
        int8 scaleBits;
    }

    uint256 private constant MAX_DECIMALS = 77;

    // --- shape ---

    /// @notice Number of input tensors of a schema.
    function inputCount(bytes memory schema) internal pure returns (uint256) {
        return IoSchema.inputCount(schema);
    }

    /// @notice Number of output tensors of a schema.
    function outputCount(bytes memory schema) internal pure returns (uint256) {
        return IoSchema.outputCount(schema);
    }

    /// @notice Layout of input tensor `index` of a schema, for consumers that make their own inputs.
    function inputLayout(bytes memory schema, uint256 index) internal pure returns (Layout memory) {
        return _layout(schema, 0, IoSchema.inputCount(schema), index);
    }

    /// @notice Layout of output tensor `index` of a schema, for consumers that read a version's schema once.
    function outputLayout(bytes memory schema, uint256 index) internal pure returns (Layout memory) {
        return _layout(schema, IoSchema.inputCount(schema), IoSchema.outputCount(schema), index);
    }

    /// @notice The bytes of one tensor within a whole packed input or output.
    function slice(bytes calldata packed, Layout memory layout) internal pure returns (bytes calldata) {
        _requireWidth(layout.width);
        // Check: by division, so that no layout overflows.
        uint256 rest = layout.offset > packed.length ? 0 : packed.length - layout.offset;
        if (layout.offset > packed.length || layout.count > rest / layout.width) {
            revert Tensor_OutOfBounds(layout.offset, layout.count, packed.length);
        }
        return packed[layout.offset:layout.offset + layout.count * layout.width];
    }

    /// @notice Reverts unless `packed` holds exactly `count` elements.
    function requireShape(bytes calldata packed, uint256 width, uint256 count) internal pure {
        _requireWidth(width);
        // Check: `count * width` could only overflow where no calldata could follow.
        if (packed.length / width != count || packed.length % width != 0) {
            revert Tensor_InvalidLength(packed.length, count * width);
        }
    }

    // --- packed integers ---

    /// @notice Element `index`.
    function at(bytes calldata packed, uint256 width, uint256 index) internal pure returns (int256) {
        uint256 count = _count(packed, width);
        // Check
        if (index >= count) revert Tensor_IndexOutOfRange(index, count);
        return _read(packed, width, index);
    }

    /// @notice All elements.
    function unpack(bytes calldata packed, uint256 width) internal pure returns (int256[] memory values) {
        values = new int256[](_count(packed, width));
        for (uint256 i = 0; i < values.length; ++i) {
            values[i] = _read(packed, width, i);
        }
    }

    /// @notice The packed form of integers, as requests carry them.
    function pack(int256[] memory values, uint256 width) internal pure returns (bytes memory packed) {
        _requireWidth(width);
        packed = new bytes(values.length * width);
        int256 bound = int256(1) << (8 * width - 1);
        for (uint256 i = 0; i < values.length; ++i) {
            int256 value = values[i];
            // Check
            if (value < -bound || value >= bound) revert Tensor_ValueOutOfRange(value, width);
            for (uint256 j = 0; j < width; ++j) {
                packed[(i + 1) * width - 1 - j] = bytes1(uint8(uint256(value) >> (8 * j)));
            }
        }
    }

    /// @notice Index of the largest element, the first of equals.
    function argmax(bytes calldata packed, uint256 width) internal pure returns (uint256 best) {
        (best,) = max(packed, width);
    }

    /// @notice The largest element and its index, the first of equals.
    function max(bytes calldata packed, uint256 width) internal pure returns (uint256 index, int256 value) {
        uint256 count = _count(packed, width);
        // Check
        if (count == 0) revert Tensor_Empty();
        value = _read(packed, width, 0);
        for (uint256 i = 1; i < count; ++i) {
            int256 other = _read(packed, width, i);
            if (other > value) (index, value) = (i, other);
        }
    }

    /// @notice The smallest element and its index, the first of equals.
    function min(bytes calldata packed, uint256 width) internal pure returns (uint256 index, int256 value) {
        uint256 count = _count(packed, width);
        // Check
        if (count == 0) revert Tensor_Empty();
        value = _read(packed, width, 0);
        for (uint256 i = 1; i < count; ++i) {
            int256 other = _read(packed, width, i);
            if (other < value) (index, value) = (i, other);
        }
    }

    /// @notice By how much the largest element leads the next: what a consumer asks of a label before it acts on it.
    /// Zero where two are equal; a single element leads nothing and is refused.
    function margin(bytes calldata packed, uint256 width) internal pure returns (uint256 index, uint256 lead) {
        uint256 count = _count(packed, width);
        // Check
        if (count < 2) revert Tensor_Empty();
        (int256 highest, int256 second) = (_read(packed, width, 0), type(int256).min);
        for (uint256 i = 1; i < count; ++i) {
            int256 value = _read(packed, width, i);
            if (value > highest) (index, second, highest) = (i, highest, value);
            else if (value > second) second = value;
        }
        // Elements have 128 bits: the difference fits.
        lead = uint256(highest - second);
    }

    // --- numbers ---

    /// @notice `value / 2^scaleBits` as a decimal fixed-point number: the result means `result / 10^decimals`.
    /// @dev Rounds toward zero, so that a number and its negative convert to opposites and nothing is rounded up.
    function toDecimals(int256 value, int8 scaleBits, uint256 decimals) internal pure returns (int256) {
        _requireDecimals(decimals);
        uint256 size = _magnitude(value);
        uint256 factor = 10 ** decimals;
        if (scaleBits >= 0) return _signed(_mulDiv(size, factor, 1 << uint8(scaleBits)), value < 0);
        return _signed(_mulDiv(_mulDiv(size, factor, 1), 1 << uint256(-int256(scaleBits)), 1), value < 0);
    }

    /// @notice The integer that means `number / 10^decimals` at scale `scaleBits`, for building inputs.
    /// @dev Rounds to the nearest, halves away from zero, as Gateless's own quantisation does.
    function fromDecimals(int256 number, uint256 decimals, int8 scaleBits) internal pure returns (int256) {
        _requireDecimals(decimals);
        uint256 size = _magnitude(number);
        uint256 divisor = 10 ** decimals;
        uint256 factor = 1;
        if (scaleBits >= 0) factor <<= uint8(scaleBits);
        else divisor = _mulDiv(divisor, 1 << uint256(-int256(scaleBits)), 1);
        uint256 quotient = _mulDiv(size, factor, divisor);
        // The remainder against the rest of the divisor: doubling it could overflow.
        uint256 remainder = mulmod(size, factor, divisor);
        if (remainder >= divisor - remainder) ++quotient;
        return _signed(quotient, number < 0);
    }

    /// @notice The same number at another scale, for handing one model's output to the next.
    /// @dev Rounds to the nearest, halves away from zero, where the new scale is coarser; exact where it is finer.
    function rescale(int256 value, int8 fromBits, int8 toBits) internal pure returns (int256) {
        int256 finer = int256(toBits) - fromBits;
        uint256 size = _magnitude(value);
        if (finer >= 0) return _signed(_mulDiv(size, 1 << uint256(finer), 1), value < 0);
        // At most 255 bits are dropped: the shift stays in the word.
        uint256 dropped = uint256(-finer);
        uint256 quotient = size >> dropped;
        // The highest of the dropped bits is the half.
        if ((size >> (dropped - 1)) & 1 == 1) ++quotient;
        return _signed(quotient, value < 0);
    }

    // --- inner steps ---

    /// @dev Of tensor `index` among `count`, of which the first is the schema's tensor `first`.
    function _layout(bytes memory schema, uint256 first, uint256 count, uint256 index)
        private
        pure
        returns (Layout memory layout)
    {
        // Check
        if (index >= count) revert Tensor_NoSuchTensor(index, count);
        (, layout.offset) = IoSchema.extent(schema, first, first + index);
        (layout.width, layout.count) = IoSchema.tensor(schema, first + index);
        // `[width u8][scale i8][count u32]`: the scale is the tensor's second byte.
        layout.scaleBits = int8(uint8(schema[IoSchema.HEADER_LENGTH + IoSchema.TENSOR_LENGTH * (first + index) + 1]));
    }

    function _count(bytes calldata packed, uint256 width) private pure returns (uint256) {
        _requireWidth(width);
        // Check: whole elements.
        uint256 count = packed.length / width;
        if (count * width != packed.length) revert Tensor_InvalidLength(packed.length, count * width);
        return count;
    }

    /// @dev The caller has checked width and index. A word loaded at the element's first byte holds it in its top
    /// bytes.
    function _read(bytes calldata packed, uint256 width, uint256 index) private pure returns (int256 value) {
        assembly ("memory-safe") {
            value := sar(sub(256, shl(3, width)), calldataload(add(packed.offset, mul(index, width))))
        }
    }

    function _requireWidth(uint256 width) private pure {
        if (width != 1 && width != 2 && width != 4 && width != 8 && width != 16) revert Tensor_InvalidWidth(width);
    }

    function _requireDecimals(uint256 decimals) private pure {
        if (decimals > MAX_DECIMALS) revert Tensor_NumberOutOfRange();
    }

    function _magnitude(int256 value) private pure returns (uint256) {
        // `type(int256).min` has a magnitude too: two's complement negation in unsigned arithmetic.
        unchecked {
            return value < 0 ? uint256(0) - uint256(value) : uint256(value);
        }
    }

    function _signed(uint256 size, bool negative) private pure returns (int256) {
        // Check
        if (size > uint256(type(int256).max)) revert Tensor_NumberOutOfRange();
        return negative ? -int256(size) : int256(size);
    }

    /// @dev Full 512-bit product; the library's error where the result does not fit.
    function _mulDiv(uint256 x, uint256 y, uint256 divisor) private pure returns (uint256) {
        (uint256 high,) = Math.mul512(x, y);
        // Check: the quotient fits exactly when the high word is below the divisor.
        if (high >= divisor) revert Tensor_NumberOutOfRange();
        return Math.mulDiv(x, y, divisor);
    }
}
