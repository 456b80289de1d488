// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ZkVerifier} from "../../src/ZkVerifier.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {FreeVerifier} from "../FreeVerifier.t.sol";
import {Network} from "../Network.t.sol";

/// @notice A version whose proofs are too large for a transaction can be requested, locked and proven, but not
/// answered: an honest executor would lose his collateral. A batch is nobody's duty, but one that nobody can use is not
/// published
/// either.
contract ProofTooLargeAttack is Network {
    uint256 internal constant TRANSACTION_GAS = 1 << 24; // EIP-7825
    uint256 internal constant ROWS = 128;
    uint256 internal constant WORDS = 8192;
    uint256 internal constant VALUES = 24_576;
    uint256 internal constant LENGTH = 65_536;

    function test_attack_moreWordsThanATransactionVerifies() external {
        VersionParams memory params = publication(kzg, 0);
        params.ioSchema = _schema(1, 12, 1, uint32(WORDS) + 1);
        _refused(params, WORDS + 1, WORDS + 1, WORDS + 1);
        params.ioSchema = _schema(1, 12, 1, type(uint32).max);
        _refused(params, type(uint32).max, type(uint32).max, type(uint32).max);
        params.ioSchema = _schema(1, 12, 1, uint32(WORDS));
        _accepted(params);
    }

    function test_attack_moreBytesThanATransactionCarries() external {
        VersionParams memory params = publication(kzg, 0);
        params.ioSchema = _schema(1, 12, 16, 4097);
        _refused(params, 4097, 4097, LENGTH + 16);
        params.ioSchema = _schema(1, 12, 16, 4096);
        _accepted(params);
    }

    /// @notice Public inputs are values and bytes like outputs; committed ones are neither.
    function test_attack_inputsCountWhereTheyArePublic() external {
        VersionParams memory params = publication(packed, 0);
        params.ioSchema = _schema(2, 8190, 4, 3);
        _refused(params, WORDS + 1, WORDS + 1, 2 * 8190 + 12);
        params.ioSchema = _schema(16, 4090, 16, 7);
        _refused(params, 4097, 4097, LENGTH + 16);
        params.ioSchema = _schema(16, 4090, 16, 6);
        _accepted(params);
        params.binding = kzg.binding;
        params.ioSchema = _schema(16, 1 << 20, 4, 3);
        _accepted(params);
    }

    /// @notice Dense words save words, not values: each is still unpacked.
    function test_attack_moreValuesThanDenseWordsMayHold() external {
        VersionParams memory params = publication(packed, 0);
        (params.circuits[0].digitBits, params.circuits[0].digitsPerWord) = (8, 31);
        params.ioSchema = _schema(1, uint32(VALUES), 1, 1);
        _refused(params, 794, VALUES + 1, VALUES + 1);
        params.ioSchema = _schema(1, uint32(VALUES) - 1, 1, 1);
        _accepted(params);
        // A short last word is a word.
        (params.circuits[0].digitBits, params.circuits[0].digitsPerWord) = (8, 2);
        params.ioSchema = _schema(1, 2 * 8190 + 1, 1, 4);
        _refused(params, WORDS + 1, 2 * 8190 + 5, 2 * 8190 + 5);
        params.ioSchema = _schema(1, 2 * 8190, 1, 4);
        _accepted(params);
    }

    /// @notice A batch counts with all its rows.
    function test_attack_aBatchOfRowsThatFitOnlyAlone() external {
        VersionParams memory params = publication(packed, 0);
        params.circuits[0].batchSize = 64;
        params.ioSchema = _schema(1, 125, 1, 4);
        _refused(params, 64 * 129, 64 * 129, 64 * 129);
        params.ioSchema = _schema(1, 124, 1, 4);
        _accepted(params);
        params.ioSchema = _schema(16, 61, 16, 4);
        _refused(params, 64 * 65, 64 * 65, 64 * 65 * 16);
        params.ioSchema = _schema(16, 60, 16, 4);
        _accepted(params);
        (params.circuits[0].digitBits, params.circuits[0].digitsPerWord) = (8, 31);
        params.ioSchema = _schema(1, 381, 1, 4);
        _refused(params, 64 * 14, 64 * 385, 64 * 385);
        params.ioSchema = _schema(1, 380, 1, 4);
        _accepted(params);
    }

    function test_attack_moreRowsThanATransactionSettles() external {
        VersionParams memory params = publication(packed, 0);
        params.circuits[0].batchSize = uint32(ROWS) + 1;
        _refusedBatch(params, ROWS + 1);
        params.circuits[0].batchSize = type(uint32).max;
        _refusedBatch(params, type(uint32).max);
        params.circuits[0].batchSize = uint32(ROWS);
        params.ioSchema = _schema(1, 60, 1, 4);
        _accepted(params);
    }

    /// @notice Where nothing is proven, nothing is delivered to a verifier.
    function test_modesWithoutProofsAreNotBound() external {
        VersionParams memory params = publication(packed, 0);
        params.ioSchema = _schema(2, 1 << 20, 4, 3);
        params.modes = 12; // QUORUM and ATTESTED
        _accepted(params);
        params.modes = 12 | 2; // LAZY_ZK may need a proof
        _refused(params, (1 << 20) + 3, (1 << 20) + 3, (1 << 21) + 12);
    }

    /// @notice A row at the bounds can be answered. `ZkVerifier`'s own share is measured, with a verifier that costs
    /// nothing. ezkl's is an estimate from the snapshots: a public word costs 1,035 gas, larger circuit and calldata
    /// included; 1,080 are taken, and 600,000 for a whole fulfilment without values. Calldata is counted at 16 gas a
    /// byte; at the floor of EIP-7623, 40, it is 2.6 million on its own.
    function test_aRowAtTheBoundFitsATransaction() external {
        ZkVerifier free = _freeVerifier();
        VersionParams memory params = publication(kzg, 0);
        params.ioSchema = _schema(1, 12, 8, uint32(WORDS));
        uint256 ofOutputs = _measure(free, params, "", new bytes(LENGTH), kzg.cases[0].proof);
        params = publication(packed, 0);
        params.ioSchema = _schema(8, uint32(WORDS) / 2, 8, uint32(WORDS) / 2);
        uint256 ofBoth = _measure(free, params, new bytes(LENGTH / 2), new bytes(LENGTH / 2), packed.cases[0].proof);
        uint256 measured = ofOutputs > ofBoth ? ofOutputs : ofBoth;
        assertLe(measured, 2_000_000, "unpacking, memory and the call");
        uint256 estimate = 600_000 + measured + WORDS * 1080 + LENGTH * 16;
        assertLe(estimate, TRANSACTION_GAS, "a fulfilment");
    }

    /// @notice So can a batch of as many rows, words, values and bytes as there may be, callbacks apart. The market's
    /// books take less than 20,000 gas a request (`unit/BatchGas.t.sol`).
    function test_aBatchAtTheBoundsFitsATransaction() external {
        ZkVerifier free = _freeVerifier();
        VersionParams memory params = publication(packed, 0);
        params.circuits[0].batchSize = uint32(ROWS);
        // 3 values a word: 128 rows of 189 + 3 values in 63 + 1 words. They have 2 bytes each, and make fewer than may
        // be.
        (params.circuits[0].digitBits, params.circuits[0].digitsPerWord) = (84, 3);
        params.ioSchema = _schema(2, 189, 2, 3);
        uint256 measured = _measure(free, params, new bytes(ROWS * 378), new bytes(ROWS * 6), packed.cases[0].proof);
        assertLe(measured, 3_600_000, "packing, memory and the call");
        uint256 estimate = 600_000 + measured + WORDS * 1080 + LENGTH * 16 + ROWS * 20_000;
        assertLe(estimate, TRANSACTION_GAS, "a fulfilment");
    }

    function _freeVerifier() private returns (ZkVerifier free) {
        free = new ZkVerifier(address(registry), address(new FreeVerifier()), developmentG2());
        free.registerVka(kzg.vka);
        free.registerVka(packed.vka);
    }

    function _measure(
        ZkVerifier free,
        VersionParams memory params,
        bytes memory input,
        bytes memory output,
        bytes memory proof
    ) private returns (uint256 used) {
        vm.prank(builder);
        uint64 versionId = registry.publishVersion(modelId, params);
        bytes memory data = abi.encodeCall(free.verify, (versionId, 0, input, output, proof));
        if (params.circuits[0].batchSize != 1) {
            data = abi.encodeCall(free.verifyBatch, (versionId, 0, input, output, proof));
        }
        used = gasleft();
        (bool success,) = address(free).staticcall(data);
        used -= gasleft();
        assertTrue(success, "unpacked");
    }

    function _schema(uint8 widthIn, uint32 countIn, uint8 widthOut, uint32 countOut)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(hex"0101", widthIn, int8(7), countIn, widthOut, int8(7), countOut);
    }

    function _accepted(VersionParams memory params) private {
        vm.prank(builder);
        registry.publishVersion(modelId, params);
    }

    function _refused(VersionParams memory params, uint256 words, uint256 values, uint256 length) private {
        vm.expectRevert(
            abi.encodeWithSelector(IModelRegistry.ModelRegistry_ProofTooLarge.selector, 0, words, values, length)
        );
        vm.prank(builder);
        registry.publishVersion(modelId, params);
    }

    function _refusedBatch(VersionParams memory params, uint256 batchSize) private {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_BatchTooLarge.selector, 0, batchSize));
        vm.prank(builder);
        registry.publishVersion(modelId, params);
    }
}
