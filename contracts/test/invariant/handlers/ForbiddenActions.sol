// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {RequestState} from "../../../src/types/MarketTypes.sol";
import {Stage} from "./Stage.sol";

/// @title What nobody may do
/// @notice Each attempt must fail and is not entered in the model: had it changed anything, contracts and model would
/// part.
abstract contract ForbiddenActions is Stage {
    /// @notice Any of the transitions that are not in the state diagram, from whatever state the request is in.
    function forbidATransition(uint256 seed, uint256 kind) external {
        if (ids.length == 0) return;
        uint256 requestId = ids[seed % ids.length];
        Expected storage model = expected[requestId];
        kind %= 5;
        bool isHeld = model.state == RequestState.LOCKED && block.timestamp <= model.lockDeadline;
        if (kind == 0 && (isHeld || _isFinal(model))) {
            _refused(executors[seed % ACTORS], abi.encodeCall(market.lock, (requestId, model.terms, 0, 0)), "lock");
        } else if (kind == 1 && model.state != RequestState.LOCKED) {
            address who = model.executor == address(0) ? executors[0] : model.executor;
            _refused(who, _fulfilment(requestId, model, false), "fulfill");
        } else if (kind == 2 && model.state != RequestState.OPEN) {
            _refused(model.requester, abi.encodeCall(market.cancel, (requestId)), "cancel");
        } else if (kind == 3 && _isFinal(model)) {
            _refused(stranger, abi.encodeCall(market.refund, (requestId)), "refund");
        } else if (kind == 4 && !_isFinal(model) && block.timestamp <= _lastSecond(model)) {
            _refused(model.requester, abi.encodeCall(market.refund, (requestId)), "early refund");
        }
    }

    /// @notice An open request, locked by one who may, but for other terms, for too short a time, or taken back from
    /// under the named executor.
    function forbidALock(uint256 seed, uint256 kind) external {
        uint256 requestId = _pick(seed, RequestState.OPEN);
        if (requestId == 0) return;
        Expected storage model = expected[requestId];
        address account = model.named == address(0) ? executors[seed % ACTORS] : model.named;
        kind %= 4;
        if (kind == 0) {
            bytes32 other = model.terms ^ bytes32(uint256(1) << (seed % 256));
            _refused(account, abi.encodeCall(market.lock, (requestId, other, 0, 0)), "other terms");
            uint256 another = ids[seed % ids.length];
            if (expected[another].terms == model.terms) return;
            bytes32 anothers = expected[another].terms;
            _refused(account, abi.encodeCall(market.lock, (requestId, anothers, 0, 0)), "another's terms");
        } else if (kind == 1 && block.timestamp <= model.deadline) {
            uint32 beyond = uint32(_lockEnd(model) - block.timestamp) + 1;
            _refused(
                account, abi.encodeCall(market.lock, (requestId, model.terms, beyond, 0)), "too short for the caller"
            );
        } else if (kind == 2 && block.timestamp + MIN_LOCK > model.deadline) {
            _refused(account, abi.encodeCall(market.lock, (requestId, model.terms, 0, 0)), "too short for anybody");
        } else if (kind == 3 && model.named != address(0)) {
            _refused(model.requester, abi.encodeCall(market.cancel, (requestId)), "cancel of a named request");
        } else {
            return;
        }
        _count("refusedLock");
    }

    /// @notice A locked request, answered by the wrong one, wrongly, or too late.
    function forbidAFulfilment(uint256 seed, uint256 kind) external {
        uint256 requestId = _pick(seed, RequestState.LOCKED);
        if (requestId == 0) return;
        Expected storage model = expected[requestId];
        if (kind % 3 == 0) _refused(stranger, _fulfilment(requestId, model, false), "not the holder");
        if (kind % 3 == 1) _refused(model.executor, _fulfilment(requestId, model, true), "forged output");
        if (kind % 3 == 2 && block.timestamp > model.lockDeadline) {
            _refused(model.executor, _fulfilment(requestId, model, false), "late");
        }
    }

    /// @notice A batch with rows that do not belong to its requests, with nothing to answer, or by a stranger.
    function forbidABatch(uint256 seed, uint256 kind) external {
        uint256 requestId = _pick(seed, RequestState.LOCKED);
        if (requestId == 0) return;
        Expected storage model = expected[requestId];
        Case memory proven = batch.cases[0];
        bool isDue = block.timestamp <= model.lockDeadline && model.hasBatch;
        uint256[] memory batchIds = new uint256[](model.caseIndex + 1);
        for (uint256 row = 0; row < batchIds.length; ++row) {
            batchIds[row] = requestId; // its own row is the last one
        }
        address who = model.executor;
        kind %= 4;
        if (kind == 0) {
            who = stranger;
        } else if (kind == 1 && isDue && model.caseIndex != 0) {
            // Its id stands first beside another's row.
        } else if (kind == 2 && !isDue) {
            // Too late, or of a version without batches.
        } else if (kind == 3 && isDue && model.caseIndex == 0) {
            proven.output[0] = bytes1(uint8(proven.output[0]) ^ 0x40);
        } else {
            return;
        }
        _refused(
            who, abi.encodeCall(market.fulfillBatch, (batchIds, 1, proven.input, proven.output, proven.proof)), "batch"
        );
        _count("refusedBatch");
    }

    /// @notice Somebody else's money.
    function forbidATheft(uint256 seed, uint256 kind) external {
        kind %= 4;
        address account = requesters[seed % ACTORS];
        if (kind == 0) {
            _refused(account, abi.encodeCall(market.withdraw, (balances[account] + 1, account)), "overdraft");
        } else if (kind == 1) {
            uint256 id = models[seed % MODELS];
            _refused(stranger, abi.encodeCall(market.withdrawRoyalty, (id, stranger)), "royalty");
        } else if (kind == 2) {
            bytes memory data =
                abi.encodeCall(registry.publishVersion, (models[seed % MODELS], _publicationOf(false, 0)));
            vm.prank(stranger);
            (bool success,) = address(registry).call(data);
            assertFalse(success, "published by a stranger");
        } else if (ids.length != 0) {
            uint256 requestId = ids[seed % ids.length];
            address other = requesters[(seed % ACTORS + 1) % ACTORS];
            if (other == expected[requestId].requester) return;
            _refused(other, abi.encodeCall(market.cancel, (requestId)), "cancel by another");
        }
    }

    /// @notice Stake that backs a claim, or waits for its delay.
    function forbidAnEscape(uint256 seed, uint256 kind) external {
        kind %= 5;
        address account = executors[seed % ACTORS];
        address slasher = slashers[(seed >> 8) % 2];
        Held storage h = held[account][slasher];
        if (kind == 0) {
            _refusedStake(
                account, abi.encodeCall(staking.withdraw, (staking.freeStake(account) + 1, account)), "overdraft"
            );
        } else if (kind == 1 && (block.timestamp < h.readyAt || h.exiting == 0 || _unlocked(account, slasher) == 0)) {
            _refusedStake(account, abi.encodeCall(staking.completeExit, (slasher)), "early exit");
        } else if (kind == 2) {
            uint256 beyond = h.allocated - h.exiting + 1;
            _refusedStake(account, abi.encodeCall(staking.requestExit, (slasher, beyond)), "too large an exit");
        } else if (kind == 3 && ids.length != 0) {
            bytes32 claimId = bytes32(ids[seed % ids.length]);
            _refusedStake(stranger, abi.encodeCall(staking.unlock, (claimId)), "another's claim");
            _refusedStake(stranger, abi.encodeCall(staking.slash, (claimId, stranger, 0)), "another's claim");
        } else if (kind == 4) {
            uint256 beyond = _unlocked(account, slasher) + 1;
            bytes32 claimId = keccak256(abi.encode(seed));
            _refusedStake(slasher, abi.encodeCall(staking.lock, (account, claimId, beyond)), "locked twice");
        }
    }

    function _isFinal(Expected storage model) private view returns (bool) {
        return model.state == RequestState.PAID || model.state == RequestState.REFUNDED;
    }

    function _fulfilment(uint256 requestId, Expected storage model, bool forged) private view returns (bytes memory) {
        Fixture storage fixture = _fixtureOf(model.isKzg);
        Case memory proven = fixture.cases[model.caseIndex];
        if (forged) proven.output[0] = bytes1(uint8(proven.output[0]) ^ 0x40);
        return abi.encodeCall(
            market.fulfill, (requestId, 0, provenInput(fixture, model.caseIndex), proven.output, proven.proof)
        );
    }

    function _refused(address who, bytes memory data, string memory reason) private {
        vm.prank(who);
        (bool success,) = address(market).call(data);
        assertFalse(success, reason);
        _count("refused");
    }

    function _refusedStake(address who, bytes memory data, string memory reason) private {
        vm.prank(who);
        (bool success,) = address(staking).call(data);
        assertFalse(success, reason);
        _count("refusedStake");
    }
}
