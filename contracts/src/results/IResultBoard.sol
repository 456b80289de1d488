// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest} from "../attested/AttestedTypes.sol";
import {QuorumRequest} from "../quorum/QuorumTypes.sol";
import {LazyRequest} from "../types/LazyTypes.sol";
import {TrustMode} from "../types/ModelTypes.sol";
import {Finality} from "../types/RecordTypes.sol";
import {Acceptance, BoardResult} from "./ResultTypes.sol";

/// @title Board of final results
/// @notice Verified answers as a public good: by version and proven input binding, whoever asked. Anybody publishes
/// what a market made final; other contracts reuse it without asking again. Each reader says what he believes.
/// @dev Results are kept by *topic*: version, input binding, trust mode and, where the requester chose whom to believe,
/// his choice: the runtime class of a `QUORUM`, verifier and policy of `ATTESTED`. Within a topic a result is hidden by
/// a newer one with at least its bond. One that is published late, with more bond than those after it, leaves the 32
/// newest of them; others drop out and can be published again, see `Skyline`.
interface IResultBoard {
    /// @notice A result stands on the board.
    /// @param topic see `topicOf`.
    /// @param index its number among the topic's results.
    event ResultPublished(
        bytes32 indexed topic,
        uint64 indexed versionId,
        bytes32 indexed inputBinding,
        uint256 requestId,
        uint32 index,
        TrustMode mode,
        Finality how,
        uint128 bond,
        bytes32 outputDigest
    );

    /// @dev No market, a market of another mode or registry, or twice the same.
    error ResultBoard_InvalidConfiguration();
    error ResultBoard_NoMarket(TrustMode mode);
    error ResultBoard_NotFinal(TrustMode mode, uint256 requestId);
    /// @dev It is on the board already, or a newer one with at least its bond is.
    error ResultBoard_Hidden(bytes32 topic, uint256 requestId);
    /// @dev `QUORUM` and `ATTESTED` mean nothing without saying whom to believe: see `latestUnder`.
    error ResultBoard_NeedsTerms(uint8 modes);

    // --- publishing ---
    /// @notice Publishes the result of a paid request of the market of mode `ZK`. Anybody.
    function publishProven(uint256 requestId) external returns (bytes32 topic);
    /// @notice Publishes the result of a final request of the market of mode `LAZY_ZK`. Anybody.
    function publishLazy(LazyRequest calldata request) external returns (bytes32 topic);
    /// @notice Publishes the result of a final request of the market of mode `QUORUM`. Anybody.
    function publishQuorum(QuorumRequest calldata request) external returns (bytes32 topic);
    /// @notice Publishes the result of a final request of the market of mode `ATTESTED`. Anybody.
    function publishAttested(AttestedRequest calldata request) external returns (bytes32 topic);

    // --- reading ---
    /// @notice The newest result for a version and an input that the caller believes, among those that were proven or
    /// not challenged.
    /// @param acceptedModes bitmask of `ZK` and `LAZY_ZK`.
    /// @param minBond least stake that must have answered for it, in token units. Proven outputs pass any.
    function latest(uint64 versionId, bytes32 inputBinding, uint8 acceptedModes, uint128 minBond)
        external
        view
        returns (BoardResult memory);
    /// @notice The same for any modes.
    function latestUnder(uint64 versionId, bytes32 inputBinding, Acceptance calldata acceptance)
        external
        view
        returns (BoardResult memory);

    /// @notice A page of the results of a topic that nothing hides, from the newest: each is the newest with its bond.
    function standing(bytes32 topic, uint256 offset, uint256 limit) external view returns (BoardResult[] memory);
    /// @notice A page of all results that a topic ever had, in the order in which they were published. Digests are
    /// kept; how and when they became final is told by the event.
    function history(bytes32 topic, uint256 offset, uint256 limit)
        external
        view
        returns (uint256[] memory requestIds, bytes32[] memory outputDigests);
    /// @return published number of results that a topic ever had.
    /// @return standing_ number of those that nothing hides.
    function countsOf(bytes32 topic) external view returns (uint256 published, uint256 standing_);

    /// @param terms zero for `ZK` and `LAZY_ZK`; the runtime class for `QUORUM`; `attestationTerms` for `ATTESTED`.
    function topicOf(uint64 versionId, bytes32 inputBinding, TrustMode mode, bytes32 terms)
        external
        pure
        returns (bytes32);
    /// @notice What stands for a verifier and a policy in a topic.
    function attestationTerms(address verifier, bytes32 policy) external pure returns (bytes32);
    /// @notice The market of a mode; zero where this board shows none.
    function marketOf(TrustMode mode) external view returns (address);
    function registry() external view returns (address);
}
