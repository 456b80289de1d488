// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Tensor} from "../../src/consumer/Tensor.sol";
import {FirstConsumer} from "../../src/examples/FirstConsumer.sol";
import {Network} from "../Network.t.sol";

/// @dev Turns packed bytes into numbers, as a dApp would hold them.
contract Reader {
    function unpack(bytes calldata packed) external pure returns (int256[] memory) {
        return Tensor.unpack(packed, 2);
    }
}

/// @notice The consumer of docs/contracts/consumer-kit.md, from question to label, with real proofs.
contract FirstConsumerTest is Network {
    function test_fromQuestionToLabel() external {
        FirstConsumer consumer = new FirstConsumer(address(market), packedVersion);
        Reader reader = new Reader();
        uint8[4] memory expected = [1, 2, 0, 1];
        token.mint(stranger, 4 * PRICE);
        vm.prank(stranger);
        token.approve(address(consumer), 4 * PRICE);
        for (uint256 i = 0; i < 4; ++i) {
            int256[] memory values = reader.unpack(packed.cases[i].input);
            vm.prank(stranger);
            uint256 requestId = consumer.ask(values, PRICE);
            assertEq(consumer.labelOf(requestId), 0, "not answered yet");
            lockBy(executor, requestId);
            nextBlock();
            fulfillBy(executor, requestId, packed, i);
            assertEq(consumer.labelOf(requestId), expected[i] + 1, "label");
        }
    }
}
