// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceMarket} from "../../src/InferenceMarket.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {SignedRequest} from "../../src/types/MarketTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice A signature is good for exactly what was signed, at one market of one chain, once.
contract SignedRequestsFuzz is Network {
    uint256 internal constant FIELDS = 17;

    function testFuzz_everyFieldCounts(uint256 field, uint256 change) external {
        field = bound(field, 0, FIELDS - 1);
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), 1);
        bytes32 before = keccak256(abi.encode(signed));
        uint256 id = market.idOf(signed);
        if (field < 9) _mutateFirst(signed, field, change);
        else _mutateRest(signed, field, change);
        vm.assume(keccak256(abi.encode(signed)) != before);
        uint256 other = market.idOf(signed);
        assertTrue(other != id, "another digest");
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_InvalidSignature.selector, other, signed.requester)
        );
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
    }

    function testFuzz_everyBitOfTheSignatureCounts(uint256 bit) external {
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), 1);
        bit = bound(bit, 0, 65 * 8 - 1);
        signature[bit / 8] ^= bytes1(uint8(1 << (bit % 8)));
        vm.expectPartialRevert(IInferenceMarket.InferenceMarket_InvalidSignature.selector);
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
    }

    function testFuzz_anotherChainRefuses(uint64 chainId) external {
        vm.assume(chainId != 0 && chainId != block.chainid);
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), 1);
        vm.chainId(chainId); // the same contracts, as after a fork of the chain
        vm.expectPartialRevert(IInferenceMarket.InferenceMarket_InvalidSignature.selector);
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
    }

    function test_anotherMarketRefuses() external {
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), 1);
        InferenceMarket other = new InferenceMarket(
            address(token), address(registry), address(verifier), address(staking), address(validator), limits()
        );
        vm.expectPartialRevert(IInferenceMarket.InferenceMarket_InvalidSignature.selector);
        vm.prank(executor);
        other.lockSigned(signed, signature, 0, 0);
    }

    /// @notice The hash by the letter of EIP-712, one word per member.
    function testFuzz_theIdIsTheEip712Digest(uint256 nonce, string calldata hint, uint88 price, address account)
        external
        view
    {
        SignedRequest memory signed = unsignedRequest(account, packedParams(), nonce);
        (signed.inputHint, signed.params.maxPrice) = (hint, price);
        bytes memory head = abi.encode(
            keccak256(
                "InferenceRequest(address requester,uint64 versionId,uint8 mode,bytes32 inputDigest,bytes32 inputBinding,uint128 maxPrice,uint128 minPrice,uint64 rampStart,uint32 rampLength,uint128 collateral,uint64 deadline,uint32 lockDuration,address executor,address callback,uint32 callbackGas,uint256 nonce,string inputHint)"
            ),
            account,
            signed.params.versionId,
            signed.params.mode,
            signed.params.inputDigest,
            signed.params.inputBinding
        );
        bytes memory middle = abi.encode(
            signed.params.maxPrice,
            signed.params.minPrice,
            signed.params.rampStart,
            signed.params.rampLength,
            signed.params.collateral,
            signed.params.deadline
        );
        bytes memory tail = abi.encode(
            signed.params.lockDuration,
            signed.params.executor,
            signed.params.callback,
            signed.params.callbackGas,
            nonce,
            keccak256(bytes(hint))
        );
        bytes32 structHash = keccak256(bytes.concat(head, middle, tail));
        bytes32 separator = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Gateless InferenceMarket"),
                keccak256("1"),
                block.chainid,
                address(market)
            )
        );
        assertEq(
            market.idOf(signed), uint256(keccak256(abi.encodePacked("\x19\x01", separator, structHash))), "the digest"
        );
    }

    function _mutateFirst(SignedRequest memory signed, uint256 field, uint256 change) private pure {
        if (field == 0) signed.requester = address(uint160(change));
        if (field == 1) signed.params.versionId = uint64(change);
        if (field == 2) signed.params.mode = TrustMode(change % 4);
        if (field == 3) signed.params.inputDigest = bytes32(change);
        if (field == 4) signed.params.inputBinding = bytes32(change);
        if (field == 5) signed.params.maxPrice = uint128(change);
        if (field == 6) signed.params.minPrice = uint128(change);
        if (field == 7) signed.params.rampStart = uint64(change);
        if (field == 8) signed.params.rampLength = uint32(change);
    }

    function _mutateRest(SignedRequest memory signed, uint256 field, uint256 change) private pure {
        if (field == 9) signed.params.collateral = uint128(change);
        if (field == 10) signed.params.deadline = uint64(change);
        if (field == 11) signed.params.lockDuration = uint32(change);
        if (field == 12) signed.params.executor = address(uint160(change));
        if (field == 13) signed.params.callback = address(uint160(change));
        if (field == 14) signed.params.callbackGas = uint32(change);
        if (field == 15) signed.nonce = change;
        if (field == 16) signed.inputHint = vm.toString(change);
    }
}
