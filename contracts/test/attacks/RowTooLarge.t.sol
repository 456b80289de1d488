// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ZkVerifier} from "../../src/ZkVerifier.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {Network} from "../Network.t.sol";

/// @dev Takes every key and every proof, for next to no gas: what is measured is `ZkVerifier` alone.
contract FreeVerifier {
    fallback() external {
        assembly ("memory-safe") {
            mstore(0, 1)
            return(0, 32)
        }
    }
}

/// @notice A version whose row is too large for a transaction can be requested, locked and proven, but not answered: an
/// honest executor would lose his collateral.
contract RowTooLargeAttack is Network {
    uint256 internal constant TRANSACTION_GAS = 1 << 24; // EIP-7825
    uint256 internal constant VALUES = 8192;
    uint256 internal constant LENGTH = 65_536;

    function test_attack_moreValuesThanATransactionVerifies() external {
        VersionParams memory params = publication(kzg, 0);
        params.ioSchema = _schema(1, 12, 1, uint32(VALUES) + 1);
        _refused(params, VALUES + 1, VALUES + 1);
        params.ioSchema = _schema(1, 12, 1, type(uint32).max);
        _refused(params, type(uint32).max, type(uint32).max);
        params.ioSchema = _schema(1, 12, 1, uint32(VALUES));
        _accepted(params);
    }

    function test_attack_moreBytesThanATransactionCarries() external {
        VersionParams memory params = publication(kzg, 0);
        params.ioSchema = _schema(1, 12, 16, 4097);
        _refused(params, 4097, LENGTH + 16);
        params.ioSchema = _schema(1, 12, 16, 4096);
        _accepted(params);
    }

    /// @notice Public inputs are values and bytes like outputs; committed ones are neither.
    function test_attack_inputsCountWhereTheyArePublic() external {
        VersionParams memory params = publication(packed, 0);
        params.ioSchema = _schema(2, 8190, 4, 3);
        _refused(params, VALUES + 1, 2 * 8190 + 12);
        params.ioSchema = _schema(16, 4090, 16, 7);
        _refused(params, 4097, LENGTH + 16);
        params.ioSchema = _schema(16, 4090, 16, 6);
        _accepted(params);
        params.binding = kzg.binding;
        params.ioSchema = _schema(16, 1 << 20, 4, 3);
        _accepted(params);
    }

    /// @notice Where nothing is proven, nothing is delivered to a verifier.
    function test_modesWithoutProofsAreNotBound() external {
        VersionParams memory params = publication(packed, 0);
        params.ioSchema = _schema(2, 1 << 20, 4, 3);
        params.modes = 12; // QUORUM and ATTESTED
        _accepted(params);
        params.modes = 12 | 2; // LAZY_ZK may need a proof
        _refused(params, (1 << 20) + 3, (1 << 21) + 12);
    }

    /// @notice A row at both bounds can be answered. `ZkVerifier`'s own share is measured, with a verifier that costs
    /// nothing. ezkl's is an estimate from the snapshots: between the fixtures of 7 and of 74 values, a fulfilment
    /// grows by 1,035 gas a value, larger circuit and calldata included; 1,080 are taken, and 600,000 for a whole
    /// fulfilment
    /// without values. Calldata is counted at 16 gas a byte; at the floor of EIP-7623, 40, it is 2.6 million on its
    /// own.
    function test_aRowAtTheBoundFitsATransaction() external {
        ZkVerifier free = new ZkVerifier(address(registry), address(new FreeVerifier()), developmentG2());
        free.registerVka(kzg.vka);
        free.registerVka(packed.vka);
        VersionParams memory params = publication(kzg, 0);
        params.ioSchema = _schema(1, 12, 8, uint32(VALUES));
        uint256 ofOutputs = _measure(free, params, "", new bytes(LENGTH), kzg.cases[0].proof);
        params = publication(packed, 0);
        params.ioSchema = _schema(8, uint32(VALUES) / 2, 8, uint32(VALUES) / 2);
        uint256 ofBoth = _measure(free, params, new bytes(LENGTH / 2), new bytes(LENGTH / 2), packed.cases[0].proof);
        uint256 measured = ofOutputs > ofBoth ? ofOutputs : ofBoth;
        assertLe(measured, 2_000_000, "unpacking, memory and the call");
        uint256 estimate = 600_000 + measured + VALUES * 1080 + LENGTH * 16;
        assertLe(estimate, TRANSACTION_GAS, "a fulfilment");
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

    function _refused(VersionParams memory params, uint256 values, uint256 length) private {
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_RowTooLarge.selector, values, length));
        vm.prank(builder);
        registry.publishVersion(modelId, params);
    }
}
