// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IKeySetVerifier} from "../../src/interfaces/IKeySetVerifier.sol";
import {KeySets} from "../KeySets.t.sol";

/// @notice Whoever answers brings the key set: with keys of his own, with a lower threshold, or with a key less.
contract AttestationOtherKeysAttack is KeySets {
    uint256[] internal keys = sortedKeys(3, 1);
    bytes32 internal policy = keySets.policyOf(2, addressesOf(keys));
    bytes32 internal digest = keySets.digestOf(anAnswer());

    function test_attack_keysOfHisOwn() external {
        uint256[] memory own = sortedKeys(3, 9);
        _refused(keySetOf(2, addressesOf(own)), evidenceOf(2, own, list(0, 1), digest));
    }

    function test_attack_aLowerThreshold() external {
        uint256[] memory one = new uint256[](1);
        _refused(keySetOf(1, addressesOf(keys)), evidenceOf(1, keys, one, digest));
    }

    function test_attack_oneKeyReplaced() external {
        uint256[] memory mixed = sortedKeys(3, 1);
        uint256 own = uint256(keccak256("own"));
        // In the place where it keeps the order.
        uint256 place = vm.addr(own) < vm.addr(mixed[1]) ? 0 : 2;
        mixed[place] = own;
        _refused(keySetOf(2, addressesOf(mixed)), evidenceOf(2, mixed, list(0, 1), digest));
    }

    function _refused(bytes memory keySet, bytes memory evidence) private {
        vm.expectRevert(
            abi.encodeWithSelector(IKeySetVerifier.KeySetVerifier_OtherKeySet.selector, keccak256(keySet), policy)
        );
        keySets.verifyAttestation(policy, anAnswer(), evidence);
    }
}
