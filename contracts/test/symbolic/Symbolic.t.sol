// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice halmos' own cheatcodes, as far as they are used here.
interface SVM {
    /// @notice From now on the account's storage may hold anything.
    function enableSymbolicStorage(address account) external;
}

/// @title Base of the symbolic checks
/// @notice halmos runs every function `check_…` with arguments that may be anything, and looks for some that make an
/// `assert` fail; a path that reverts for another reason is no failure.
abstract contract Symbolic {
    /// @dev Where halmos answers: the last 20 bytes of keccak256("svm cheat code").
    SVM internal constant svm = SVM(address(uint160(uint256(keccak256("svm cheat code")))));
}
