// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ReusedDigit} from "../../src/examples/ReusedDigit.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {BoardNetwork} from "../BoardNetwork.t.sol";

contract ReusedDigitTest is BoardNetwork {
    ReusedDigit internal reader;

    function setUp() public override {
        super.setUp();
        reader = new ReusedDigit(address(board), everyMode, COLLATERAL);
    }

    function test_reusesWhatAnotherPaidFor() external {
        board.publishProven(provenResult());
        vm.prank(stranger);
        assertEq(reader.digitOf(binding(), truth()), 1, "the digit");
    }

    function test_reusesAnAnswerWithEnoughBond() external {
        board.publishLazy(lazyResult(COLLATERAL - 1));
        _noResult();
        board.publishLazy(lazyResult(COLLATERAL));
        assertEq(reader.digitOf(binding(), truth()), 1, "the digit");
    }

    function test_believesNoOtherModes() external {
        board.publishQuorum(quorumResult(CLASS, truth()));
        board.publishAttested(attestedResult(truth()));
        _noResult();
    }

    function test_refusesAnotherOutput() external {
        board.publishProven(provenResult());
        bytes memory forged = packed.cases[1].output;
        vm.expectRevert(
            abi.encodeWithSelector(ReusedDigit.ReusedDigit_OtherOutput.selector, keccak256(forged), keccak256(truth()))
        );
        reader.digitOf(binding(), forged);
    }

    function test_refusesAnAnswerOfNoShape() external {
        bytes memory odd = "odd";
        board.publishLazy(lazyResult(COLLATERAL, odd));
        vm.expectRevert(
            abi.encodeWithSelector(ReusedDigit.ReusedDigit_OutputLength.selector, odd.length, truth().length)
        );
        reader.digitOf(binding(), odd);
    }

    function test_readsOneTensorOnly() external {
        VersionParams memory params = publication(packed, 0);
        params.ioSchema = hex"0102020700000004040e00000003040e00000003";
        vm.prank(builder);
        uint64 two = registry.publishVersion(modelId, params);
        vm.expectRevert(abi.encodeWithSelector(ReusedDigit.ReusedDigit_NotOneOutput.selector, 2));
        new ReusedDigit(address(board), two, 0);
    }

    function _noResult() private {
        bytes32 asked = binding();
        vm.expectRevert(abi.encodeWithSelector(ReusedDigit.ReusedDigit_NoResult.selector, asked));
        reader.digitOf(asked, truth());
    }
}
