// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Skyline} from "../../src/results/Skyline.sol";
import {Base} from "../Base.t.sol";
import {BoardHandler} from "./handlers/BoardHandler.sol";

/// @title The board's invariants of README.md, by their numbers
contract BoardInvariants is Base {
    uint256 private constant OUTCOMES = 14;

    BoardHandler internal handler;

    function setUp() public {
        handler = new BoardHandler();
        handler.setUp();
        targetContract(address(handler));
        targetSelector(address(handler), handler.actions());
    }

    /// @notice B1: what readers of several modes find. What each topic shows (B1 to B5), the handler looks at whenever
    /// something is published there.
    function invariant_B1_readersFindTheNewestThatTheyBelieve() external view {
        for (uint8 modes = 1; modes < 16; ++modes) {
            handler.checkReader(modes, modes % 2 == 0 ? 0 : 3e6);
        }
    }

    /// @notice B1 to B4, of all topics, at the end of every run.
    function afterInvariant() external view {
        handler.model().check();
        for (uint8 modes = 1; modes < 16; ++modes) {
            handler.checkReader(modes, 19e6);
            handler.checkReader(modes, uint128(Skyline.PROVEN));
        }
    }

    /// @notice The handler reaches every action and every outcome: a run that does nothing proves nothing.
    function test_theBoardHandlerReachesEveryOutcome() external {
        bytes4[] memory selectors = handler.actions();
        for (uint256 i = 0; i < 300; ++i) {
            bytes32 dice = keccak256(abi.encode("board dice", i));
            bytes4 selector = selectors[uint256(dice) % selectors.length];
            uint256 word = uint256(keccak256(abi.encode(dice)));
            if (selector == handler.makeUnfinished.selector) word &= 1;
            (bool success,) = address(handler).call(abi.encodePacked(selector, word, dice));
            assertTrue(success, "an action failed");
            if (i % 20 == 0) this.invariant_B1_readersFindTheNewestThatTheyBelieve();
        }
        this.afterInvariant();
        string[OUTCOMES] memory names = [
            "makeProven",
            "makeUnfinished",
            "makeLazy",
            "makeLazyProven",
            "makeQuorum",
            "makeAttested",
            "pileUp",
            "passTime",
            "publishProven",
            "publishLazy",
            "publishQuorum",
            "publishAttested",
            "refusedHidden",
            "refusedUnfinished"
        ];
        for (uint256 i = 0; i < OUTCOMES; ++i) {
            assertTrue(handler.countOf(names[i]) != 0, string.concat("never reached: ", names[i]));
        }
        assertTrue(handler.model().pushedOut() != 0, "never reached: pushed out by one that came late");
        assertTrue(handler.model().hidden() != 0, "never reached: hidden by a newer one");
    }
}
