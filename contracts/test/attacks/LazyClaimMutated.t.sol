// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {LazyClaim, LazyLock, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: somebody shows a claim, a lock or a request with better terms than were recorded: another price,
/// executor, royalty, collateral, deadline or callback. `LazyDetails` fuzzes every member; these are the ones that
/// would pay.
contract LazyClaimMutatedAttack is LazyNetwork {
    function test_attack_aHigherPrice() external {
        LazyClaim memory claim = honest();
        pastWindow(claim);
        claim.price = uint128(DEPOSIT);
        _refusedEnd(claim);
    }

    function test_attack_anothersFee() external {
        LazyClaim memory claim = honest();
        pastWindow(claim);
        claim.executor = stranger;
        _refusedEnd(claim);
        claim.executor = executor;
        claim.royaltyBps = 0;
        _refusedEnd(claim);
        claim.royaltyBps = ROYALTY_BPS;
        claim.versionId = kzgVersion;
        _refusedEnd(claim);
    }

    function test_attack_lessToLose() external {
        LazyClaim memory claim = challenged(lie());
        missDeadline(claim);
        claim.collateral = 0;
        vm.expectRevert(otherRecord(claim.requestId, LazyState.DISPUTED, LazyState.DISPUTED));
        court.slash(address(lazy), claim);
    }

    function test_attack_anEarlierEnd() external {
        LazyClaim memory claim = lie();
        claim.challengeDeadline = uint64(block.timestamp) - 1;
        _refusedEnd(claim);
    }

    function test_attack_noCallback() external {
        LazyRequest memory request = wantedNamed();
        (request.callback, request.callbackGas) = (stranger, 1000);
        LazyClaim memory claim = answerSigned(request, truth());
        pastWindow(claim);
        (claim.callback, claim.callbackGas) = (address(0), 0);
        _refusedEnd(claim);
    }

    function test_attack_aLockWithABetterPriceOrMoreTime() external {
        LazyRequest memory request = wanted();
        LazyLock memory made = lockedBy(request, executor);
        made.price = uint128(DEPOSIT);
        vm.expectRevert(otherRecord(idOf(request), LazyState.LOCKED, LazyState.LOCKED));
        vm.prank(executor);
        lazy.fulfill(request, made, truth());
        made.price = PRICE;
        made.lockDeadline += 1;
        vm.expectRevert(otherRecord(idOf(request), LazyState.LOCKED, LazyState.LOCKED));
        vm.prank(executor);
        lazy.fulfill(request, made, truth());
    }

    function test_attack_aRequestThatGivesMoreBack() external {
        LazyRequest memory request = wanted();
        send(request);
        vm.warp(request.deadline + 1);
        request.maxPrice = uint128(DEPOSIT);
        vm.expectRevert(otherRecord(idOf(request), LazyState.NONE, LazyState.OPEN));
        lazy.refund(request);
    }

    function _refusedEnd(LazyClaim memory claim) private {
        LazyMoney memory before = lazyMoney();
        vm.expectRevert(otherRecord(claim.requestId, LazyState.ANSWERED, LazyState.ANSWERED));
        lazy.finalize(claim, truth());
        assertNothingMoved(before);
    }
}
