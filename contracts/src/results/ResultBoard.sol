// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {AttestedRequest} from "../attested/AttestedTypes.sol";
import {IAttestedMarket} from "../attested/IAttestedMarket.sol";
import {IInferenceMarket} from "../interfaces/IInferenceMarket.sol";
import {ILazyMarket} from "../interfaces/ILazyMarket.sol";
import {IMarketAccounts} from "../interfaces/IMarketAccounts.sol";
import {IRecordMarket} from "../interfaces/IRecordMarket.sol";
import {Pages} from "../libraries/Pages.sol";
import {IQuorumMarket} from "../quorum/IQuorumMarket.sol";
import {QuorumRequest} from "../quorum/QuorumTypes.sol";
import {LazyRequest} from "../types/LazyTypes.sol";
import {Request, RequestState} from "../types/MarketTypes.sol";
import {TrustMode} from "../types/ModelTypes.sol";
import {Finality, Result} from "../types/RecordTypes.sol";
import {IResultBoard} from "./IResultBoard.sol";
import {Acceptance, BoardResult, Markets} from "./ResultTypes.sol";
import {Skyline} from "./Skyline.sol";

/// @title Board of final results
/// @notice Holds no money and gives no rights: it believes four markets, fixed at construction, and repeats what they
/// say. Nothing that was published can be changed; it can only be hidden by what is newer and has at least its bond,
/// or pushed out, until it is published again, by what is older, has more bond and comes late (see `Skyline`).
contract ResultBoard is IResultBoard {
    using Skyline for Skyline.Row;

    /// @dev What is kept of a result for good. The rest is in the skyline, as long as it stands there.
    struct Kept {
        uint256 requestId;
        bytes32 outputDigest;
    }

    /// @dev Members of `TrustMode`.
    uint256 private constant MODES = 4;
    /// @dev Modes in which the requester does not choose whom to believe.
    uint8 private constant WITHOUT_TERMS = uint8((1 << uint8(TrustMode.ZK)) | (1 << uint8(TrustMode.LAZY_ZK)));

    address private immutable _REGISTRY;
    address private immutable _ZK;
    address private immutable _LAZY_ZK;
    address private immutable _QUORUM;
    address private immutable _ATTESTED;

    mapping(bytes32 topic => Skyline.Row) private _rows;
    mapping(bytes32 topic => mapping(uint256 index => Kept)) private _kept;

    constructor(Markets memory markets) {
        // Check: some market, each of its mode, all of one registry: a version id means the same to all.
        address registry_;
        address[MODES] memory listed = [markets.zk, markets.lazyZk, markets.quorum, markets.attested];
        for (uint256 mode = 0; mode < MODES; ++mode) {
            if (listed[mode] == address(0)) continue;
            if (registry_ == address(0)) registry_ = IMarketAccounts(listed[mode]).registry();
            bool fits = IMarketAccounts(listed[mode]).registry() == registry_
                && (mode == uint8(TrustMode.ZK) || uint8(IRecordMarket(listed[mode]).MODE()) == mode);
            if (!fits) revert ResultBoard_InvalidConfiguration();
        }
        if (registry_ == address(0)) revert ResultBoard_InvalidConfiguration();
        // Effect
        _REGISTRY = registry_;
        _ZK = markets.zk;
        _LAZY_ZK = markets.lazyZk;
        _QUORUM = markets.quorum;
        _ATTESTED = markets.attested;
    }

    // --- publishing ---

    /// @inheritdoc IResultBoard
    function publishProven(uint256 requestId) external returns (bytes32 topic) {
        // Check: paid, which in this market means proven.
        Request memory asked = IInferenceMarket(_required(TrustMode.ZK)).requestOf(requestId);
        if (asked.state != RequestState.PAID) revert ResultBoard_NotFinal(TrustMode.ZK, requestId);
        topic = topicOf(asked.versionId, asked.inputBinding, TrustMode.ZK, 0);
        // Effect: the market keeps blocks, which put its results in an order; when it is shown is what is known.
        _publish(
            topic,
            asked.versionId,
            asked.inputBinding,
            BoardResult({
                market: _ZK,
                requestId: requestId,
                mode: TrustMode.ZK,
                how: Finality.PROVEN,
                finalAt: uint64(block.timestamp),
                bond: uint128(Skyline.PROVEN),
                outputDigest: asked.outputDigest
            }),
            uint40(asked.paidBlock)
        );
    }

    /// @inheritdoc IResultBoard
    function publishLazy(LazyRequest calldata request) external returns (bytes32) {
        uint256 requestId = ILazyMarket(_required(TrustMode.LAZY_ZK)).idOf(request);
        return _publishRecord(_LAZY_ZK, TrustMode.LAZY_ZK, requestId, request.inputBinding, 0);
    }

    /// @inheritdoc IResultBoard
    function publishQuorum(QuorumRequest calldata request) external returns (bytes32) {
        uint256 requestId = IQuorumMarket(_required(TrustMode.QUORUM)).idOf(request);
        return _publishRecord(_QUORUM, TrustMode.QUORUM, requestId, request.inputBinding, request.runtimeClass);
    }

    /// @inheritdoc IResultBoard
    function publishAttested(AttestedRequest calldata request) external returns (bytes32) {
        uint256 requestId = IAttestedMarket(_required(TrustMode.ATTESTED)).idOf(request);
        bytes32 terms = attestationTerms(request.verifier, request.policy);
        return _publishRecord(_ATTESTED, TrustMode.ATTESTED, requestId, request.inputBinding, terms);
    }

    // --- reading ---

    /// @inheritdoc IResultBoard
    function latest(uint64 versionId, bytes32 inputBinding, uint8 acceptedModes, uint128 minBond)
        external
        view
        returns (BoardResult memory)
    {
        // Check: nothing that a stranger's choice of keys or executors could make.
        if (acceptedModes & ~WITHOUT_TERMS != 0) revert ResultBoard_NeedsTerms(acceptedModes);
        return _latest(versionId, inputBinding, Acceptance(acceptedModes, minBond, 0, address(0), 0));
    }

    /// @inheritdoc IResultBoard
    function latestUnder(uint64 versionId, bytes32 inputBinding, Acceptance calldata acceptance)
        external
        view
        returns (BoardResult memory)
    {
        // Check: whoever believes quorums or attestations says whose.
        bool isNamed = (!_has(acceptance.modes, TrustMode.QUORUM) || acceptance.runtimeClass != 0)
            && (!_has(acceptance.modes, TrustMode.ATTESTED) || acceptance.verifier != address(0));
        if (!isNamed) revert ResultBoard_NeedsTerms(acceptance.modes);
        return _latest(versionId, inputBinding, acceptance);
    }

    /// @inheritdoc IResultBoard
    function standing(bytes32 topic, uint256 offset, uint256 limit) external view returns (BoardResult[] memory page) {
        Skyline.Row storage row = _rows[topic];
        uint256 length = row.length;
        (uint256 start, uint256 end) = Pages.bounds(length, offset, limit);
        page = new BoardResult[](end - start);
        for (uint256 i = start; i < end; ++i) {
            page[i - start] = _shown(topic, row.stands[length - 1 - i]);
        }
    }

    /// @inheritdoc IResultBoard
    function history(bytes32 topic, uint256 offset, uint256 limit)
        external
        view
        returns (uint256[] memory requestIds, bytes32[] memory outputDigests)
    {
        (uint256 start, uint256 end) = Pages.bounds(_rows[topic].added, offset, limit);
        requestIds = new uint256[](end - start);
        outputDigests = new bytes32[](end - start);
        for (uint256 i = start; i < end; ++i) {
            Kept storage kept = _kept[topic][i];
            (requestIds[i - start], outputDigests[i - start]) = (kept.requestId, kept.outputDigest);
        }
    }

    /// @inheritdoc IResultBoard
    function countsOf(bytes32 topic) external view returns (uint256 published, uint256 standing_) {
        Skyline.Row storage row = _rows[topic];
        return (row.added, row.length);
    }

    /// @inheritdoc IResultBoard
    function registry() external view returns (address) {
        return _REGISTRY;
    }

    /// @inheritdoc IResultBoard
    function marketOf(TrustMode mode) public view returns (address) {
        if (mode == TrustMode.ZK) return _ZK;
        if (mode == TrustMode.LAZY_ZK) return _LAZY_ZK;
        return mode == TrustMode.QUORUM ? _QUORUM : _ATTESTED;
    }

    /// @inheritdoc IResultBoard
    function topicOf(uint64 versionId, bytes32 inputBinding, TrustMode mode, bytes32 terms)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(versionId, inputBinding, mode, terms));
    }

    /// @inheritdoc IResultBoard
    function attestationTerms(address verifier, bytes32 policy) public pure returns (bytes32) {
        return keccak256(abi.encode(verifier, policy));
    }

    // --- inner steps ---

    /// @dev Publishes what a market with records says of a request.
    function _publishRecord(address market, TrustMode mode, uint256 requestId, bytes32 inputBinding, bytes32 terms)
        private
        returns (bytes32 topic)
    {
        // Check: final. The id is the digest of the whole request, so all of it is what was asked.
        Result memory result = IRecordMarket(market).resultOf(requestId);
        if (result.how == Finality.NONE) revert ResultBoard_NotFinal(mode, requestId);
        topic = topicOf(result.versionId, inputBinding, mode, terms);
        // Effect: what is proven needs no bond. A bond that does not fit is none the less no proof.
        uint128 most = uint128(Skyline.PROVEN);
        uint128 bond = result.how == Finality.PROVEN ? most : result.bond < most ? result.bond : most - 1;
        _publish(
            topic,
            result.versionId,
            inputBinding,
            BoardResult({
                market: market,
                requestId: requestId,
                mode: mode,
                how: result.how,
                finalAt: result.finalAt,
                bond: bond,
                outputDigest: result.outputDigest
            }),
            uint40(result.finalAt)
        );
    }

    function _publish(bytes32 topic, uint64 versionId, bytes32 inputBinding, BoardResult memory shown, uint40 order)
        private
    {
        // Check, Effect: it stands, unless it is hidden.
        (bool isAdded, uint32 index) = _rows[topic].add(
            Skyline.Stand({
                index: 0,
                order: order,
                finalAt: uint40(shown.finalAt),
                bond: uint88(shown.bond),
                mode: shown.mode,
                how: shown.how
            })
        );
        if (!isAdded) revert ResultBoard_Hidden(topic, shown.requestId);
        _kept[topic][index] = Kept(shown.requestId, shown.outputDigest);
        emit ResultPublished(
            topic,
            versionId,
            inputBinding,
            shown.requestId,
            index,
            shown.mode,
            shown.how,
            shown.bond,
            shown.outputDigest
        );
    }

    /// @dev The newest of the newest of each mode. Of two that are as new, the one with the higher bond.
    function _latest(uint64 versionId, bytes32 inputBinding, Acceptance memory acceptance)
        private
        view
        returns (BoardResult memory best)
    {
        // What is proven passes any bond that is asked for.
        uint256 minBond = acceptance.minBond < Skyline.PROVEN ? acceptance.minBond : Skyline.PROVEN;
        Skyline.Stand memory found;
        bytes32 foundTopic;
        for (uint256 i = 0; i < MODES; ++i) {
            TrustMode mode = TrustMode(i);
            if (!_has(acceptance.modes, mode)) continue;
            bytes32 topic = topicOf(versionId, inputBinding, mode, _termsOf(acceptance, mode));
            (bool isThere, Skyline.Stand memory stand) = _rows[topic].newest(minBond);
            if (!isThere || stand.finalAt < found.finalAt) continue;
            if (stand.finalAt == found.finalAt && stand.bond <= found.bond) continue;
            (found, foundTopic) = (stand, topic);
        }
        if (found.how != Finality.NONE) best = _shown(foundTopic, found);
    }

    function _shown(bytes32 topic, Skyline.Stand memory stand) private view returns (BoardResult memory) {
        Kept storage kept = _kept[topic][stand.index];
        return BoardResult({
            market: marketOf(stand.mode),
            requestId: kept.requestId,
            mode: stand.mode,
            how: stand.how,
            finalAt: stand.finalAt,
            bond: stand.bond,
            outputDigest: kept.outputDigest
        });
    }

    function _required(TrustMode mode) private view returns (address market) {
        market = marketOf(mode);
        if (market == address(0)) revert ResultBoard_NoMarket(mode);
    }

    function _termsOf(Acceptance memory acceptance, TrustMode mode) private pure returns (bytes32) {
        if (mode == TrustMode.QUORUM) return acceptance.runtimeClass;
        return mode == TrustMode.ATTESTED ? attestationTerms(acceptance.verifier, acceptance.policy) : bytes32(0);
    }

    function _has(uint8 modes, TrustMode mode) private pure returns (bool) {
        return modes & (1 << uint8(mode)) != 0;
    }
}
