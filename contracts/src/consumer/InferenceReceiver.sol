// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../interfaces/IInferenceConsumer.sol";
import {IInferenceMarket} from "../interfaces/IInferenceMarket.sol";
import {IInferenceReceiver} from "../interfaces/IInferenceReceiver.sol";
import {IMarketAccounts} from "../interfaces/IMarketAccounts.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {IRecordMarket} from "../interfaces/IRecordMarket.sol";
import {IoSchema} from "../libraries/IoSchema.sol";
import {TrustMode} from "../types/ModelTypes.sol";

/// @title Base of contracts that receive outputs
/// @notice Believes one market, one version and some trust modes. It does not ask who requested: for contracts that
/// act on any proven output, whoever paid for it. Only where the requester chooses whom to believe (a `QUORUM`'s
/// runtime class, the keys that `ATTESTED` an answer) must he be one whom the contract trusts; itself, unless it says
/// otherwise.
/// Contracts that ask themselves extend `InferenceConsumer`.
abstract contract InferenceReceiver is IInferenceReceiver {
    /// @dev Modes in which the requester chooses whom to believe.
    uint8 private constant _MODES_BY_TERMS = uint8((1 << uint8(TrustMode.QUORUM)) | (1 << uint8(TrustMode.ATTESTED)));

    /// @inheritdoc IInferenceReceiver
    address public immutable MARKET;
    /// @inheritdoc IInferenceReceiver
    uint64 public immutable VERSION_ID;
    /// @inheritdoc IInferenceReceiver
    uint8 public immutable ACCEPTED_MODES;

    /// @dev Bytes of a packed input of the version.
    uint256 internal immutable INPUT_LENGTH;
    /// @dev Bytes of a packed output of the version.
    uint256 internal immutable OUTPUT_LENGTH;
    /// @dev Whether the version allows a mode that is not accepted, so that each answer's mode must be looked up. A
    /// version's modes never change.
    bool private immutable _OTHER_MODES;
    /// @dev Whether all of the market's requests say whom to believe.
    bool private immutable _BY_TERMS;

    /// @param market the market to believe: that of mode `ZK`, or one of those that have a mode of their own.
    /// @param versionId the published version to believe.
    /// @param acceptedModes bitmask of trust modes to believe.
    constructor(address market, uint64 versionId, uint8 acceptedModes) {
        // Check: some answer can be believed. A market of one mode gives no other answers.
        IModelRegistry registry = IModelRegistry(IMarketAccounts(market).registry());
        uint8 allowed = registry.version(versionId).modes;
        uint8 only = _onlyMode(market);
        if (only != 0) allowed &= only;
        if (allowed & acceptedModes == 0) revert InferenceReceiver_NoCommonMode(allowed, acceptedModes);
        // Effect
        bytes memory schema = registry.ioSchema(versionId);
        uint256 inputs = IoSchema.inputCount(schema);
        (, INPUT_LENGTH) = IoSchema.extent(schema, 0, inputs);
        (, OUTPUT_LENGTH) = IoSchema.extent(schema, inputs, inputs + IoSchema.outputCount(schema));
        MARKET = market;
        VERSION_ID = versionId;
        ACCEPTED_MODES = acceptedModes;
        _OTHER_MODES = allowed & ~acceptedModes != 0;
        _BY_TERMS = only & _MODES_BY_TERMS != 0;
    }

    /// @inheritdoc IInferenceConsumer
    function onInference(
        uint256 requestId,
        uint64 versionId,
        address requester,
        bytes32,
        bytes32 inputBinding,
        bytes calldata output
    ) external {
        // Check: the market made it final, for the version that this contract relies on, in a way that it accepts.
        if (msg.sender != MARKET) revert InferenceReceiver_NotMarket(msg.sender);
        if (versionId != VERSION_ID) revert InferenceReceiver_OtherVersion(versionId, VERSION_ID);
        // Check: with keys that a stranger pins in his own request, a mode may prove nothing to anybody else.
        if (_OTHER_MODES) _requireAccepted(uint8(IInferenceMarket(MARKET).requestOf(requestId).mode));
        if (_BY_TERMS && !_trustsTermsOf(requester)) revert InferenceReceiver_TermsOfStranger(requester);
        // Check: the shape that the schema promises, whatever proved it.
        if (output.length != OUTPUT_LENGTH) revert InferenceReceiver_OutputLength(output.length, OUTPUT_LENGTH);
        _receive(requestId, requester, inputBinding, output);
    }

    /// @dev Acts on an output that has passed the checks. Runs with the gas of the callback, while the market cannot be
    /// entered; whatever it reverts with undoes neither payment nor result.
    /// @param requester who asked and paid: anybody.
    /// @param inputBinding what the output was proven for.
    function _receive(uint256 requestId, address requester, bytes32 inputBinding, bytes calldata output)
        internal
        virtual;

    /// @dev Whether an account is believed when it chooses who vouches for an answer. Only asked where the market's
    /// mode leaves that to the requester.
    function _trustsTermsOf(address requester) internal view virtual returns (bool) {
        return requester == address(this);
    }

    /// @dev Refuses modes that are not accepted.
    function _requireAccepted(uint8 mode) internal view {
        if (ACCEPTED_MODES & (1 << mode) == 0) revert InferenceReceiver_ModeNotAccepted(mode, ACCEPTED_MODES);
    }

    /// @dev The bit of a market's one mode; zero for the market whose requests name theirs.
    function _onlyMode(address market) private view returns (uint8) {
        try IRecordMarket(market).MODE() returns (TrustMode mode) {
            return uint8(1 << uint8(mode));
        } catch {
            return 0;
        }
    }
}
