// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {InferenceConsumer} from "../../src/consumer/InferenceConsumer.sol";
import {IRequestingConsumer} from "../../src/interfaces/IRequestingConsumer.sol";
import {ConsumerNetwork} from "../ConsumerNetwork.t.sol";

/// @dev Breaks the base's rule: calls foreign code while it acts on an answer.
contract CallingConsumer is InferenceConsumer {
    address public immutable HOOK;
    uint256 public answers;

    constructor(address market, uint64 versionId, address hook) InferenceConsumer(market, versionId, ZK_ONLY) {
        HOOK = hook;
    }

    function ask(Terms calldata terms, bytes calldata input) external returns (uint256) {
        return _askForCaller(terms, _packed(input), 0);
    }

    function _onAnswer(uint256 requestId, Asked memory, bytes calldata output) internal override {
        ++answers;
        Redeliverer(HOOK).again(requestId, output);
    }
}

/// @dev Brings the same answer again, from within.
contract Redeliverer {
    bytes public refusal;

    function again(uint256 requestId, bytes calldata output) external {
        try IRequestingConsumer(msg.sender).deliver(requestId, output) {
            refusal = "";
        } catch (bytes memory reason) {
            refusal = reason;
        }
    }
}

/// @notice An answer that was acted on comes again: as a callback, by `deliver`, or from within the first.
contract ConsumerSecondAnswerAttack is ConsumerNetwork {
    function test_attack_theSameAnswerAgain() external {
        uint256 requestId = askAs(user, 0);
        answer(requestId);
        bytes memory output = packed.cases[0].output;
        bytes memory refusal =
            abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotAwaited.selector, requestId);
        vm.expectRevert(refusal);
        consumer.deliver(requestId, output);
        vm.prank(address(market));
        vm.expectRevert(refusal);
        consumer.onInference(requestId, packedVersion, address(consumer), 0, 0, output);
        assertEq(consumer.answers(), 1, "once");
    }

    /// @notice Neither after a refund: the request is closed, whatever comes.
    function test_attack_anAnswerAfterTheRefund() external {
        uint256 requestId = askAs(user, 0);
        missLock(requestId);
        consumer.reclaim(requestId);
        vm.prank(address(market));
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotAwaited.selector, requestId));
        consumer.onInference(requestId, packedVersion, address(consumer), 0, 0, packed.cases[0].output);
    }

    function test_attack_fromWithinTheFirst() external {
        Redeliverer redeliverer = new Redeliverer();
        CallingConsumer calling = new CallingConsumer(address(market), packedVersion, address(redeliverer));
        purse(user, address(calling));
        bytes memory input = packed.cases[0].input;
        vm.prank(user);
        uint256 requestId = calling.ask(terms(), input);
        answer(requestId);
        assertEq(calling.answers(), 1, "once");
        assertEq(
            redeliverer.refusal(),
            abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotAwaited.selector, requestId),
            "it was closed before it was acted on"
        );
    }
}
