// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "./IInferenceConsumer.sol";

/// @title Receiver of the answers of one version from one market
/// @notice What every consumer needs to check before it believes an output.
interface IInferenceReceiver is IInferenceConsumer {
    error InferenceReceiver_NotMarket(address caller);
    error InferenceReceiver_OtherVersion(uint64 versionId, uint64 expected);
    error InferenceReceiver_ModeNotAccepted(uint8 mode, uint8 acceptedModes);
    /// @dev The requester chose whom to believe, and the contract does not trust his choice.
    error InferenceReceiver_TermsOfStranger(address requester);
    error InferenceReceiver_OutputLength(uint256 length, uint256 expected);
    /// @dev The version allows no mode that the contract accepts: no answer could ever be believed.
    error InferenceReceiver_NoCommonMode(uint8 allowed, uint8 accepted);

    /// @notice The only caller that is believed.
    function MARKET() external view returns (address);
    /// @notice The only version that is believed. It can never change.
    function VERSION_ID() external view returns (uint64);
    /// @notice Trust modes of answers that are believed: a bitmask, bit `1 << uint8(mode)`.
    function ACCEPTED_MODES() external view returns (uint8);
}
