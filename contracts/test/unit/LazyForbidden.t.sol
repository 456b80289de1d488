// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyClaim, LazyLock, LazyRequest} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @title Every action in every state
/// @notice What the life of a request does not allow reverts at any time, by whoever might, and moves nothing.
contract LazyForbiddenTest is LazyNetwork {
    enum Action {
        REQUEST,
        CANCEL,
        REFUND,
        REFUND_LOCKED,
        LOCK,
        LOCK_SIGNED,
        TAKE_OVER,
        FULFILL,
        LOCK_AND_FULFILL,
        LOCK_SIGNED_AND_FULFILL,
        FINALIZE,
        FINALIZE_MANY,
        KEEP_RESULT,
        CHALLENGE,
        DRAW_LOT,
        PROVE,
        SLASH
    }

    /// @dev Where a request can stand; `UNKEPT` is final without a stored result.
    enum Place {
        NONE,
        OPEN,
        LOCKED,
        ANSWERED,
        DISPUTED,
        FINAL,
        UNKEPT,
        SLASHED,
        REFUNDED
    }

    uint256 internal constant ACTIONS = 17;

    LazyRequest internal request;
    LazyLock internal made;
    LazyClaim internal claim;
    bool internal named;

    function test_beforeItIsMade() external {
        _everything(Place.NONE, _set(Action.REQUEST) | _set(Action.LOCK_SIGNED) | _set(Action.LOCK_SIGNED_AND_FULFILL));
    }

    function test_open() external {
        _everything(
            Place.OPEN, _set(Action.CANCEL) | _set(Action.REFUND) | _set(Action.LOCK) | _set(Action.LOCK_AND_FULFILL)
        );
    }

    function test_locked() external {
        _everything(Place.LOCKED, _set(Action.REFUND_LOCKED) | _set(Action.TAKE_OVER) | _set(Action.FULFILL));
    }

    function test_answered() external {
        _everything(
            Place.ANSWERED,
            _set(Action.FINALIZE) | _set(Action.FINALIZE_MANY) | _set(Action.CHALLENGE) | _set(Action.DRAW_LOT)
                | _set(Action.PROVE)
        );
    }

    function test_disputed() external {
        _everything(Place.DISPUTED, _set(Action.PROVE) | _set(Action.SLASH));
    }

    function test_final() external {
        _everything(Place.FINAL, 0);
    }

    function test_finalAndNotKept() external {
        _everything(Place.UNKEPT, _set(Action.KEEP_RESULT));
    }

    function test_slashed() external {
        _everything(Place.SLASHED, 0);
    }

    function test_refunded() external {
        _everything(Place.REFUNDED, 0);
    }

    /// @notice For `try`: whoever may do it tries it.
    function act(Action action) external {
        Case memory proven = packed.cases[0];
        bytes memory signature = signatureFor(request);
        if (action == Action.REQUEST) vm.prank(requester);
        if (action == Action.CANCEL) vm.prank(requester);
        if (action == Action.REQUEST) lazy.request(request, "");
        if (action == Action.CANCEL) lazy.cancel(request);
        if (action == Action.REFUND) lazy.refund(request);
        if (action == Action.REFUND_LOCKED) lazy.refundLocked(request, made);
        if (action == Action.FINALIZE) lazy.finalize(claim, truth());
        if (action == Action.FINALIZE_MANY) lazy.finalizeMany(list(claim));
        if (action == Action.KEEP_RESULT) lazy.keepResult(claim);
        if (action == Action.DRAW_LOT) court.drawLot(address(lazy), claim);
        if (action == Action.SLASH) court.slash(address(lazy), claim);
        if (action == Action.PROVE) {
            court.prove(address(lazy), list(claim), 0, proven.input, proven.output, proven.proof);
        }
        if (action == Action.CHALLENGE) {
            vm.prank(challenger);
            court.challenge(address(lazy), claim, keccak256("ready"));
        }
        vm.startPrank(executor);
        if (action == Action.LOCK) lazy.lock(request, 0, 0);
        if (action == Action.LOCK_SIGNED) lazy.lockSigned(request, signature, 0, 0);
        if (action == Action.TAKE_OVER) lazy.takeOver(request, made, 0);
        if (action == Action.FULFILL) lazy.fulfill(request, made, truth());
        if (action == Action.LOCK_AND_FULFILL) lazy.lockAndFulfill(request, truth());
        if (action == Action.LOCK_SIGNED_AND_FULFILL) lazy.lockSignedAndFulfill(request, signature, truth());
        vm.stopPrank();
    }

    /// @dev Every action: refused at every time where it is not allowed, and possible at one of them where it is.
    function _everything(Place place, uint256 allowed) private {
        uint256 start = vm.snapshotState();
        for (uint256 i = 0; i < ACTIONS; ++i) {
            Action action = Action(i);
            named = action == Action.LOCK_AND_FULFILL || action == Action.LOCK_SIGNED_AND_FULFILL;
            _bring(place);
            bool mayHappen = allowed & _set(action) != 0;
            assertEq(_tryAtAllTimes(action) ? 1 : 0, mayHappen ? 1 : 0, string.concat("action ", vm.toString(i)));
            vm.revertToState(start);
        }
    }

    function _tryAtAllTimes(Action action) private returns (bool happened) {
        uint256 now_ = block.timestamp;
        uint256[5] memory times = [
            now_,
            uint256(made.lockDeadline) + 1,
            uint256(claim.challengeDeadline) + 1,
            uint256(court.disputeOf(address(lazy), claim.requestId).deadline) + 1,
            uint256(request.deadline) + 1
        ];
        bytes memory before = abi.encode(lazyMoney(), lazy.recordOf(idOf(request)));
        for (uint256 i = 0; i < times.length; ++i) {
            if (times[i] < now_) continue;
            vm.warp(times[i]);
            try this.act(action) {
                return true;
            } catch {
                vm.stopPrank();
                assertEq(abi.encode(lazyMoney(), lazy.recordOf(idOf(request))), before, "a refusal changes nothing");
            }
        }
    }

    /// @dev A request that stands there, with everything ready that an action could need.
    function _bring(Place place) private {
        request = wanted();
        if (named) request.executor = executor;
        request.auditBps = 10_000;
        made = lockNow(request, executor);
        claim = claimNow(request, executor, PRICE, truth());
        if (place != Place.NONE) send(request);
        if (place >= Place.LOCKED && place != Place.REFUNDED) {
            made = lockLazy(request, executor);
            nextBlock();
        }
        if (place >= Place.ANSWERED && place != Place.REFUNDED) {
            claim = claimNow(request, executor, PRICE, truth());
            vm.prank(executor);
            lazy.fulfill(request, made, truth());
        }
        if (place == Place.DISPUTED || place == Place.SLASHED) challenged(claim);
        if (place == Place.SLASHED) slashed(claim);
        if (place == Place.FINAL) finalized(claim);
        if (place == Place.UNKEPT) {
            pastWindow(claim);
            lazy.finalizeMany(list(claim));
        }
        if (place == Place.REFUNDED) {
            vm.warp(request.deadline + 1);
            lazy.refund(request);
        }
        // A commitment to a challenge, and a seed.
        bytes32 commitment = court.commitmentOf(challenger, address(lazy), claim, keccak256("ready"));
        vm.prank(challenger);
        court.commitChallenge(commitment);
        skip(1);
        skip(1);
    }

    function _set(Action action) private pure returns (uint256) {
        return 1 << uint256(action);
    }
}
