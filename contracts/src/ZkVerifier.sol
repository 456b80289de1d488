// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IHalo2Verifier} from "./interfaces/IHalo2Verifier.sol";
import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {IZkVerifier} from "./interfaces/IZkVerifier.sol";
import {CodeStore} from "./libraries/CodeStore.sol";
import {IoSchema} from "./libraries/IoSchema.sol";
import {PublicWords} from "./libraries/PublicWords.sol";
import {Circuit, CircuitRole, InputBinding, ProofTarget} from "./types/ModelTypes.sol";

/// @title Verification of ezkl proofs for registered versions
/// @notice Stateless but for the stored keys; holds no funds and calls nothing but the registry and the shared
/// verifier.
contract ZkVerifier is IZkVerifier {
    /// @dev A VKA is longer than this; words 14 to 23 are read before anything else is believed.
    uint256 private constant MIN_VKA_WORDS = 32;
    uint256 private constant SRS_WORD = 14;
    // The BN254 generators as the VKA spells them, https://eips.ethereum.org/EIPS/eip-197.
    bytes32 private constant G1_X = bytes32(uint256(1));
    bytes32 private constant G1_Y = bytes32(uint256(2));
    bytes32 private constant G2_X1 = 0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2;
    bytes32 private constant G2_X0 = 0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed;
    bytes32 private constant G2_Y1 = 0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b;
    bytes32 private constant G2_Y0 = 0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa;
    /// @dev Bytes of one KZG commitment.
    uint256 private constant COMMITMENT_LENGTH = 64;
    /// @dev Where a VKA keeps k: its circuit has 2^k rows.
    uint256 private constant K_WORD = 5;
    /// @dev The scalar field has no larger domain: 2^28 divides r - 1, 2^29 does not.
    uint256 private constant MAX_K = 28;
    /// @dev Rows of a column in which no element of a committed tensor may be: halo2 blinds `blinding_factors() + 1`,
    /// which is 6 in ezkl's circuits, and ezkl keeps two more free. Measured with ezkl 23.0.5 at k = 8, one tensor and
    /// two: 248 elements have one commitment each in the proof, 249 have two. One row more is kept for safety.
    uint256 private constant RESERVED_ROWS = 9;

    IModelRegistry private immutable REGISTRY;
    IHalo2Verifier private immutable HALO2_VERIFIER;
    bytes32 private immutable ACCEPTED_G2_0;
    bytes32 private immutable ACCEPTED_G2_1;
    bytes32 private immutable ACCEPTED_G2_2;
    bytes32 private immutable ACCEPTED_G2_3;

    mapping(bytes32 vkaDigest => address pointer) private _pointers;

    constructor(address registry_, address halo2Verifier_, bytes32[4] memory acceptedG2_) {
        // Check: both parts are contracts.
        if (registry_.code.length == 0) revert ZkVerifier_NoCodeAt(registry_);
        if (halo2Verifier_.code.length == 0) revert ZkVerifier_NoCodeAt(halo2Verifier_);
        // Effect
        REGISTRY = IModelRegistry(registry_);
        HALO2_VERIFIER = IHalo2Verifier(halo2Verifier_);
        ACCEPTED_G2_0 = acceptedG2_[0];
        ACCEPTED_G2_1 = acceptedG2_[1];
        ACCEPTED_G2_2 = acceptedG2_[2];
        ACCEPTED_G2_3 = acceptedG2_[3];
    }

    /// @inheritdoc IZkVerifier
    function registerVka(bytes32[] calldata vka) external returns (bytes32 vkaDigest) {
        // Check: length, then that the key lives under the accepted SRS.
        if (vka.length < MIN_VKA_WORDS) revert ZkVerifier_VkaTooShort(vka.length);
        if (vka.length > CodeStore.MAX_WORDS) revert ZkVerifier_VkaTooLong(vka.length);
        _checkSrs(vka);
        vkaDigest = keccak256(abi.encodePacked(vka));
        if (_pointers[vkaDigest] != address(0)) return vkaDigest;

        // Effect
        address pointer = CodeStore.write(vka);
        _pointers[vkaDigest] = pointer;
        emit VkaRegistered(vkaDigest, pointer, vka.length);

        // Interaction: the shared verifier only believes keys it has seen. It is generated, immutable and calls nobody.
        HALO2_VERIFIER.registerVka(vka);
    }

    /// @inheritdoc IZkVerifier
    function verify(
        uint64 versionId,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external view returns (bytes32 inputBinding) {
        ProofTarget memory target = REGISTRY.proofTarget(versionId, circuitIndex);
        // Check: a batch proof covers many inferences and cannot answer one.
        if (target.batchSize != 1) revert ZkVerifier_UnsupportedBatch(target.batchSize);
        _verify(target, input, output, proof);
        if (target.binding == InputBinding.PACKED) return keccak256(input);
        return keccak256(proof[:IoSchema.inputCount(target.ioSchema) * COMMITMENT_LENGTH]);
    }

    /// @inheritdoc IZkVerifier
    function verifyBatch(
        uint64 versionId,
        uint256 circuitIndex,
        bytes calldata inputs,
        bytes calldata outputs,
        bytes calldata proof
    ) external view returns (bytes32[] memory inputBindings) {
        ProofTarget memory target = REGISTRY.proofTarget(versionId, circuitIndex);
        // Check: rows have inputs of their own. One commitment covers all of a batch.
        if (target.binding != InputBinding.PACKED) revert ZkVerifier_BatchNotPacked();
        _verify(target, inputs, outputs, proof);
        return _hashRows(inputs, target.batchSize);
    }

    /// @inheritdoc IZkVerifier
    function isRegistered(bytes32 vkaDigest) external view returns (bool) {
        return _pointers[vkaDigest] != address(0);
    }

    /// @inheritdoc IZkVerifier
    function rowKey(uint64 versionId) external view returns (bytes32 vkaDigest, bool stored) {
        Circuit[] memory circuits = REGISTRY.circuits(versionId);
        for (uint256 i = 0; i < circuits.length; ++i) {
            if (circuits[i].batchSize != 1 || circuits[i].role != CircuitRole.WHOLE) continue;
            // The registry refuses a second one.
            return (circuits[i].vkaDigest, _pointers[circuits[i].vkaDigest] != address(0));
        }
    }

    /// @inheritdoc IZkVerifier
    function vkaPointer(bytes32 vkaDigest) external view returns (address) {
        return _pointers[vkaDigest];
    }

    /// @inheritdoc IZkVerifier
    function registry() external view returns (address) {
        return address(REGISTRY);
    }

    /// @inheritdoc IZkVerifier
    function halo2Verifier() external view returns (address) {
        return address(HALO2_VERIFIER);
    }

    /// @inheritdoc IZkVerifier
    function acceptedG2() external view returns (bytes32[4] memory) {
        return [ACCEPTED_G2_0, ACCEPTED_G2_1, ACCEPTED_G2_2, ACCEPTED_G2_3];
    }

    /// @dev Words 14 to 23: the G1 generator, the G2 generator, and -[s]G2 of the SRS. All three enter the pairing, so
    /// all three are pinned.
    function _checkSrs(bytes32[] calldata vka) private view {
        bytes32[10] memory expected =
            [G1_X, G1_Y, G2_X1, G2_X0, G2_Y1, G2_Y0, ACCEPTED_G2_0, ACCEPTED_G2_1, ACCEPTED_G2_2, ACCEPTED_G2_3];
        for (uint256 i = 0; i < expected.length; ++i) {
            if (vka[SRS_WORD + i] != expected[i]) revert ZkVerifier_ForeignSrs(SRS_WORD + i);
        }
    }

    function _pointerOf(bytes32 vkaDigest) private view returns (address pointer) {
        pointer = _pointers[vkaDigest];
        if (pointer == address(0)) revert ZkVerifier_UnknownVka(vkaDigest);
    }

    /// @dev Reverts unless `proof` proves that `output`, all rows of it, follows from `input`.
    function _verify(ProofTarget memory target, bytes calldata input, bytes calldata output, bytes calldata proof)
        private
        view
    {
        // Check: the shared verifier ignores words after the proof, so the exact length is checked here.
        if (proof.length != target.proofLength) revert ZkVerifier_ProofLength(proof.length, target.proofLength);
        PublicWords.Spelling memory spelling =
            PublicWords.Spelling(target.batchSize, target.digitBits, target.digitsPerWord);
        uint256 instances = _checkTensors(target, spelling, input, output);

        // Check: the commitments that bind the input are all that there are.
        address pointer = _pointerOf(target.vkaDigest);
        if (target.binding == InputBinding.KZG) _checkColumns(target.ioSchema, CodeStore.wordAt(pointer, K_WORD));

        // Check: the proof itself.
        (uint256 start, uint256 length, uint256 instancesAt) = _layOut(proof, instances, pointer);
        _writeInstances(target, spelling, input, output, instancesAt);
        _callHalo2(start, length);
    }

    /// @dev Exact lengths of input and output; the number of public words of the circuit.
    function _checkTensors(
        ProofTarget memory target,
        PublicWords.Spelling memory spelling,
        bytes calldata input,
        bytes calldata output
    ) private pure returns (uint256 instances) {
        bytes memory schema = target.ioSchema;
        uint256 inputs = IoSchema.inputCount(schema);
        uint256 tensors = inputs + IoSchema.outputCount(schema);
        (uint256 outputWords,, uint256 outputLength) = PublicWords.extent(spelling, schema, inputs, tensors);
        uint256 inputWords;
        uint256 inputLength;
        if (target.binding == InputBinding.PACKED) {
            (inputWords,, inputLength) = PublicWords.extent(spelling, schema, 0, inputs);
        }
        // Check: to the byte. Under `KZG` the proof itself carries what binds the input.
        if (input.length != inputLength) revert ZkVerifier_InputLength(input.length, inputLength);
        if (output.length != outputLength) revert ZkVerifier_OutputLength(output.length, outputLength);
        instances = inputWords + outputWords;
    }

    /// @dev keccak256 of each of the equally long rows; they make the whole length, which was checked.
    /// Assembly, because a slice of calldata per row costs three times the gas (measured, see `contracts/snapshots`).
    /// - The rows are copied once, behind the free memory pointer, where nothing lives and nothing is kept.
    /// - Writes stay in the array, one word per row.
    function _hashRows(bytes calldata packed, uint256 rows) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](rows);
        uint256 rowLength = packed.length / rows;
        assembly ("memory-safe") {
            let row := mload(0x40)
            let rowsEnd := add(row, packed.length)
            calldatacopy(row, packed.offset, packed.length)
            for { let at := add(hashes, 0x20) } lt(row, rowsEnd) { at := add(at, 0x20) } {
                mstore(at, keccak256(row, rowLength))
                row := add(row, rowLength)
            }
        }
    }

    /// @dev A tensor that does not fit one column has several commitments in the proof. Only the first would be bound,
    /// and what the others commit to would be the executor's choice.
    function _checkColumns(bytes memory schema, uint256 k) private pure {
        // A word that is no k has no rows: nothing fits.
        uint256 rows = k > MAX_K ? 0 : 1 << k;
        uint256 inputs = IoSchema.inputCount(schema);
        for (uint256 i = 0; i < inputs; ++i) {
            (, uint256 elements) = IoSchema.tensor(schema, i);
            if (elements + RESERVED_ROWS > rows) revert ZkVerifier_TensorOverSeveralColumns(elements, rows);
        }
    }

    /// @dev Public words in the circuits' order: inputs where they are public, then outputs.
    function _writeInstances(
        ProofTarget memory target,
        PublicWords.Spelling memory spelling,
        bytes calldata input,
        bytes calldata output,
        uint256 destination
    ) private pure {
        bytes memory schema = target.ioSchema;
        uint256 inputs = IoSchema.inputCount(schema);
        if (target.binding == InputBinding.PACKED) {
            destination = PublicWords.write(spelling, input, schema, 0, inputs, destination);
        }
        uint256 tensors = inputs + IoSchema.outputCount(schema);
        PublicWords.write(spelling, output, schema, inputs, tensors, destination);
        // Check: a digit of an output that was cut off at zero is no answer.
        if (spelling.digitBits != 0 && PublicWords.holdsLowest(spelling, output, schema, inputs, tensors)) {
            revert ZkVerifier_OutputCutOff();
        }
    }

    /// @dev Lays out `verifyProof(bytes, uint256[], bytes32[])` in fresh memory, all but the instances.
    /// Assembly, because `abi.encodeCall` would need the key and the instances as arrays first and copy both again
    /// (measured, see `contracts/snapshots`), and because the layout is not free: the key holds offsets into the
    /// calldata of exactly this encoding.
    /// - The buffer is allocated (the free pointer moves past it) before anything is written.
    /// - `proof.length` is a multiple of 32: it equals the pinned length, which the registry checked.
    /// - `instances` is bounded by the lengths of calldata that the caller paid for.
    /// @return start address of the selector.
    /// @return length bytes of the call.
    /// @return instancesAt address of the first instance.
    function _layOut(bytes calldata proof, uint256 instances, address pointer)
        private
        view
        returns (uint256 start, uint256 length, uint256 instancesAt)
    {
        uint256 words = CodeStore.wordCount(pointer);
        // Selector, three offsets, three arrays with their lengths.
        length = 4 + 0xc0 + proof.length + (instances + words) * 32;
        bytes4 selector = IHalo2Verifier.verifyProof.selector;
        assembly ("memory-safe") {
            start := mload(0x40)
            mstore(0x40, and(add(add(start, length), 0x1f), not(0x1f)))
            mstore(start, selector)
            let head := add(start, 4)
            // Offsets are counted from the head.
            let proofLengthAt := add(head, 0x60)
            let instancesLengthAt := add(proofLengthAt, add(0x20, proof.length))
            let vkaLengthAt := add(instancesLengthAt, add(0x20, shl(5, instances)))
            mstore(head, 0x60)
            mstore(add(head, 0x20), sub(instancesLengthAt, head))
            mstore(add(head, 0x40), sub(vkaLengthAt, head))
            mstore(proofLengthAt, proof.length)
            calldatacopy(add(proofLengthAt, 0x20), proof.offset, proof.length)
            mstore(instancesLengthAt, instances)
            instancesAt := add(instancesLengthAt, 0x20)
            mstore(vkaLengthAt, words)
            // The code's first byte is STOP.
            extcodecopy(pointer, add(vkaLengthAt, 0x20), 1, shl(5, words))
        }
    }

    /// @dev One static call. Success is one first word and nothing else counts: what follows that word is not valid for
    /// the declared return type, so only the word is copied (to scratch space).
    function _callHalo2(uint256 start, uint256 length) private view {
        address halo2 = address(HALO2_VERIFIER);
        bool accepted;
        assembly ("memory-safe") {
            let success := staticcall(gas(), halo2, start, length, 0x00, 0x20)
            accepted := and(and(success, gt(returndatasize(), 0x1f)), eq(mload(0x00), 1))
        }
        if (!accepted) revert ZkVerifier_ProofRejected();
    }
}
