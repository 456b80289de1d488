// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Tensor} from "../src/consumer/Tensor.sol";

/// @dev The library behind a calldata boundary.
contract TensorUser {
    function outputLayout(bytes calldata schema, uint256 index) external pure returns (Tensor.Layout memory) {
        return Tensor.outputLayout(schema, index);
    }

    function requireShape(bytes calldata packed, uint256 width, uint256 count) external pure {
        Tensor.requireShape(packed, width, count);
    }

    function at(bytes calldata packed, uint256 width, uint256 index) external pure returns (int256) {
        return Tensor.at(packed, width, index);
    }

    function unpack(bytes calldata packed, uint256 width) external pure returns (int256[] memory) {
        return Tensor.unpack(packed, width);
    }

    function pack(int256[] calldata values, uint256 width) external pure returns (bytes memory) {
        return Tensor.pack(values, width);
    }

    function inputLayout(bytes calldata schema, uint256 index) external pure returns (Tensor.Layout memory) {
        return Tensor.inputLayout(schema, index);
    }

    function slice(bytes calldata packed, Tensor.Layout calldata layout) external pure returns (bytes memory) {
        return Tensor.slice(packed, layout);
    }

    function max(bytes calldata packed, uint256 width) external pure returns (uint256, int256) {
        return Tensor.max(packed, width);
    }

    function min(bytes calldata packed, uint256 width) external pure returns (uint256, int256) {
        return Tensor.min(packed, width);
    }

    function margin(bytes calldata packed, uint256 width) external pure returns (uint256, uint256) {
        return Tensor.margin(packed, width);
    }

    function rescale(int256 value, int8 fromBits, int8 toBits) external pure returns (int256) {
        return Tensor.rescale(value, fromBits, toBits);
    }

    function argmax(bytes calldata packed, uint256 width) external pure returns (uint256) {
        return Tensor.argmax(packed, width);
    }

    function toDecimals(int256 value, int8 scaleBits, uint256 decimals) external pure returns (int256) {
        return Tensor.toDecimals(value, scaleBits, decimals);
    }

    function fromDecimals(int256 number, uint256 decimals, int8 scaleBits) external pure returns (int256) {
        return Tensor.fromDecimals(number, decimals, scaleBits);
    }
}
