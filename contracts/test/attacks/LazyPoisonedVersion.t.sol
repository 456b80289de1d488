// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {LazyClaim, LazyRequest} from "../../src/types/LazyTypes.sol";
import {TrustMode, VersionParams} from "../../src/types/ModelTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: a publisher's version cannot be proven: its key is of another model, its key is not there, or it
/// states that a proof takes no time. Versions without a stored key are refused; response windows have a minimum
/// whatever the
/// version says. A key that fits no honest answer costs whoever answers without auditing the version: that remains, and
/// is why executors prove once before they serve a version lazily.
contract LazyPoisonedVersionAttack is LazyNetwork {
    function test_attack_aKeyOfAnotherModel() external {
        // The circuit of the committed model, published with the packed model's schema.
        VersionParams memory params = publication(packed, ROYALTY_BPS);
        params.circuits[0] = circuitOf(kzg);
        params.modes = uint8(1 << uint8(TrustMode.LAZY_ZK));
        vm.prank(builder);
        LazyRequest memory request = lazyRequest(registry.publishVersion(modelId, params), packed, 0);
        request.executor = executor;
        LazyClaim memory claim = challenged(answerSigned(request, truth()));
        vm.expectRevert();
        this.tryProof(claim);
        slashed(claim);
        assertEq(lazy.backingOf(executor).total, BACKING - COLLATERAL, "whoever did not audit pays, once");
        assertLe(staking.creditOf(requester), PRICE, "and the publisher's friends gain no more than the price");
        assertGe(staking.pendingBurn(), COLLATERAL / 2, "half burns");
    }

    function test_attack_aKeyThatIsNotThere() external {
        VersionParams memory params = publication(packed, ROYALTY_BPS);
        params.modes = uint8(1 << uint8(TrustMode.LAZY_ZK));
        params.circuits[0].vkaDigest = keccak256("not there");
        vm.prank(builder);
        LazyRequest memory request = lazyRequest(registry.publishVersion(modelId, params), packed, 0);
        request.executor = executor;
        bytes memory signature = signatureFor(request);
        vm.expectPartialRevert(ILazyMarket.LazyMarket_VkaNotRegistered.selector);
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, signature, truth());
    }

    function test_attack_aProofTimeThatIsTooShort() external {
        VersionParams memory params = publication(packed, ROYALTY_BPS);
        (params.modes, params.proofSeconds) = (uint8(1 << uint8(TrustMode.LAZY_ZK)), 1);
        vm.prank(builder);
        LazyRequest memory request = lazyRequest(registry.publishVersion(modelId, params), packed, 0);
        request.responseWindow = 1;
        vm.expectPartialRevert(ILazyMarket.LazyMarket_ResponseWindowOutOfRange.selector);
        vm.prank(requester);
        lazy.request(request, "");
    }

    function tryProof(LazyClaim memory claim) external {
        prove(claim);
    }
}
