// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceConsumer} from "../src/consumer/InferenceConsumer.sol";
import {Permit, RequestParams} from "../src/types/MarketTypes.sol";
import {TrustMode} from "../src/types/ModelTypes.sol";
import {Network} from "./Network.t.sol";

/// @dev Everything that the base offers to subclasses, open to the tests; notes what it was told.
contract OpenConsumer is InferenceConsumer {
    uint256 public answers;
    uint256 public refunds;
    uint256 public lastId;
    address public lastRefundTo;
    uint96 public lastContext;
    bytes public lastOutput;
    bool public broken;

    constructor(address market, uint64 versionId, uint8 modes) InferenceConsumer(market, versionId, modes) {}

    function askForCaller(Terms calldata terms, bytes calldata input, uint96 context) external returns (uint256) {
        return _askForCaller(terms, _packed(input), context);
    }

    function askWithPermit(Terms calldata terms, bytes calldata input, Permit calldata permit)
        external
        returns (uint256)
    {
        _permit(permit);
        return _askForCaller(terms, _packed(input), 0);
    }

    function askForItself(Terms calldata terms, bytes calldata input, uint96 context) external returns (uint256) {
        return _askForItself(terms, _packed(input), context);
    }

    function askCommitted(Terms calldata terms, bytes32 digest, bytes32 binding, string calldata hint)
        external
        returns (uint256)
    {
        return _askForCaller(terms, _committed(digest, binding, hint), 0);
    }

    function fund(uint256 amount) external {
        _fund(amount);
    }

    function cancel(uint256 requestId) external {
        _cancel(requestId);
    }

    function withdrawFree(uint256 amount, address to) external {
        _withdrawFree(amount, to);
    }

    function withdrawOwnCompensation(address to) external {
        _withdrawCompensation(address(this), to);
    }

    function setBroken(bool broken_) external {
        broken = broken_;
    }

    function _onAnswer(uint256 requestId, Asked memory asked, bytes calldata output) internal override {
        require(!broken, "broken");
        ++answers;
        (lastId, lastRefundTo, lastContext, lastOutput) = (requestId, asked.refundTo, asked.context, output);
    }

    function _onRefund(uint256 requestId, Asked memory asked) internal override {
        ++refunds;
        (lastId, lastRefundTo, lastContext) = (requestId, asked.refundTo, asked.context);
    }
}

/// @title The network with a consumer that asks by itself
abstract contract ConsumerNetwork is Network {
    uint8 internal constant ZK_BIT = uint8(1 << uint8(TrustMode.ZK));

    OpenConsumer internal consumer;
    address internal user;
    address internal other;

    function setUp() public virtual override {
        super.setUp();
        consumer = new OpenConsumer(address(market), packedVersion, ZK_BIT);
        user = makeAddr("user");
        other = makeAddr("other");
        purse(user, address(consumer));
        purse(other, address(consumer));
    }

    /// @notice Tokens, and an approval for a consumer.
    function purse(address account, address spender) internal {
        token.mint(account, 100e6);
        vm.prank(account);
        token.approve(spender, type(uint256).max);
    }

    function terms() internal pure returns (InferenceConsumer.Terms memory) {
        return InferenceConsumer.Terms({
            mode: TrustMode.ZK,
            price: PRICE,
            minPrice: 0,
            rampLength: 0,
            collateral: COLLATERAL,
            lifetime: 1 hours,
            lockDuration: LOCK_DURATION,
            executor: address(0),
            callbackGas: 400_000
        });
    }

    function askAs(address account, uint96 context) internal returns (uint256 requestId) {
        bytes memory input = packed.cases[0].input;
        vm.prank(account);
        return consumer.askForCaller(terms(), input, context);
    }

    /// @notice Locks and proves a request about the first case of `packed`.
    function answer(uint256 requestId) internal {
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
    }

    /// @notice Locks a request and lets the lock's deadline pass.
    function missLock(uint256 requestId) internal {
        lockBy(executor, requestId);
        skip(LOCK_DURATION + 1);
    }

    /// @notice A stranger's request that names a consumer as callback.
    function strangersParams(address callback) internal view returns (RequestParams memory params) {
        params = packedParams();
        params.callback = callback;
        params.callbackGas = 400_000;
    }
}
