// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IHalo2Verifier} from "../../src/interfaces/IHalo2Verifier.sol";
import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {PackedTensor} from "../../src/libraries/PackedTensor.sol";
import {RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice Bytes after the proof make many proofs of one, each with a hash of its own.
contract TrailingProofBytesAttack is Network {
    function test_attack_onlyTheExactLengthIsAccepted() external {
        uint256 requestId = openLocked();
        bytes memory input = packed.cases[0].input;
        bytes memory output = packed.cases[0].output;
        bytes[4] memory trailing =
            [bytes(hex"00"), abi.encode(0), abi.encode(type(uint256).max), bytes.concat(packed.cases[1].proof)];
        for (uint256 i = 0; i < trailing.length; ++i) {
            bytes memory long = bytes.concat(packed.cases[0].proof, trailing[i]);
            vm.expectRevert(
                abi.encodeWithSelector(IZkVerifier.ZkVerifier_ProofLength.selector, long.length, packed.proofLength)
            );
            vm.prank(executor);
            market.fulfill(requestId, 0, input, output, long);
        }
        bytes memory short = new bytes(packed.proofLength - 32);
        vm.expectRevert(
            abi.encodeWithSelector(IZkVerifier.ZkVerifier_ProofLength.selector, short.length, packed.proofLength)
        );
        vm.prank(executor);
        market.fulfill(requestId, 0, input, output, short);
        fulfillBy(executor, requestId, packed, 0);
        assertState(requestId, RequestState.PAID);
    }

    /// @notice Why the check is needed: the shared verifier itself takes words after the proof.
    function test_theSharedVerifierAloneWouldAcceptThem() external {
        uint256[] memory instances = new uint256[](7);
        instances[0] = PackedTensor.FIELD_MODULUS - 0x73;
        instances[1] = 0x10a;
        instances[2] = 0x75;
        instances[3] = PackedTensor.FIELD_MODULUS - 0x55;
        instances[5] = 0x3219;
        instances[6] = 0xbe0;
        bytes memory long = bytes.concat(packed.cases[0].proof, abi.encode(1));
        (bool success,) = halo2.call(abi.encodeCall(IHalo2Verifier.verifyProof, (long, instances, packed.vka)));
        assertTrue(success, "if ezkl ever checks this itself, the pinned length can be reconsidered");
    }
}
