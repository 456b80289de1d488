// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IDisputeCourt} from "../../src/interfaces/IDisputeCourt.sol";
import {LazyClaim, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @dev Says yes to everything, and that proofs of anything are good.
contract FalseMarket {
    uint256 internal record;
    bytes32 internal binding;

    function setRecord(uint256 record_, bytes32 binding_) external {
        binding = binding_;
        record = record_ & (type(uint256).max >> 8) | 4 << 248; // as if it were answered
    }

    function verify(uint64, uint256, bytes calldata, bytes calldata, bytes calldata) external view returns (bytes32) {
        return binding;
    }

    function dispute(LazyClaim calldata) external {}

    function settle(LazyClaim calldata, bytes calldata) external {}

    function slash(LazyClaim calldata, address) external {}

    function recordOf(uint256) external view returns (uint256) {
        return record;
    }

    function zkVerifier() external view returns (address) {
        return address(this);
    }
}

/// @notice Attack: a contract that is no market of ours asks the court to prove, dispute or slash with rules of its
/// own, to get at bonds of others, their queues or their answers. All that the court keeps is by market.
contract LazyForeignMarketAttack is LazyNetwork {
    FalseMarket internal fake;

    function setUp() public override {
        super.setUp();
        fake = new FalseMarket();
    }

    function test_attack_itsVerdictsMoveNoOthersBond() external {
        LazyClaim memory claim = challenged(lie());
        LazyMoney memory before = lazyMoney();
        LazyClaim[] memory claims = list(claim);
        fake.setRecord(lazy.recordOf(claim.requestId), claim.inputBinding);
        // It says that the proof is good: of a claim that nobody disputes there.
        court.prove(address(fake), claims, 0, "", "a lie", "");
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.DisputeCourt_NotDisputed.selector, claim.requestId));
        court.slash(address(fake), claim);
        assertNothingMoved(before);
        assertLazy(claim.requestId, LazyState.DISPUTED);
        assertEq(court.disputeOf(address(lazy), claim.requestId).challenger, challenger, "the dispute stands");
    }

    function test_attack_itsQueueIsItsOwn() external {
        depositAtCourt(stranger, 100e6);
        LazyClaim memory claim = lie();
        claim.responseWindow = type(uint32).max;
        vm.startPrank(stranger);
        court.commitChallenge(court.commitmentOf(stranger, address(fake), claim, SALT));
        nextBlock();
        court.challenge(address(fake), claim, SALT);
        vm.stopPrank();
        (uint256 open,) = court.queueOf(address(lazy), executor);
        assertEq(open, 0, "not in the executor's queue here");
        // A second dispute of the same claim there is refused, whatever that market says.
        vm.startPrank(stranger);
        court.commitChallenge(court.commitmentOf(stranger, address(fake), claim, SALT));
        nextBlock();
        vm.expectRevert(abi.encodeWithSelector(IDisputeCourt.DisputeCourt_AlreadyDisputed.selector, claim.requestId));
        court.challenge(address(fake), claim, SALT);
        vm.stopPrank();
    }

    function test_attack_aCommitmentIsForOneMarket() external {
        LazyClaim memory claim = lie();
        commitTo(challenger, claim);
        nextBlock();
        vm.expectPartialRevert(IDisputeCourt.DisputeCourt_NotCommitted.selector);
        vm.prank(challenger);
        court.challenge(address(fake), claim, SALT);
    }
}
