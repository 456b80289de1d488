// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IQuorumMarket} from "../../src/quorum/IQuorumMarket.sol";
import {QuorumRequest, QuorumState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice A threshold of half of the members or less: two different outputs could both reach it, and whoever settles
/// would choose.
contract QuorumLazyMajoritySizeAttack is QuorumNetwork {
    function testFuzz_attack_onlyMajorities(uint8 members, uint8 threshold) external {
        members = uint8(bound(members, MIN_MEMBERS, MAX_MEMBERS));
        QuorumRequest memory asked = requestFor(members, threshold);
        bool isMajority = threshold <= members && 2 * uint256(threshold) > members;
        if (!isMajority) {
            vm.expectRevert(abi.encodeWithSelector(IQuorumMarket.QuorumMarket_NoMajority.selector, threshold, members));
        }
        vm.prank(requester);
        uint256 requestId = market.request(asked, input);
        if (isMajority) assertState(requestId, QuorumState.OPEN);
    }

    function test_attack_halfIsNotEnough() external {
        for (uint8 members = MIN_MEMBERS; members <= MAX_MEMBERS; ++members) {
            QuorumRequest memory asked = requestFor(members, members / 2);
            vm.expectRevert(
                abi.encodeWithSelector(IQuorumMarket.QuorumMarket_NoMajority.selector, members / 2, members)
            );
            vm.prank(requester);
            market.request(asked, input);
            asked.threshold = members / 2 + 1;
            open(asked);
        }
    }
}
