// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {UnorderedNonces} from "../../src/libraries/UnorderedNonces.sol";
import {Symbolic} from "./Symbolic.t.sol";

/// @notice What is not so: `tools/symbolic.sh` fails where halmos finds no counterexample to each of these.
contract MustFailSymbolic is Symbolic {
    using UnorderedNonces for UnorderedNonces.Nonces;

    UnorderedNonces.Nonces private _nonces;

    function setUp() external {
        svm.enableSymbolicStorage(address(this));
    }

    function check_everyNonceIsFresh(address account, uint256 nonce) external {
        assert(_nonces.tryUse(account, nonce));
    }

    function check_noNonceIsFresh(address account, uint256 nonce) external {
        assert(!_nonces.tryUse(account, nonce));
    }

    function check_noncesDependOnEachOther(address account, uint256 nonce, address other, uint256 another) external {
        bool fresh = _nonces.tryUse(account, nonce);
        assert(_nonces.tryUse(other, another) == fresh);
    }
}
