// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IModelRegistry} from "./interfaces/IModelRegistry.sol";
import {Pages} from "./libraries/Pages.sol";
import {RegistryRules} from "./libraries/RegistryRules.sol";
import {Circuit, ProofTarget, Version, VersionParams} from "./types/ModelTypes.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// @title Registry of models and their immutable versions
/// @notice Append-only, without owner, pause or upgrade. Knows no market.
contract ModelRegistry is ERC721, IModelRegistry {
    /// @inheritdoc IModelRegistry
    uint16 public constant MAX_ROYALTY_BPS = RegistryRules.MAX_ROYALTY_BPS;

    /// @dev The alias that every publication moves to the new version.
    string private constant LATEST = "latest";

    struct Model {
        string name;
        uint32 versionCount;
        // Hash of the alias to index + 1, so that zero means unset.
        mapping(bytes32 aliasHash => uint256 indexPlusOne) aliases;
    }

    uint256 private _modelCount;
    mapping(uint256 modelId => Model) private _models;
    mapping(bytes32 nameHash => uint256 modelId) private _modelIds;
    mapping(uint64 versionId => Version) private _versions;
    mapping(uint64 versionId => bytes) private _ioSchemas;
    mapping(uint64 versionId => string) private _uris;
    /// @dev Not an array: its length, which the version holds, would be read once more by every verification.
    mapping(uint64 versionId => mapping(uint256 index => Circuit)) private _circuits;

    constructor() ERC721("Gateless Models", "MODEL") {}

    /// @inheritdoc IModelRegistry
    function registerModel(string calldata name) external returns (uint256 modelId) {
        // Check: spelling, then that nobody has the name.
        RegistryRules.checkName(name);
        bytes32 nameHash = keccak256(bytes(name));
        if (_modelIds[nameHash] != 0) revert ModelRegistry_NameTaken(name, _modelIds[nameHash]);
        // Check: the id fits the upper half of a version id.
        modelId = _modelCount + 1;
        if (modelId > type(uint32).max) revert ModelRegistry_TooManyModels();

        // Effect: `_mint`, not `_safeMint`: the caller asked for the token himself, and no foreign code runs.
        _modelCount = modelId;
        _modelIds[nameHash] = modelId;
        _models[modelId].name = name;
        _mint(msg.sender, modelId);
        emit ModelRegistered(modelId, msg.sender, name);
    }

    /// @inheritdoc IModelRegistry
    function publishVersion(uint256 modelId, VersionParams calldata params) external returns (uint64 versionId) {
        // Check: caller, then contents.
        _checkHolder(modelId);
        RegistryRules.checkPublication(params);
        Model storage model = _models[modelId];
        uint32 index = model.versionCount;
        if (index == type(uint32).max) revert ModelRegistry_TooManyVersions(modelId);

        // Effect: ids grow only, so nothing stored is ever overwritten. Model ids are below 2^32.
        model.versionCount = index + 1;
        versionId = _versionId(modelId, index);
        _versions[versionId] = Version({
            modelDigest: params.modelDigest,
            manifestDigest: params.manifestDigest,
            circuitsHash: keccak256(abi.encode(params.circuits)),
            publishedAt: uint64(block.timestamp),
            royaltyBps: params.royaltyBps,
            modes: params.modes,
            binding: params.binding,
            circuitCount: uint16(params.circuits.length),
            proofSeconds: params.proofSeconds,
            repeatable: params.repeatable,
            deprecated: false
        });
        _ioSchemas[versionId] = params.ioSchema;
        _uris[versionId] = params.uri;
        for (uint256 i = 0; i < params.circuits.length; ++i) {
            _circuits[versionId][i] = params.circuits[i];
        }
        emit VersionPublished(versionId, modelId, msg.sender, params);

        // Effect: move `latest`.
        model.aliases[keccak256(bytes(LATEST))] = uint256(index) + 1;
        emit AliasSet(modelId, LATEST, versionId);
    }

    /// @inheritdoc IModelRegistry
    function setDeprecated(uint64 versionId, bool deprecated, string calldata reason) external {
        // Check: known version, its model's holder, bounded text.
        Version storage stored = _known(versionId);
        _checkHolder(modelOf(versionId));
        if (bytes(reason).length > RegistryRules.MAX_REASON_LENGTH) {
            revert ModelRegistry_ReasonTooLong(bytes(reason).length, RegistryRules.MAX_REASON_LENGTH);
        }
        // Effect
        stored.deprecated = deprecated;
        emit VersionDeprecated(versionId, deprecated, reason);
    }

    /// @inheritdoc IModelRegistry
    function setAlias(uint256 modelId, string calldata aliasName, uint64 versionId) external {
        // Check: caller, spelling, and that the target is a version of this very model.
        _checkHolder(modelId);
        RegistryRules.checkName(aliasName);
        _known(versionId);
        if (modelOf(versionId) != modelId) revert ModelRegistry_VersionOfOtherModel(versionId, modelId);
        // Effect: the index is the lower half of the version id.
        _models[modelId].aliases[keccak256(bytes(aliasName))] = uint256(uint32(versionId)) + 1;
        emit AliasSet(modelId, aliasName, versionId);
    }

    /// @inheritdoc IModelRegistry
    function modelCount() external view returns (uint256) {
        return _modelCount;
    }

    /// @inheritdoc IModelRegistry
    function modelIdOf(string calldata name) external view returns (uint256 modelId) {
        return _modelIds[keccak256(bytes(name))];
    }

    /// @inheritdoc IModelRegistry
    function nameOf(uint256 modelId) external view returns (string memory) {
        _checkModel(modelId);
        return _models[modelId].name;
    }

    /// @inheritdoc IModelRegistry
    function versionCount(uint256 modelId) external view returns (uint256) {
        _checkModel(modelId);
        return _models[modelId].versionCount;
    }

    /// @inheritdoc IModelRegistry
    function version(uint64 versionId) external view returns (Version memory) {
        return _known(versionId);
    }

    /// @inheritdoc IModelRegistry
    function ioSchema(uint64 versionId) external view returns (bytes memory) {
        _known(versionId);
        return _ioSchemas[versionId];
    }

    /// @inheritdoc IModelRegistry
    function uri(uint64 versionId) external view returns (string memory) {
        _known(versionId);
        return _uris[versionId];
    }

    /// @inheritdoc IModelRegistry
    function circuit(uint64 versionId, uint256 index) external view returns (Circuit memory) {
        return _knownCircuit(_known(versionId), versionId, index);
    }

    /// @inheritdoc IModelRegistry
    function circuits(uint64 versionId) external view returns (Circuit[] memory pinned) {
        pinned = new Circuit[](_known(versionId).circuitCount);
        for (uint256 i = 0; i < pinned.length; ++i) {
            pinned[i] = _circuits[versionId][i];
        }
    }

    /// @inheritdoc IModelRegistry
    function proofTarget(uint64 versionId, uint256 circuitIndex) external view returns (ProofTarget memory) {
        Version storage stored = _known(versionId);
        Circuit memory pinned = _knownCircuit(stored, versionId, circuitIndex);
        return ProofTarget({
            vkaDigest: pinned.vkaDigest,
            batchSize: pinned.batchSize,
            proofLength: pinned.proofLength,
            digitBits: pinned.digitBits,
            digitsPerWord: pinned.digitsPerWord,
            binding: stored.binding,
            ioSchema: _ioSchemas[versionId]
        });
    }

    /// @inheritdoc IModelRegistry
    function resolveAlias(uint256 modelId, string calldata aliasName) external view returns (uint64 versionId) {
        _checkModel(modelId);
        uint256 indexPlusOne = _models[modelId].aliases[keccak256(bytes(aliasName))];
        if (indexPlusOne == 0) revert ModelRegistry_UnknownAlias(modelId, aliasName);
        return _versionId(modelId, indexPlusOne - 1);
    }

    /// @inheritdoc IModelRegistry
    function models(uint256 offset, uint256 limit) external view returns (uint256[] memory modelIds) {
        (uint256 start, uint256 end) = Pages.bounds(_modelCount, offset, limit);
        modelIds = new uint256[](end - start);
        for (uint256 i = start; i < end; ++i) {
            modelIds[i - start] = i + 1;
        }
    }

    /// @inheritdoc IModelRegistry
    function versions(uint256 modelId, uint256 offset, uint256 limit)
        external
        view
        returns (uint64[] memory versionIds)
    {
        _checkModel(modelId);
        (uint256 start, uint256 end) = Pages.bounds(_models[modelId].versionCount, offset, limit);
        versionIds = new uint64[](end - start);
        for (uint256 i = start; i < end; ++i) {
            versionIds[i - start] = _versionId(modelId, i);
        }
    }

    /// @notice The fetch hint of the latest publication; empty before the first one.
    /// @dev The model card is a file of that bundle. No alias decides here: aliases are names, publications are facts.
    function tokenURI(uint256 tokenId) public view override returns (string memory) {
        _requireOwned(tokenId);
        uint256 published = _models[tokenId].versionCount;
        return published == 0 ? "" : _uris[_versionId(tokenId, published - 1)];
    }

    /// @inheritdoc IModelRegistry
    function modelOf(uint64 versionId) public pure returns (uint256 modelId) {
        return versionId >> 32;
    }

    function _checkModel(uint256 modelId) private view {
        if (modelId == 0 || modelId > _modelCount) revert ModelRegistry_UnknownModel(modelId);
    }

    function _checkHolder(uint256 modelId) private view {
        _checkModel(modelId);
        if (_ownerOf(modelId) != msg.sender) revert ModelRegistry_NotHolder(modelId, msg.sender);
    }

    function _known(uint64 versionId) private view returns (Version storage stored) {
        stored = _versions[versionId];
        if (stored.publishedAt == 0) revert ModelRegistry_UnknownVersion(versionId);
    }

    function _knownCircuit(Version storage stored, uint64 versionId, uint256 index)
        private
        view
        returns (Circuit storage pinned)
    {
        if (index >= stored.circuitCount) revert ModelRegistry_UnknownCircuit(versionId, index);
        return _circuits[versionId][index];
    }

    /// @dev Both halves are below 2^32: ids and counts are bounded where they grow.
    function _versionId(uint256 modelId, uint256 index) private pure returns (uint64) {
        return uint64((modelId << 32) | index);
    }
}
