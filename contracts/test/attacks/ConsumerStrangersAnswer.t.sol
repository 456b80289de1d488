// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceReceiver} from "../../src/interfaces/IInferenceReceiver.sol";
import {IRequestingConsumer} from "../../src/interfaces/IRequestingConsumer.sol";
import {ConsumerNetwork, OpenConsumer} from "../ConsumerNetwork.t.sol";

/// @notice Answers that the consumer did not ask for: made up by a stranger, or proven and paid for in a stranger's own
/// request that names the consumer as its callback.
contract ConsumerStrangersAnswerAttack is ConsumerNetwork {
    function test_attack_aMadeUpAnswer() external {
        uint256 requestId = askAs(user, 0);
        bytes memory output = packed.cases[0].output;
        bytes32 binding = packed.cases[0].inputBinding;
        vm.prank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IInferenceReceiver.InferenceReceiver_NotMarket.selector, stranger));
        consumer.onInference(requestId, packedVersion, address(consumer), binding, binding, output);
        assertEq(consumer.answers(), 0, "not believed");
    }

    function test_attack_aStrangersOwnRequest() external {
        askAs(user, 0);
        uint256 requestId = open(strangersParams(address(consumer)));
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
        assertEq(consumer.answers(), 0, "proven, but not asked for");
        bytes memory output = packed.cases[0].output;
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotAwaited.selector, requestId));
        consumer.deliver(requestId, output);
    }

    /// @notice What only a defective market could send: the right id with other contents.
    function test_attack_anotherVersionOrShape() external {
        uint256 requestId = askAs(user, 0);
        bytes memory output = packed.cases[0].output;
        vm.prank(address(market));
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceReceiver.InferenceReceiver_OtherVersion.selector, kzgVersion, packedVersion
            )
        );
        consumer.onInference(requestId, kzgVersion, address(consumer), 0, 0, output);
        vm.prank(address(market));
        vm.expectRevert(abi.encodeWithSelector(IInferenceReceiver.InferenceReceiver_OutputLength.selector, 13, 12));
        consumer.onInference(requestId, packedVersion, address(consumer), 0, 0, bytes.concat(output, hex"00"));
    }

    /// @notice An answer to one consumer is none to another of the same version.
    function test_attack_anotherConsumersAnswer() external {
        uint256 requestId = askAs(user, 0);
        answer(requestId);
        OpenConsumer twin = new OpenConsumer(address(market), packedVersion, ZK_BIT);
        bytes memory output = packed.cases[0].output;
        vm.expectRevert(abi.encodeWithSelector(IRequestingConsumer.InferenceConsumer_NotAwaited.selector, requestId));
        twin.deliver(requestId, output);
    }
}
