// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title A call to foreign code that cannot hurt the caller
/// @notice Gets a stated amount of gas, and no more of its return data is copied than stated: `catch (bytes memory)`
/// would copy all of it at the caller's cost, however long.
library BoundedCall {
    /// @notice Calls `target` with `data`; never reverts by what the target does.
    /// @dev The caller makes sure that `gasLimit` is there: the EVM silently lowers it to 63/64 of the gas left
    /// (EIP-150).
    function tryCall(address target, uint256 gasLimit, uint256 maxReturned, bytes memory data)
        internal
        returns (bool success, bytes memory returned)
    {
        assembly ("memory-safe") {
            // No output area: nothing is copied by the call itself.
            success := call(gasLimit, target, 0, add(data, 0x20), mload(data), 0, 0)
        }
        returned = _returned(maxReturned);
    }

    /// @notice As `tryCall`, by a call that can change nothing.
    function tryStaticCall(address target, uint256 gasLimit, uint256 maxReturned, bytes memory data)
        internal
        view
        returns (bool success, bytes memory returned)
    {
        assembly ("memory-safe") {
            success := staticcall(gasLimit, target, add(data, 0x20), mload(data), 0, 0)
        }
        returned = _returned(maxReturned);
    }

    /// @notice As `tryCall`, by a call that runs the target's code as the caller.
    function tryDelegateCall(address target, uint256 gasLimit, uint256 maxReturned, bytes memory data)
        internal
        returns (bool success, bytes memory returned)
    {
        assembly ("memory-safe") {
            success := delegatecall(gasLimit, target, add(data, 0x20), mload(data), 0, 0)
        }
        returned = _returned(maxReturned);
    }

    /// @notice Runs a call of this very contract as if it had been sent by itself: its own code, its own caller. Keeps
    /// no memory, so that many in a row cost no more than one.
    function tryItself(bytes calldata data) internal returns (bool success) {
        assembly ("memory-safe") {
            // Above the free pointer, and not kept.
            let at := mload(0x40)
            calldatacopy(at, data.offset, data.length)
            success := delegatecall(gas(), address(), at, data.length, 0, 0)
        }
    }

    /// @notice What the last call returned, cut at `maxReturned` bytes.
    function lastReturned(uint256 maxReturned) internal pure returns (bytes memory) {
        return _returned(maxReturned);
    }

    /// @dev What the last call returned, cut at `maxReturned` bytes.
    function _returned(uint256 maxReturned) private pure returns (bytes memory returned) {
        assembly ("memory-safe") {
            let size := returndatasize()
            if gt(size, maxReturned) { size := maxReturned }
            returned := mload(0x40)
            // Allocated in whole words, so that the free pointer stays aligned.
            mstore(0x40, add(returned, add(0x20, and(add(size, 0x1f), not(0x1f)))))
            mstore(returned, size)
            returndatacopy(add(returned, 0x20), 0, size)
        }
    }
}
