// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedMarket} from "../../src/attested/AttestedMarket.sol";
import {AttestedState} from "../../src/attested/AttestedTypes.sol";
import {TestDollar} from "../../src/development/TestDollar.sol";
import {Finality, Result} from "../../src/types/RecordTypes.sol";
import {Base} from "../Base.t.sol";
import {AttestedHandler} from "./handlers/AttestedHandler.sol";

/// @title The invariants of markets of attested answers of README.md, by their numbers
contract AttestedInvariants is Base {
    uint256 internal constant ACTORS = 3;
    uint256 private constant OUTCOMES = 11;

    AttestedHandler internal handler;
    AttestedMarket internal market;
    TestDollar internal token;
    uint256 internal modelId;
    address internal bystander;

    function setUp() public {
        AttestedHandler own = new AttestedHandler();
        own.setUp();
        judge(own);
        targetContract(address(handler));
        targetSelector(address(handler), handler.actions());
    }

    /// @notice Whom the invariants are about.
    function judge(AttestedHandler handler_) public {
        handler = handler_;
        address token_;
        (token_, market, modelId, bystander) = handler.parts();
        token = TestDollar(token_);
    }

    /// @notice A1, A2, A3: money, and what became of each request.
    function invariant_A1_A2_A3_paidOnceOrRefunded() external view {
        uint256 owed = market.balanceOf(bystander) + market.royaltyOf(modelId) + handler.escrow() + handler.donated();
        for (uint256 i = 0; i < ACTORS; ++i) {
            (address asker, address payee) = (handler.requesters(i), handler.executors(i));
            assertEq(market.balanceOf(asker), handler.balances(asker), "A2: requester's balance");
            assertEq(market.balanceOf(payee), handler.balances(payee), "A2: executor's balance");
            owed += market.balanceOf(asker) + market.balanceOf(payee);
        }
        assertEq(market.royaltyOf(modelId), handler.royalties(), "A2: royalties");
        assertEq(token.balanceOf(address(market)), owed, "A1: the market holds what it owes, and donations");
        for (uint256 i = 0; i < handler.requestCount(); ++i) {
            AttestedHandler.RequestModel memory model = handler.requestAt(i);
            uint256 requestId = market.idOf(model.asked);
            assertEq(uint256(market.stateOf(requestId)), uint256(model.state), "A3: no forbidden transition");
            Result memory result = market.resultOf(requestId);
            bool isFinal = model.state == AttestedState.FINAL;
            assertEq(result.outputDigest, model.digest, "A3: what is final never changes");
            assertEq(uint256(result.how), uint256(isFinal ? Finality.ATTESTED : Finality.NONE), "A3: how");
            assertEq(result.bond, 0, "A3: nobody's stake");
        }
    }

    /// @notice A4: at the end of every run everything ends, and everybody gets out what is his.
    function afterInvariant() external {
        vm.warp(block.timestamp + 2 days);
        for (uint256 i = 0; i < handler.requestCount(); ++i) {
            AttestedHandler.RequestModel memory model = handler.requestAt(i);
            if (model.state == AttestedState.OPEN) market.refund(model.asked);
        }
        for (uint256 i = 0; i < ACTORS; ++i) {
            _leave(handler.requesters(i));
            _leave(handler.executors(i));
        }
        _leave(bystander);
        uint256 left = market.royaltyOf(modelId) + handler.donated();
        assertEq(token.balanceOf(address(market)), left, "A4: royalties and donations are left");
    }

    /// @notice The handler reaches every action and every outcome: a run that does nothing proves nothing.
    function test_theAttestedHandlerReachesEveryOutcome() external {
        bytes4[] memory selectors = handler.actions();
        for (uint256 i = 0; i < 500; ++i) {
            bytes32 dice = keccak256(abi.encode("attested dice", i));
            _call(selectors[uint256(dice) % selectors.length], dice);
        }
        this.invariant_A1_A2_A3_paidOnceOrRefunded();
        this.afterInvariant();
        string[OUTCOMES] memory names = [
            "sign",
            "ask",
            "answer",
            "answerSigned",
            "refund",
            "cancel",
            "withdraw",
            "deposit",
            "donate",
            "passTime",
            "refused"
        ];
        for (uint256 i = 0; i < OUTCOMES; ++i) {
            assertTrue(handler.countOf(names[i]) != 0, string.concat("never reached: ", names[i]));
        }
    }

    /// @dev A boolean is an argument too, and only 0 and 1 decode.
    function _call(bytes4 selector, bytes32 dice) private {
        bytes memory data = abi.encodePacked(selector);
        for (uint256 j = 0; j < 4; ++j) {
            uint256 word = uint256(keccak256(abi.encode(dice, j)));
            data = bytes.concat(data, abi.encode(j == 3 ? word & 1 : word));
        }
        (bool success, bytes memory result) = address(handler).call(data);
        if (success) return;
        assembly ("memory-safe") {
            revert(add(result, 0x20), mload(result))
        }
    }

    function _leave(address account) private {
        uint256 balance = market.balanceOf(account);
        if (balance == 0) return;
        vm.prank(account);
        market.withdraw(balance, account);
    }
}
