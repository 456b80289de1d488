// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IHalo2Verifier} from "../../src/interfaces/IHalo2Verifier.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {IZkVerifier} from "../../src/interfaces/IZkVerifier.sol";
import {PackedTensor} from "../../src/libraries/PackedTensor.sol";
import {RequestParams} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice A publisher makes the key under an SRS whose secret he kept, and can then prove anything.
contract ForeignSrsKeyAttack is Network {
    Fixture internal foreign;

    function setUp() public override {
        super.setUp();
        loadFixture(foreign, "foreign_srs");
    }

    function test_attack_theKeyIsRefusedAndTheVersionUnusable() external {
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_ForeignSrs.selector, 20));
        verifier.registerVka(foreign.vka);

        // The registry pins whatever digest it is given; the market takes no money for it.
        vm.prank(builder);
        uint64 versionId = registry.publishVersion(modelId, publication(foreign, ROYALTY_BPS));
        RequestParams memory params = paramsFor(versionId, foreign, 0);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_VkaNotRegistered.selector, foreign.vkaDigest)
        );
        vm.prank(requester);
        market.request(params, "", "");
        bytes memory proof = foreign.cases[0].proof;
        vm.expectRevert(abi.encodeWithSelector(IZkVerifier.ZkVerifier_UnknownVka.selector, foreign.vkaDigest));
        verifier.verify(versionId, 0, foreign.cases[0].input, foreign.cases[0].output, proof);
    }

    /// @notice Why the check is needed: the shared verifier takes any key, and this proof is good under its own SRS.
    function test_theSharedVerifierAloneWouldAcceptIt() external {
        IHalo2Verifier(halo2).registerVka(foreign.vka);
        uint256[] memory instances = new uint256[](7);
        instances[0] = PackedTensor.FIELD_MODULUS - 0x73;
        instances[1] = 0x10a;
        instances[2] = 0x75;
        instances[3] = PackedTensor.FIELD_MODULUS - 0x55;
        instances[5] = 0x3219;
        instances[6] = 0xbe0;
        (bool success,) =
            halo2.call(abi.encodeCall(IHalo2Verifier.verifyProof, (foreign.cases[0].proof, instances, foreign.vka)));
        assertTrue(success, "a valid proof under the foreign SRS");
    }

    /// @notice Registering at the shared verifier directly does not get a key past `ZkVerifier`.
    function test_attack_registeringBehindTheVerifiersBack() external {
        IHalo2Verifier(halo2).registerVka(foreign.vka);
        assertFalse(verifier.isRegistered(foreign.vkaDigest), "unknown to ZkVerifier");
    }

    /// @notice The foreign key with the accepted words pasted in is another key, under which nothing verifies.
    function test_attack_pastingTheAcceptedSrsIntoTheKey() external {
        bytes32[] memory words = foreign.vka;
        bytes32[4] memory accepted = developmentG2();
        for (uint256 i = 0; i < 4; ++i) {
            words[20 + i] = accepted[i];
        }
        bytes32 digest = verifier.registerVka(words);
        foreign.vkaDigest = digest;
        vm.prank(builder);
        uint64 versionId = registry.publishVersion(modelId, publication(foreign, ROYALTY_BPS));
        bytes memory proof = foreign.cases[0].proof;
        vm.expectRevert(IZkVerifier.ZkVerifier_ProofRejected.selector);
        verifier.verify(versionId, 0, foreign.cases[0].input, foreign.cases[0].output, proof);
    }
}
