// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {RequestState} from "../types/MarketTypes.sol";
import {IInferenceReceiver} from "./IInferenceReceiver.sol";

/// @title Consumer that asks by itself
/// @notice What anybody may do with a contract that extends `InferenceConsumer`. Answers that it did not ask for, and
/// second answers, are refused; money that comes back belongs to whoever the request was made for.
interface IRequestingConsumer is IInferenceReceiver {
    /// @notice A request was made. `refundTo` owns what comes back of its price.
    event InferenceAsked(uint256 indexed requestId, address indexed refundTo, uint96 context);
    /// @notice The answer arrived, and was acted on.
    event InferenceAnswered(uint256 indexed requestId);
    /// @notice The request ended without an answer. `amount` and, where an executor was slashed for it, `compensation`
    /// are `refundTo`'s.
    event InferenceRefunded(uint256 indexed requestId, address indexed refundTo, uint256 amount, uint256 compensation);
    /// @notice The executor took less than the most that was offered; the rest is `refundTo`'s.
    event ChangeCredited(uint256 indexed requestId, address indexed refundTo, uint256 amount);
    event RefundWithdrawn(address indexed account, address indexed to, uint256 amount);
    event CompensationWithdrawn(address indexed account, address indexed to, uint256 amount);

    error InferenceConsumer_ZeroAddress();
    /// @dev Never asked by this contract, or answered or refunded already.
    error InferenceConsumer_NotAwaited(uint256 requestId);
    error InferenceConsumer_NotAnswered(uint256 requestId, RequestState state);
    error InferenceConsumer_NotRefunded(uint256 requestId, RequestState state);
    /// @dev The price does not rise, or nobody has taken it yet, or the change was credited before.
    error InferenceConsumer_NoChange(uint256 requestId, RequestState state);
    error InferenceConsumer_OtherOutput(bytes32 given, bytes32 expected);
    error InferenceConsumer_InputLength(uint256 length, uint256 expected);
    error InferenceConsumer_NotFunded(uint256 free, uint256 needed);
    error InferenceConsumer_TransferMismatch(uint256 received, uint256 expected);
    error InferenceConsumer_NothingToWithdraw(address account);

    /// @notice Brings the output of a paid request whose callback failed, for want of gas or for another reason that
    /// has passed. Anybody: the market keeps the output's digest.
    function deliver(uint256 requestId, bytes calldata output) external;

    /// @notice Ends a request that was not answered in time, and credits what comes back. Anybody; where the market has
    /// not refunded it yet, that is done first.
    function reclaim(uint256 requestId) external;

    /// @notice Credits what an executor left of a price that rises, to whoever the request was made for. Anybody, at
    /// any time from the lock on, answered or not; `reclaim` does it as well.
    function collectChange(uint256 requestId) external;

    /// @notice Withdraws what came back of the caller's requests.
    function withdrawRefund(address to) external returns (uint256 amount);

    /// @notice Withdraws what executors were slashed for on the caller's requests; as much as the staking contract has
    /// credited so far.
    function withdrawCompensation(address to) external returns (uint256 amount);

    /// @notice Whether an answer to the request would be taken.
    function isAwaited(uint256 requestId) external view returns (bool);
    function refundOf(address account) external view returns (uint256);
    function compensationOf(address account) external view returns (uint256);
    /// @notice What the contract itself may spend of its balance at the market; the rest is others'.
    function freeBalance() external view returns (uint256);
}
