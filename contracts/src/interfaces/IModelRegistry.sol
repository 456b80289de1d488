// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Circuit, ProofTarget, Version, VersionParams} from "../types/ModelTypes.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

/// @title Registry of models and their immutable versions
/// @notice A model is an ERC-721 token: its holder receives royalties and publishes versions. Versions are append-only;
/// an alias is a mutable pointer to a version index. `versionId = modelId << 32 | index`.
interface IModelRegistry is IERC721 {
    /// @notice A model was created and its token minted to `creator`.
    event ModelRegistered(uint256 indexed modelId, address indexed creator, string name);
    /// @notice A version was published. Carries the whole publication, so that indexers need no calls.
    event VersionPublished(
        uint64 indexed versionId, uint256 indexed modelId, address indexed publisher, VersionParams params
    );
    /// @notice The holder set or withdrew the advice against a version.
    event VersionDeprecated(uint64 indexed versionId, bool deprecated, string reason);
    /// @notice An alias of a model now points to `versionId`.
    event AliasSet(uint256 indexed modelId, string aliasName, uint64 indexed versionId);

    error ModelRegistry_UnknownModel(uint256 modelId);
    error ModelRegistry_UnknownVersion(uint64 versionId);
    error ModelRegistry_UnknownCircuit(uint64 versionId, uint256 index);
    error ModelRegistry_UnknownAlias(uint256 modelId, string aliasName);
    error ModelRegistry_NotHolder(uint256 modelId, address caller);
    error ModelRegistry_InvalidName(string name);
    error ModelRegistry_NameTaken(string name, uint256 modelId);
    error ModelRegistry_InvalidDigest();
    error ModelRegistry_InvalidSchema();
    error ModelRegistry_ProofTooLarge(uint256 circuitIndex, uint256 words, uint256 values, uint256 bytes_);
    error ModelRegistry_ProofTooLong(uint256 circuitIndex, uint32 proofLength);
    error ModelRegistry_BatchTooLarge(uint256 circuitIndex, uint32 batchSize);
    error ModelRegistry_BatchNotPacked(uint256 circuitIndex);
    error ModelRegistry_InvalidDigits(uint256 circuitIndex, uint16 digitBits, uint16 digitsPerWord);
    error ModelRegistry_InvalidModes(uint8 modes);
    error ModelRegistry_InvalidCircuits();
    error ModelRegistry_InvalidProofSeconds(uint32 proofSeconds);
    error ModelRegistry_NotRepeatable();
    error ModelRegistry_RoyaltyTooHigh(uint16 royaltyBps, uint16 maximum);
    error ModelRegistry_UriTooLong(uint256 length, uint256 maximum);
    error ModelRegistry_ReasonTooLong(uint256 length, uint256 maximum);
    error ModelRegistry_VersionOfOtherModel(uint64 versionId, uint256 modelId);
    error ModelRegistry_TooManyVersions(uint256 modelId);
    error ModelRegistry_TooManyModels();

    /// @notice Highest royalty a version may ask, in basis points.
    function MAX_ROYALTY_BPS() external view returns (uint16);

    /// @notice Creates a model and mints its token to the caller.
    /// @param name unique name: 1 to 64 characters of a-z, 0-9, `-`, `_`, `.`; starts with a letter or digit.
    function registerModel(string calldata name) external returns (uint256 modelId);

    /// @notice Publishes the next version of a model and points `latest` at it. Only the token's holder.
    /// @dev Where a mode needs proofs, what one proof of a circuit covers is bounded so that its fulfilment fits a
    /// transaction, over all rows of the batch: 128 rows, 8,192 public words, 24,576 public values (outputs, and inputs
    /// under `PACKED`) and 65,536 packed bytes of them, and 12,288 bytes of proof. A version with circuits states the
    /// time of a proof, one without states none; `QUORUM` is for versions whose outputs are stated to be repeatable.
    function publishVersion(uint256 modelId, VersionParams calldata params) external returns (uint64 versionId);

    /// @notice Sets or withdraws the advice not to use a version. Only the token's holder.
    function setDeprecated(uint64 versionId, bool deprecated, string calldata reason) external;

    /// @notice Points an alias of the model at one of its versions. Only the token's holder.
    function setAlias(uint256 modelId, string calldata aliasName, uint64 versionId) external;

    function modelCount() external view returns (uint256);
    function modelIdOf(string calldata name) external view returns (uint256 modelId);
    function nameOf(uint256 modelId) external view returns (string memory);
    function versionCount(uint256 modelId) external view returns (uint256);
    function version(uint64 versionId) external view returns (Version memory);
    function ioSchema(uint64 versionId) external view returns (bytes memory);
    function uri(uint64 versionId) external view returns (string memory);
    function circuit(uint64 versionId, uint256 index) external view returns (Circuit memory);
    function circuits(uint64 versionId) external view returns (Circuit[] memory);

    /// @notice All that `ZkVerifier` needs to check a proof for one circuit of a version.
    function proofTarget(uint64 versionId, uint256 circuitIndex) external view returns (ProofTarget memory);
    function resolveAlias(uint256 modelId, string calldata aliasName) external view returns (uint64 versionId);
    function modelOf(uint64 versionId) external pure returns (uint256 modelId);

    /// @notice A page of model ids in order of creation; shorter than `limit` only at the end.
    function models(uint256 offset, uint256 limit) external view returns (uint256[] memory modelIds);
    /// @notice A page of a model's version ids in order of publication.
    function versions(uint256 modelId, uint256 offset, uint256 limit) external view returns (uint64[] memory versionIds);
}
