// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice A request's id is a counter. After a reorganisation of the chain the lock that an executor signed would lock
/// an attacker's request with the same id: unprovable, and for all the stake there is.
contract LockAfterReorgAttack is Network {
    function test_attack_theSameIdForOtherTerms() external {
        uint256 fork = vm.snapshotState();
        uint256 seen = openPacked();
        bytes32 terms = market.termsOf(seen);
        vm.revertToState(fork);

        address attacker = makeAddr("attacker");
        depositFor(attacker, STAKE / 2);
        RequestParams memory params = packedParams();
        params.inputDigest = keccak256("no input");
        params.inputBinding = params.inputDigest;
        params.collateral = uint128(STAKE);
        params.maxPrice = uint128(STAKE / 2);
        vm.prank(attacker);
        uint256 trap = market.request(params, "", "");
        assertEq(trap, seen, "the same id");
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_OtherTerms.selector, trap, terms, market.termsOf(trap)
            )
        );
        vm.prank(executor);
        market.lock(seen, terms, MIN_LOCK, 0);
        assertState(trap, RequestState.OPEN);
        assertEq(staking.available(executor, address(market)), STAKE, "nothing locked");
    }

    function test_theSameRequestUnderTheSameIdIsStillLocked() external {
        uint256 fork = vm.snapshotState();
        uint256 seen = openPacked();
        bytes32 terms = market.termsOf(seen);
        vm.revertToState(fork);
        assertEq(openPacked(), seen, "the same id");
        vm.prank(executor);
        market.lock(seen, terms, LOCK_DURATION, 0);
        assertState(seen, RequestState.LOCKED);
    }
}
