// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {KeySetVerifier} from "../../src/KeySetVerifier.sol";
import {AttestedRequest} from "../../src/attested/AttestedTypes.sol";
import {IAttestedMarket} from "../../src/attested/IAttestedMarket.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {AttestedNetwork} from "../AttestedNetwork.t.sol";

/// @notice Evidence of other keys, under another threshold, or for another verifier than the request pins; or the
/// request shown with another policy.
contract AttestedOtherPolicyAttack is AttestedNetwork {
    AttestedRequest internal asked;
    uint256 internal requestId;
    bytes32 internal digest;

    function setUp() public override {
        super.setUp();
        asked = request();
        requestId = open(asked);
        digest = keySets.digestOf(answerOf(asked, output, executor));
    }

    function test_attack_keysOfHisOwn() external {
        uint256[] memory own = sortedKeys(3, 7);
        bytes memory evidence = evidenceOf(2, own, list(0, 1), digest);
        bytes32 given = keySets.policyOf(2, addressesOf(own));
        _refused(abi.encodeWithSignature("KeySetVerifier_OtherKeySet(bytes32,bytes32)", given, policy));
        vm.prank(executor);
        market.fulfill(asked, 0, output, evidence);
    }

    function test_attack_aLowerThreshold() external {
        uint256[] memory first = new uint256[](1);
        bytes memory evidence = evidenceOf(1, keys, first, digest);
        bytes32 given = keySets.policyOf(1, addressesOf(keys));
        _refused(abi.encodeWithSignature("KeySetVerifier_OtherKeySet(bytes32,bytes32)", given, policy));
        vm.prank(executor);
        market.fulfill(asked, 0, output, evidence);
    }

    /// @dev Shown with another policy or verifier, it is another request: nobody made it.
    function test_attack_theRequestWithAnotherPolicy() external {
        uint256[] memory own = sortedKeys(3, 7);
        AttestedRequest memory other = asked;
        other.policy = keySets.policyOf(2, addressesOf(own));
        bytes memory evidence = evidenceOf(2, own, list(0, 1), keySets.digestOf(answerOf(other, output, executor)));
        _refusedRecord(other);
        vm.prank(executor);
        market.fulfill(other, 0, output, evidence);

        other = asked;
        other.verifier = address(new KeySetVerifier());
        _refusedRecord(other);
        vm.prank(executor);
        market.fulfill(other, 0, output, evidence);
    }

    /// @dev Signatures for a verifier of the same code at another address: another domain.
    function test_attack_signedForAnotherVerifier() external {
        KeySetVerifier other = new KeySetVerifier();
        bytes memory evidence = evidenceOf(2, keys, list(0, 2), other.digestOf(answerOf(asked, output, executor)));
        _refused(abi.encodeWithSignature("KeySetVerifier_InvalidSignature(uint256,address)", 0, vm.addr(keys[0])));
        vm.prank(executor);
        market.fulfill(asked, 0, output, evidence);
    }

    function test_attack_anotherOutput() external {
        bytes memory evidence = evidenceFor(asked);
        _refused(abi.encodeWithSignature("KeySetVerifier_InvalidSignature(uint256,address)", 0, vm.addr(keys[0])));
        vm.prank(executor);
        market.fulfill(asked, 0, hex"00", evidence);
    }

    function _refused(bytes memory reason) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IAttestedMarket.AttestedMarket_NotAttested.selector, requestId, address(keySets), reason
            )
        );
    }

    function _refusedRecord(AttestedRequest memory other) private {
        vm.expectRevert(
            abi.encodeWithSelector(IRecordMarket.RecordMarket_OtherRecord.selector, market.idOf(other), 0, 2)
        );
    }
}
