// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Receipt, ReceiptFlaw} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice Any one of the signed fields is changed after the signature: to claim a larger bond, another's slot, a
/// longer life, a higher price.
contract ReceiptMutatedFieldAttack is CourtNetwork {
    uint256 internal constant FIELDS = 12;

    function setUp() public override {
        super.setUp();
        // Whatever the mutation points at exists and would back a receipt.
        backCourt(stranger, COURT_STAKE, receiptKey);
        openPool(stranger, epoch, CAPACITY);
        nextBlock();
    }

    function test_attack_everyFieldIsSigned() external {
        for (uint256 field = 0; field < FIELDS; ++field) {
            Receipt memory receipt = _signed();
            bytes memory signature = sign(receipt);
            _mutate(receipt, field);
            assertTrue(
                court.flawOf(receipt, signature) != ReceiptFlaw.NONE,
                string.concat("worthless: field ", vm.toString(field))
            );
            uint256 claimId = committed(challenger, receipt);
            bytes memory input = inputOf(field == 1 ? 1 : 0);
            vm.expectRevert();
            vm.prank(challenger);
            court.challengeReceipt(claimId, receipt, signature, input, SALT);
        }
        assertEq(pool().openClaims, 0, "nothing opened");
    }

    /// @dev It is the signature that refuses, wherever the changed receipt would otherwise be good.
    function test_attack_theSignatureItselfCoversEveryField() external view {
        uint256 foreign;
        for (uint256 field = 0; field < FIELDS; ++field) {
            Receipt memory receipt = _signed();
            bytes memory signature = sign(receipt);
            _mutate(receipt, field);
            if (court.flawOf(receipt, sign(receipt)) != ReceiptFlaw.NONE) continue;
            assertEq(uint256(court.flawOf(receipt, signature)), uint256(ReceiptFlaw.FOREIGN_SIGNATURE), "signed");
            ++foreign;
        }
        // All but the bond and the epoch, which the pool fixes.
        assertEq(foreign, FIELDS - 2, "ten fields");
    }

    function test_attack_everyFieldIsInTheDigest() external view {
        Receipt memory receipt = _signed();
        bytes32 digest = court.digestOf(receipt);
        for (uint256 field = 0; field < FIELDS; ++field) {
            Receipt memory changed = _signed();
            _mutate(changed, field);
            assertTrue(court.digestOf(changed) != digest, string.concat("field ", vm.toString(field)));
        }
    }

    function testFuzz_attack_anyBitOfTheSignature(uint16 position) external view {
        Receipt memory receipt = _signed();
        bytes memory signature = sign(receipt);
        uint256 bit = position % (65 * 8);
        signature[bit / 8] = bytes1(uint8(signature[bit / 8]) ^ uint8(1 << (bit % 8)));
        assertEq(uint256(court.flawOf(receipt, signature)), uint256(ReceiptFlaw.FOREIGN_SIGNATURE), "another signature");
    }

    /// @dev Away from every edge: each field can change both ways and leave a good receipt.
    function _signed() private view returns (Receipt memory receipt) {
        receipt = lie(0);
        receipt.expires -= 1 hours;
    }

    function _mutate(Receipt memory receipt, uint256 field) private view {
        if (field == 0) receipt.versionId = kzgVersion;
        if (field == 1) receipt.inputBinding = packed.cases[1].inputBinding;
        if (field == 2) receipt.inputDigest = keccak256(packed.cases[0].input);
        if (field == 3) receipt.outputDigest = keccak256("another lie");
        if (field == 4) receipt.executor = stranger;
        if (field == 5) receipt.beneficiary = stranger;
        if (field == 6) receipt.price += 1;
        if (field == 7) receipt.bond += 1;
        if (field == 8) receipt.issued -= 1;
        if (field == 9) receipt.expires -= 1;
        if (field == 10) receipt.epoch += 1;
        if (field == 11) receipt.slot += 1;
    }
}
