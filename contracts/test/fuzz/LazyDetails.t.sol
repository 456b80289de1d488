// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IDisputeCourt} from "../../src/interfaces/IDisputeCourt.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {LazyHashes} from "../../src/libraries/LazyHashes.sol";
import {LazyClaim, LazyLock, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice The market holds hashes only: whatever is shown, every member of it must be what was recorded.
contract LazyDetailsFuzz is LazyNetwork {
    /// @notice Of a claim, wherever it is shown.
    function testFuzz_everyMemberOfAClaimCounts(uint256 field, uint256 change) external {
        LazyClaim memory claim = honest();
        LazyClaim memory shown = _copy(claim);
        field = bound(field, 1, 15); // the id is where it is looked up
        _mutateClaim(shown, field, change);
        vm.assume(keccak256(abi.encode(shown)) != keccak256(abi.encode(claim)));
        bytes memory other = otherRecord(claim.requestId, LazyState.ANSWERED, LazyState.ANSWERED);
        commitTo(challenger, shown);
        nextBlock();
        vm.expectRevert(other);
        vm.prank(challenger);
        court.challenge(address(lazy), shown, SALT);
        vm.expectRevert(IDisputeCourt.DisputeCourt_NothingToSettle.selector);
        proveBy(executor, list(shown), packed, 0);
        pastWindow(claim);
        vm.expectRevert(other);
        lazy.finalize(shown, truth());
        vm.expectRevert(IRecordMarket.RecordMarket_NothingDone.selector);
        lazy.finalizeMany(list(shown));
        lazy.finalize(claim, "");
    }

    function testFuzz_everyMemberOfASlashedClaimCounts(uint256 field, uint256 change) external {
        LazyClaim memory claim = challenged(lie());
        LazyClaim memory shown = _copy(claim);
        field = bound(field, 1, 15);
        _mutateClaim(shown, field, change);
        vm.assume(keccak256(abi.encode(shown)) != keccak256(abi.encode(claim)));
        missDeadline(claim);
        LazyMoney memory before = lazyMoney();
        vm.expectRevert();
        court.slash(address(lazy), shown);
        assertNothingMoved(before);
        court.slash(address(lazy), claim);
    }

    function testFuzz_aClaimOfAnotherRequestIsNone(uint256 requestId) external {
        LazyClaim memory claim = honest();
        vm.assume(requestId != claim.requestId);
        claim.requestId = requestId;
        pastWindow(claim);
        vm.expectRevert(otherRecord(requestId, LazyState.NONE, LazyState.ANSWERED));
        lazy.finalize(claim, "");
    }

    function testFuzz_everyMemberOfALockCounts(uint256 field, uint256 change) external {
        LazyRequest memory request = wanted();
        LazyLock memory made = lockedBy(request, executor);
        LazyLock memory shown = abi.decode(abi.encode(made), (LazyLock));
        field = bound(field, 0, 4);
        if (field == 0) shown.executor = address(uint160(change));
        if (field == 1) shown.price = uint128(change);
        if (field == 2) shown.royaltyBps = uint16(change);
        if (field == 3) shown.lockBlock = uint64(change);
        if (field == 4) shown.lockDeadline = uint64(change);
        vm.assume(keccak256(abi.encode(shown)) != keccak256(abi.encode(made)));
        bytes memory other = otherRecord(idOf(request), LazyState.LOCKED, LazyState.LOCKED);
        vm.expectRevert(other);
        vm.prank(executor);
        lazy.fulfill(request, shown, truth());
        vm.warp(made.lockDeadline + 1);
        vm.expectRevert(other);
        vm.prank(executor);
        lazy.takeOver(request, shown, 0);
        vm.expectRevert(other);
        lazy.refundLocked(request, shown);
        lazy.refundLocked(request, made);
    }

    /// @notice Words that are too large for their member are another claim, not the same one.
    function testFuzz_wordsAreNotCutOff(uint256 word, uint256 high) external {
        uint8[11] memory narrow = [1, 2, 3, 7, 8, 9, 10, 11, 12, 14, 15];
        LazyClaim memory claim = honest();
        pastWindow(claim);
        bytes memory data = abi.encodeCall(lazy.finalizeMany, (list(claim)));
        // Selector, offset and length of the list, then the claim.
        uint256 at = 4 + 64 + 32 * uint256(narrow[bound(word, 0, 10)]);
        uint256 value;
        assembly ("memory-safe") {
            value := mload(add(add(data, 0x20), at))
        }
        high = bound(high, 1, type(uint64).max) << 192;
        vm.assume(value | high != value);
        value |= high;
        assembly ("memory-safe") {
            mstore(add(add(data, 0x20), at), value)
        }
        (bool success,) = address(lazy).call(data);
        assertFalse(success, "refused");
        assertLazy(claim.requestId, LazyState.ANSWERED);
    }

    /// @notice The library's three ways to hash are one.
    function testFuzz_hashesAreOfTheAbiEncoding(LazyClaim memory claim, LazyLock memory made) external view {
        bytes32 expected = keccak256(abi.encode(claim));
        assertEq(LazyHashes.hash(claim), expected, "in memory");
        assertEq(this.hashShown(claim), expected, "shown");
        assertEq(LazyHashes.hash(made), keccak256(abi.encode(made)), "lock");
    }

    function hashShown(LazyClaim calldata claim) external pure returns (bytes32) {
        return LazyHashes.hashShown(claim);
    }

    function _copy(LazyClaim memory claim) private pure returns (LazyClaim memory) {
        return abi.decode(abi.encode(claim), (LazyClaim));
    }

    function _mutateClaim(LazyClaim memory claim, uint256 field, uint256 change) private view {
        if (field == 1) claim.versionId = uint64(change);
        if (field == 2) claim.requester = address(uint160(change));
        if (field == 3) claim.executor = address(uint160(change));
        if (field == 4) claim.inputBinding = bytes32(change);
        if (field == 5) claim.inputDigest = bytes32(change);
        if (field == 6) claim.outputDigest = bytes32(change);
        if (field == 7) claim.price = uint128(change);
        if (field == 8) claim.royaltyBps = uint16(change);
        if (field == 9) claim.collateral = uint128(change);
        if (field == 10) claim.challengeDeadline = uint64(bound(change, block.timestamp + 10, type(uint64).max));
        if (field == 11) claim.responseWindow = uint32(change);
        if (field == 12) claim.auditBps = uint16(change);
        if (field == 13) claim.answeredBlock = uint64(change);
        if (field == 14) claim.callback = address(uint160(change));
        if (field == 15) claim.callbackGas = uint32(change);
    }
}
