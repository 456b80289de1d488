// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Verification of ezkl proofs for registered versions
/// @notice One shared reusable Halo2 verifier serves every model; per model only its VKA is stored, as contract code.
interface IZkVerifier {
    /// @notice A verifying-key artifact was stored.
    event VkaRegistered(bytes32 indexed vkaDigest, address pointer, uint256 words);

    error ZkVerifier_NoCodeAt(address account);
    error ZkVerifier_VkaTooShort(uint256 words);
    error ZkVerifier_VkaTooLong(uint256 words);
    error ZkVerifier_ForeignSrs(uint256 wordIndex);
    error ZkVerifier_UnknownVka(bytes32 vkaDigest);
    error ZkVerifier_UnsupportedBatch(uint32 batchSize);
    error ZkVerifier_BatchNotPacked();
    error ZkVerifier_ProofLength(uint256 given, uint256 expected);
    error ZkVerifier_InputLength(uint256 given, uint256 expected);
    error ZkVerifier_OutputLength(uint256 given, uint256 expected);
    /// @dev An output of a dense circuit is the smallest integer of its width: the circuit cuts off there.
    error ZkVerifier_OutputCutOff();
    error ZkVerifier_TensorOverSeveralColumns(uint256 elements, uint256 rows);
    error ZkVerifier_ProofRejected();

    /// @notice Stores a VKA so that versions may pin its digest. Permissionless and idempotent.
    /// @dev Refuses any key whose SRS words (VKA words 14 to 23) differ from the accepted ones. That keeps out keys
    /// whose SRS secret somebody knows; it does not make a key honest. A VKA is a program to the shared verifier, and a
    /// crafted
    /// one may accept anything: whoever relies on a version audits that its key is the one of its model.
    function registerVka(bytes32[] calldata vka) external returns (bytes32 vkaDigest);

    /// @notice Checks that `output` is what circuit `circuitIndex` of the version computes from `input`.
    /// @dev Under `KZG` every input tensor must fit one column of the circuit, `elements + 9 <= 2^k` with k from the
    /// key: a longer one has several commitments, of which `inputBinding` would cover the first only.
    /// @param input packed input of one row; empty where the version binds inputs by KZG commitment.
    /// @param output packed output of one row; of a dense circuit (one with digits) without the smallest integer of a
    /// width, at which such circuits cut off.
    /// @param proof ezkl proof of exactly the pinned length.
    /// @return inputBinding keccak256(input), or for `KZG` keccak256 of the commitments, 64 bytes per input tensor,
    /// with which the proof opens. The caller must compare it with what the request carries.
    function verify(
        uint64 versionId,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external view returns (bytes32 inputBinding);

    /// @notice Checks that every row of `outputs` is what circuit `circuitIndex` of the version computes from the same
    /// row of `inputs`. Any batch size, one included; versions that bind packed inputs only.
    /// @param inputs packed inputs of all rows of the circuit's batch, one after the other; all of them are proven.
    /// @param outputs packed outputs of all rows.
    /// @param proof ezkl proof of exactly the pinned length.
    /// @return inputBindings keccak256 of each row's packed input. The caller must compare each with the request that
    /// the row is to answer.
    function verifyBatch(
        uint64 versionId,
        uint256 circuitIndex,
        bytes calldata inputs,
        bytes calldata outputs,
        bytes calldata proof
    ) external view returns (bytes32[] memory inputBindings);

    function isRegistered(bytes32 vkaDigest) external view returns (bool);
    /// @notice Key of the version's circuit for the whole model and one row, which is what a single request needs.
    /// @return vkaDigest zero where the version has no such circuit; it has one at most.
    /// @return stored whether the key is registered; once it is, it always is.
    function rowKey(uint64 versionId) external view returns (bytes32 vkaDigest, bool stored);
    function vkaPointer(bytes32 vkaDigest) external view returns (address);
    function registry() external view returns (address);
    function halo2Verifier() external view returns (address);
    /// @notice The accepted SRS point -[s]G2 as the VKA spells it (words 20 to 23).
    function acceptedG2() external view returns (bytes32[4] memory);
}
