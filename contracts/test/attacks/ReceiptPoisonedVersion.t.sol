// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {ClaimState, Receipt} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice A publisher makes a version that cannot be proven, or one that proves anything, to rob executors or clients.
contract ReceiptPoisonedVersionAttack is CourtNetwork {
    Fixture internal otherWeights;
    uint64 internal otherVersion;

    function setUp() public override {
        super.setUp();
        loadFixture(otherWeights, "packed_other_weights");
        verifier.registerVka(otherWeights.vka);
        vm.prank(builder);
        otherVersion = registry.publishVersion(modelId, publication(otherWeights, 0));
    }

    /// @dev Who signs what he cannot prove loses that slot's bond, and nothing else: the risk of a version that was not
    /// audited is one bond a receipt, and nobody can make him sign.
    function test_attack_anUnprovableVersionCostsItsSignerOneBond() external {
        Receipt memory receipt = honest(0);
        receipt.versionId = otherVersion + 1; // published later, or never
        slashed(challenged(receipt));
        assertEq(allocatedStake(), COURT_STAKE - BOND, "one bond");
        uint256 claimId = challenged(honest(1));
        respond(claimId);
        assertClaim(claimId, ClaimState.PROVEN);
    }

    /// @dev A proof under another version's key, whatever that key accepts, settles nothing of this version.
    function test_attack_aProofOfAnotherVersionSettlesNothing() external {
        Receipt memory receipt = lie(0);
        receipt.outputDigest = keccak256(otherWeights.cases[0].output);
        receipt.inputBinding = otherWeights.cases[0].inputBinding;
        uint256 claimId = committed(challenger, receipt);
        openBy(challenger, claimId, receipt, otherWeights.cases[0].input);
        Case memory proven = otherWeights.cases[0];
        vm.expectRevert();
        court.respond(ids(claimId), 0, proven.input, proven.output, proven.proof);
        // Nor with a claim of that version in front, whose own answer it is.
        Receipt memory other = receipt;
        other.versionId = otherVersion;
        other.slot = 1;
        uint256 friendly = committed(challenger, other);
        openBy(challenger, friendly, other, proven.input);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_ProofOfAnotherClaim.selector, claimId));
        court.respond(ids(friendly, claimId), 0, proven.input, proven.output, proven.proof);
        court.respond(ids(friendly), 0, proven.input, proven.output, proven.proof);
        assertClaim(friendly, ClaimState.PROVEN);
        assertClaim(claimId, ClaimState.OPEN);
    }

    function test_attack_whatIsProvenOfOneVersionIsNotOfAnother() external {
        Receipt memory receipt = receiptFor(otherVersion, otherWeights, 0, 0);
        uint256 claimId = committed(challenger, receipt);
        openBy(challenger, claimId, receipt, otherWeights.cases[0].input);
        respondBy(executor, ids(claimId), otherWeights, 0);
        assertTrue(court.isProven(otherVersion, receipt.inputBinding, receipt.outputDigest), "of its own");
        assertFalse(court.isProven(packedVersion, receipt.inputBinding, receipt.outputDigest), "of no other");
    }

    /// @dev A version that is deprecated after a receipt was signed is proven as before.
    function test_attack_deprecationStrandsNobody() external {
        uint256 claimId = challenged(honest(0));
        vm.prank(builder);
        registry.setDeprecated(packedVersion, true, "poisoned");
        respond(claimId);
        assertClaim(claimId, ClaimState.PROVEN);
    }
}
