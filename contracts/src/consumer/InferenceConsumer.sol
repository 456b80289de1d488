// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../interfaces/IExecutorStaking.sol";
import {IInferenceMarket} from "../interfaces/IInferenceMarket.sol";
import {IRequestingConsumer} from "../interfaces/IRequestingConsumer.sol";
import {TokenTransfers} from "../libraries/TokenTransfers.sol";
import {Permit, Request, RequestParams, RequestState} from "../types/MarketTypes.sol";
import {TrustMode} from "../types/ModelTypes.sol";
import {InferenceReceiver} from "./InferenceReceiver.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Base of contracts that request inferences and act on the outputs
/// @notice Subclasses ask by `_askForCaller` or `_askForItself`, and implement `_onAnswer`. The base takes the market's
/// answers to its own open requests and nothing else, each once, and sees to money that comes back.
/// @dev A request is made within a call of this contract to the market, and its id is known before anybody can answer.
/// Follow-up requests cannot be made in `_onAnswer` when it runs as the market's callback.
abstract contract InferenceConsumer is InferenceReceiver, IRequestingConsumer {
    using SafeERC20 for IERC20;
    using TokenTransfers for IERC20;

    /// @notice On what terms the contract asks.
    /// @param mode how the output becomes final; one of the accepted.
    /// @param price amount paid for the answer, in token units; the most, where it rises.
    /// @param minPrice where a price that rises starts, below `price`; zero where it does not rise.
    /// @param rampLength seconds from now in which it rises to `price`, at most `lifetime`; zero for a price that does
    /// not rise. What the executor takes less comes back: see `collectChange`.
    /// @param collateral stake that the executor must lock; at least the market's floor.
    /// @param lifetime seconds from now to the request's deadline.
    /// @param lockDuration seconds from a lock within which its holder must answer.
    /// @param executor only this account may answer; zero lets any executor.
    /// @param callbackGas gas for `onInference`, bookkeeping of this base included: measure, and add a margin. An
    /// answer that failed for want of gas can be delivered again.
    struct Terms {
        TrustMode mode;
        uint128 price;
        uint128 minPrice;
        uint32 rampLength;
        uint128 collateral;
        uint32 lifetime;
        uint32 lockDuration;
        address executor;
        uint32 callbackGas;
    }

    /// @notice What is asked. Made by `_packed` or `_committed`.
    /// @param input packed input that travels in the request; empty where executors fetch it by `hint`.
    /// @param digest keccak256 of the packed input.
    /// @param binding what the proof must be tied to, see `RequestParams`.
    struct Question {
        bytes input;
        bytes32 digest;
        bytes32 binding;
        string hint;
    }

    /// @notice An open request. One slot.
    /// @param refundTo owns what comes back of the price; never zero. This contract where it asked for itself.
    /// @param context what the subclass wants to be told again with the answer.
    struct Asked {
        address refundTo;
        uint96 context;
    }

    /// @notice A request whose price rises, until its change is credited. One slot.
    /// @param refundTo owns the change.
    /// @param price the most, which was paid in.
    struct Rising {
        address refundTo;
        uint96 price;
    }

    /// @dev Bitmask of the one mode that needs nothing but the chain.
    uint8 internal constant ZK_ONLY = uint8(1 << uint8(TrustMode.ZK));

    IERC20 private immutable _TOKEN;
    IExecutorStaking private immutable _STAKING;

    mapping(uint256 requestId => Asked) private _asked;
    /// @dev Apart from `_asked`, which an answer closes: the change may be collected before and after.
    mapping(uint256 requestId => Rising) private _rising;
    mapping(address account => uint256 amount) private _refunds;
    /// @dev The contract's own part of its balance at the market. Counted, not computed: a refund that nobody has
    /// reclaimed yet is in that balance already, and is somebody else's.
    uint256 private _free;
    mapping(address account => uint256 amount) private _compensations;
    /// @dev Compensations that have left the staking contract and not this one.
    uint256 private _collected;

    constructor(address market, uint64 versionId, uint8 acceptedModes)
        InferenceReceiver(market, versionId, acceptedModes)
    {
        _TOKEN = IERC20(IInferenceMarket(market).token());
        _STAKING = IExecutorStaking(IInferenceMarket(market).staking());
    }

    // --- for anybody ---

    /// @inheritdoc IRequestingConsumer
    function deliver(uint256 requestId, bytes calldata output) external {
        // Check: final, and the very output. The market's own checks bind it to version, input and mode.
        if (!isAwaited(requestId)) revert InferenceConsumer_NotAwaited(requestId);
        Request memory request = _market().requestOf(requestId);
        if (request.state != RequestState.PAID) revert InferenceConsumer_NotAnswered(requestId, request.state);
        if (keccak256(output) != request.outputDigest) {
            revert InferenceConsumer_OtherOutput(keccak256(output), request.outputDigest);
        }
        if (output.length != OUTPUT_LENGTH) revert InferenceReceiver_OutputLength(output.length, OUTPUT_LENGTH);
        _answer(requestId, output);
    }

    /// @inheritdoc IRequestingConsumer
    function reclaim(uint256 requestId) external {
        if (!isAwaited(requestId)) revert InferenceConsumer_NotAwaited(requestId);
        (RequestState state, bool refundable) = _market().statusOf(requestId);
        // Interaction: before the effects, which follow from it. The market calls nobody but the staking contract.
        if (refundable) _market().refund(requestId);
        else if (state != RequestState.REFUNDED) revert InferenceConsumer_NotRefunded(requestId, state);
        _creditRefund(requestId);
    }

    /// @inheritdoc IRequestingConsumer
    function collectChange(uint256 requestId) external {
        // Check: a price that rose, and was fixed. From then on it never changes, whoever else may lock the request.
        Request memory request = _market().requestOf(requestId);
        if (_rising[requestId].refundTo == address(0) || request.state == RequestState.OPEN) {
            revert InferenceConsumer_NoChange(requestId, request.state);
        }
        // Effect
        (address refundTo, uint256 change) = _takeChange(requestId, request.price);
        _creditTo(refundTo, change);
        emit ChangeCredited(requestId, refundTo, change);
    }

    /// @inheritdoc IRequestingConsumer
    function withdrawRefund(address to) external returns (uint256 amount) {
        // Check
        if (to == address(0)) revert InferenceConsumer_ZeroAddress();
        amount = _refunds[msg.sender];
        if (amount == 0) revert InferenceConsumer_NothingToWithdraw(msg.sender);
        // Effect
        _refunds[msg.sender] = 0;
        emit RefundWithdrawn(msg.sender, to, amount);
        // Interaction
        _market().withdraw(amount, to);
    }

    /// @inheritdoc IRequestingConsumer
    function withdrawCompensation(address to) external returns (uint256 amount) {
        return _withdrawCompensation(msg.sender, to);
    }

    /// @inheritdoc IRequestingConsumer
    function refundOf(address account) external view returns (uint256) {
        return _refunds[account];
    }

    /// @inheritdoc IRequestingConsumer
    function compensationOf(address account) external view returns (uint256) {
        return _compensations[account];
    }

    /// @inheritdoc IRequestingConsumer
    function isAwaited(uint256 requestId) public view returns (bool) {
        return _asked[requestId].refundTo != address(0);
    }

    /// @inheritdoc IRequestingConsumer
    function freeBalance() external view returns (uint256) {
        return _free;
    }

    // --- for subclasses ---

    /// @dev Acts on the answer to an open request, which is closed by now. State only: no call to code that is not
    /// known, since it runs with the gas of the callback.
    function _onAnswer(uint256 requestId, Asked memory asked, bytes calldata output) internal virtual;

    /// @dev Told when a request ended without an answer and the refund is credited. Must not revert: that would hold
    /// the refund back.
    // solhint-disable-next-line no-empty-blocks
    function _onRefund(uint256 requestId, Asked memory asked) internal virtual {}

    /// @dev A packed input, for versions that bind packed inputs.
    function _packed(bytes memory input) internal view returns (Question memory) {
        // Check: an input of another length could never be answered.
        if (input.length != INPUT_LENGTH) revert InferenceConsumer_InputLength(input.length, INPUT_LENGTH);
        bytes32 digest = keccak256(input);
        return Question({input: input, digest: digest, binding: digest, hint: ""});
    }

    /// @dev An input by its commitment, for versions that bind commitments. Executors fetch it by `hint`.
    function _committed(bytes32 digest, bytes32 binding, string memory hint) internal pure returns (Question memory) {
        return Question({input: "", digest: digest, binding: binding, hint: hint});
    }

    /// @dev Asks for the caller: takes the price from him and nobody else, and owes him what comes back.
    function _askForCaller(Terms memory terms, Question memory question, uint96 context)
        internal
        returns (uint256 requestId)
    {
        _pull(terms.price);
        return _open(terms, question, Asked({refundTo: msg.sender, context: context}));
    }

    /// @dev Asks for this contract, which pays from its free balance and gets back what comes back.
    function _askForItself(Terms memory terms, Question memory question, uint96 context)
        internal
        returns (uint256 requestId)
    {
        _spend(terms.price);
        return _open(terms, question, Asked({refundTo: address(this), context: context}));
    }

    /// @dev Uses the caller's ERC-2612 permit for this contract, so that he needs no approval before he asks. One that
    /// somebody else used first is no error: the allowance decides.
    function _permit(Permit calldata permit) internal {
        _TOKEN.tryPermit(permit.value, permit.deadline, permit.v, permit.r, permit.s);
    }

    /// @dev Adds `amount` of the caller's tokens to the contract's free balance.
    function _fund(uint256 amount) internal {
        _pull(amount);
        // Effect
        _free += amount;
    }

    /// @dev Takes back a request that nobody has locked. The price becomes a refund like any other.
    function _cancel(uint256 requestId) internal {
        if (!isAwaited(requestId)) revert InferenceConsumer_NotAwaited(requestId);
        _market().cancel(requestId);
        _creditRefund(requestId);
    }

    /// @dev Pays out of the contract's free balance.
    function _withdrawFree(uint256 amount, address to) internal {
        _spend(amount);
        // Interaction
        _market().withdraw(amount, to);
    }

    /// @dev For the caller, or for this contract where a subclass says to whom its own compensations go.
    function _withdrawCompensation(address account, address to) internal returns (uint256 amount) {
        // Check
        if (to == address(0)) revert InferenceConsumer_ZeroAddress();
        uint256 due = _compensations[account];
        // Interaction: known code, before the effects that depend on what it pays.
        if (_collected < due) _collect();
        amount = Math.min(due, _collected);
        if (amount == 0) revert InferenceConsumer_NothingToWithdraw(account);
        // Effect
        _compensations[account] = due - amount;
        _collected -= amount;
        emit CompensationWithdrawn(account, to, amount);
        // Interaction
        _TOKEN.safeTransfer(to, amount);
    }

    // --- inner steps ---

    /// @inheritdoc InferenceReceiver
    function _receive(uint256 requestId, address, bytes32, bytes calldata output) internal override {
        // Check: asked by this contract, which fixed mode and input, and not answered before.
        if (!isAwaited(requestId)) revert InferenceConsumer_NotAwaited(requestId);
        _answer(requestId, output);
    }

    function _answer(uint256 requestId, bytes calldata output) private {
        // Effect: closed first, so that nothing that follows can answer it again.
        Asked memory asked = _asked[requestId];
        delete _asked[requestId];
        emit InferenceAnswered(requestId);
        _onAnswer(requestId, asked, output);
    }

    /// @dev The caller has seen to the price.
    function _open(Terms memory terms, Question memory question, Asked memory asked)
        private
        returns (uint256 requestId)
    {
        // Check
        _requireAccepted(uint8(terms.mode));
        bool rises = terms.rampLength != 0;
        RequestParams memory params = RequestParams({
            versionId: VERSION_ID,
            mode: terms.mode,
            inputDigest: question.digest,
            inputBinding: question.binding,
            maxPrice: terms.price,
            minPrice: terms.minPrice,
            rampStart: rises ? uint64(block.timestamp) : 0,
            rampLength: terms.rampLength,
            collateral: terms.collateral,
            deadline: uint64(block.timestamp) + terms.lifetime,
            lockDuration: terms.lockDuration,
            executor: terms.executor,
            callback: address(this),
            callbackGas: terms.callbackGas
        });
        // Interaction: the market gives the number under which the answer is awaited.
        requestId = _market().request(params, question.input, question.hint);
        // Effect
        _asked[requestId] = asked;
        // The market takes no price that needs more than 88 bits.
        if (rises) _rising[requestId] = Rising({refundTo: asked.refundTo, price: uint96(terms.price)});
        emit InferenceAsked(requestId, asked.refundTo, asked.context);
    }

    /// @dev From the caller to this contract's balance at the market, by an allowance of just this amount that is used
    /// up at once.
    function _pull(uint256 amount) private {
        if (amount == 0) return;
        // Interaction: the token, then the market. What arrived decides.
        uint256 received = _TOKEN.pull(amount);
        if (received != amount) revert InferenceConsumer_TransferMismatch(received, amount);
        _TOKEN.forceApprove(MARKET, amount);
        _market().deposit(amount);
    }

    function _spend(uint256 amount) private {
        // Check
        if (amount > _free) revert InferenceConsumer_NotFunded(_free, amount);
        // Effect
        _free -= amount;
    }

    /// @dev The caller has seen the request refunded, and open here.
    function _creditRefund(uint256 requestId) private {
        // Effect: what the market paid back, now and as change at the first lock, and what it let the staking contract
        // credit where an executor had locked the request and missed its time. However many missed it one after the
        // other, the collateral of the last compensates.
        Request memory request = _market().requestOf(requestId);
        Asked memory asked = _asked[requestId];
        delete _asked[requestId];
        (, uint256 change) = _takeChange(requestId, request.price);
        uint256 amount = request.price + change;
        uint256 compensation = request.lockBlock == 0 ? 0 : Math.min(request.price, request.collateral / 2);
        _creditTo(asked.refundTo, amount);
        if (compensation != 0) _compensations[asked.refundTo] += compensation;
        emit InferenceRefunded(requestId, asked.refundTo, amount, compensation);
        _onRefund(requestId, asked);
    }

    /// @dev The change of a price that rose, once; nothing where it did not, or was credited before.
    /// @param price what it came to; the most, where nobody locked the request.
    function _takeChange(uint256 requestId, uint256 price) private returns (address refundTo, uint256 change) {
        Rising memory rising = _rising[requestId];
        if (rising.refundTo == address(0)) return (address(0), 0);
        // Effect
        delete _rising[requestId];
        return (rising.refundTo, rising.price - price);
    }

    /// @dev Of what lies in this contract's balance at the market, `amount` is the account's.
    function _creditTo(address account, uint256 amount) private {
        if (account == address(this)) _free += amount;
        else _refunds[account] += amount;
    }

    /// @dev Fetches what the staking contract has credited to this contract.
    function _collect() private {
        if (_STAKING.creditOf(address(this)) != 0) _collected += _STAKING.withdrawCredit(address(this));
    }

    function _market() private view returns (IInferenceMarket) {
        return IInferenceMarket(MARKET);
    }
}
