// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {LazyRequest} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice A signature is good for exactly what was signed, at one market of one chain, once.
contract LazySignaturesFuzz is LazyNetwork {
    uint256 internal constant FIELDS = 19;

    function testFuzz_everyFieldCounts(uint256 field, uint256 change) external {
        field = bound(field, 0, FIELDS - 1);
        LazyRequest memory request = wanted();
        bytes memory signature = signatureFor(request);
        bytes32 before = keccak256(abi.encode(request));
        uint256 id = idOf(request);
        if (field < 10) _mutateFirst(request, field, change);
        else _mutateRest(request, field, change);
        vm.assume(keccak256(abi.encode(request)) != before);
        uint256 other = idOf(request);
        assertTrue(other != id, "another id");
        vm.expectRevert(
            abi.encodeWithSelector(IRecordMarket.RecordMarket_InvalidSignature.selector, other, request.requester)
        );
        vm.prank(executor);
        lazy.lockSigned(request, signature, 0, 0);
    }

    function testFuzz_everyBitOfTheSignatureCounts(uint256 bit) external {
        LazyRequest memory request = wanted();
        bytes memory signature = signatureFor(request);
        bit = bound(bit, 0, 65 * 8 - 1);
        signature[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        vm.expectPartialRevert(IRecordMarket.RecordMarket_InvalidSignature.selector);
        vm.prank(executor);
        lazy.lockSigned(request, signature, 0, 0);
    }

    function testFuzz_otherLengthsAreNoSignature(bytes calldata more) external {
        vm.assume(more.length != 0);
        LazyRequest memory request = wanted();
        bytes memory signature = bytes.concat(signatureFor(request), more);
        vm.expectPartialRevert(IRecordMarket.RecordMarket_InvalidSignature.selector);
        vm.prank(executor);
        lazy.lockSigned(request, signature, 0, 0);
    }

    /// @notice The id by the letter of EIP-712, one word per member.
    function testFuzz_theIdIsTheEip712Digest(LazyRequest memory request) external view {
        bytes memory head = abi.encode(
            keccak256(
                "LazyInferenceRequest(address requester,uint64 versionId,bytes32 inputDigest,bytes32 inputBinding,uint128 maxPrice,uint128 minPrice,uint64 rampStart,uint32 rampLength,uint128 collateral,uint64 deadline,uint32 lockDuration,uint32 challengeWindow,uint32 responseWindow,uint16 auditBps,address executor,address callback,uint32 callbackGas,uint256 nonce,string inputHint)"
            ),
            request.requester,
            request.versionId,
            request.inputDigest,
            request.inputBinding,
            request.maxPrice,
            request.minPrice,
            request.rampStart,
            request.rampLength,
            request.collateral,
            request.deadline
        );
        bytes memory tail = abi.encode(
            request.lockDuration,
            request.challengeWindow,
            request.responseWindow,
            request.auditBps,
            request.executor,
            request.callback,
            request.callbackGas,
            request.nonce,
            keccak256(bytes(request.inputHint))
        );
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Gateless LazyMarket"),
                keccak256("1"),
                block.chainid,
                address(lazy)
            )
        );
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", separator, keccak256(bytes.concat(head, tail))));
        assertEq(lazy.idOf(request), uint256(digest), "the digest");
    }

    function _mutateFirst(LazyRequest memory request, uint256 field, uint256 change) private pure {
        if (field == 0) request.requester = address(uint160(change));
        if (field == 1) request.versionId = uint64(change);
        if (field == 2) request.inputDigest = bytes32(change);
        if (field == 3) request.inputBinding = bytes32(change);
        if (field == 4) request.maxPrice = uint128(change);
        if (field == 5) request.minPrice = uint128(change);
        if (field == 6) request.rampStart = uint64(change);
        if (field == 7) request.rampLength = uint32(change);
        if (field == 8) request.collateral = uint128(change);
        if (field == 9) request.deadline = uint64(change);
    }

    function _mutateRest(LazyRequest memory request, uint256 field, uint256 change) private pure {
        if (field == 10) request.lockDuration = uint32(change);
        if (field == 11) request.challengeWindow = uint32(change);
        if (field == 12) request.responseWindow = uint32(change);
        if (field == 13) request.auditBps = uint16(change);
        if (field == 14) request.executor = address(uint160(change));
        if (field == 15) request.callback = address(uint160(change));
        if (field == 16) request.callbackGas = uint32(change);
        if (field == 17) request.nonce = change;
        if (field == 18) request.inputHint = vm.toString(change);
    }
}
