// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest, AttestedState} from "./AttestedTypes.sol";

/// @title Market of attested answers
/// @notice A request pins who decides whether an answer is attested, and by what policy. Whoever brings an answer with
/// such evidence, which names him, is paid at once. There is no lock, no stake and no slash. What all markets of this
/// kind have in common is in `IRecordMarket`.
interface IAttestedMarket {
    /// @notice A request was opened and its most price taken. Carries all that `fulfill` and `refund` need.
    /// @param input the input's bytes, or empty.
    event AttestedOpened(
        uint256 indexed requestId,
        uint64 indexed versionId,
        address indexed requester,
        AttestedRequest request,
        bytes input
    );
    /// @notice An answer was attested and paid: final.
    /// @param fee what the executor was paid.
    event AttestedFulfilled(
        uint256 indexed requestId,
        uint64 indexed versionId,
        address indexed executor,
        address requester,
        uint256 fee,
        uint256 royalty,
        bytes output
    );
    /// @notice The most price went back to the requester's balance.
    event AttestedRefunded(uint256 indexed requestId, address indexed requester, uint256 price);

    error AttestedMarket_NoCodeAt(address verifier);
    error AttestedMarket_NotNamedExecutor(uint256 requestId, address caller, address named);
    error AttestedMarket_PriceTooLow(uint256 price, uint256 least);
    error AttestedMarket_Expired(uint256 requestId, uint64 deadline);
    error AttestedMarket_NotExpired(uint256 requestId, uint64 deadline);
    /// @dev `reason` is what the verifier reverted with or returned, cut at 256 bytes.
    error AttestedMarket_NotAttested(uint256 requestId, address verifier, bytes reason);

    /// @notice Opens a request of the caller; its most price waits here until it is answered or refunded.
    /// @param input the packed input, or empty where executors find it by the hint.
    function request(AttestedRequest calldata request_, bytes calldata input) external returns (uint256 requestId);
    /// @notice Answers an open request. The caller is paid the price of this second.
    /// @param leastPrice least that the answer must earn, royalty included: prices rise, so an early block pays less.
    /// @param evidence what the request's verifier asks for, for this answer by this caller.
    function fulfill(
        AttestedRequest calldata request_,
        uint128 leastPrice,
        bytes calldata output,
        bytes calldata evidence
    ) external;
    /// @notice Answers a request that its requester signed, paid from his balance.
    function fulfillSigned(
        AttestedRequest calldata request_,
        bytes calldata signature,
        uint128 leastPrice,
        bytes calldata output,
        bytes calldata evidence
    ) external returns (uint256 requestId);
    /// @notice Refunds an open request whose deadline is over. Anybody may.
    function refund(AttestedRequest calldata request_) external;

    /// @notice Most gas that a verifier gets.
    function VERIFIER_GAS() external view returns (uint256);
    /// @notice A request's id: what its requester signs, EIP-712 `AttestedInferenceRequest`.
    function idOf(AttestedRequest calldata request_) external view returns (uint256);
    function stateOf(uint256 requestId) external view returns (AttestedState);
}
