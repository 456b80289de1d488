// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {QuorumRequest, QuorumRound, QuorumState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice The requester's contract calls the market from within its callback: to settle again, to ask, to draw, to
/// withdraw. Nothing can be entered; the pool of members can, and what it does there is its own.
contract QuorumReentrantCallbackAttack is QuorumNetwork {
    QuorumCaller internal callback;

    function setUp() public override {
        super.setUp();
        callback = new QuorumCaller();
        depositAt(address(market), address(callback), DEPOSIT);
    }

    function test_attack_theMarketCannotBeEntered() external {
        QuorumRequest memory waiting = request();
        uint64 openedBlock = open(waiting);
        QuorumRound memory round = _told();
        QuorumRequest memory own = request();
        own.requester = address(callback);
        bytes[4] memory calls = [
            abi.encodeCall(market.settle, (round, output)),
            abi.encodeCall(market.request, (own, input)),
            abi.encodeCall(market.draw, (waiting, openedBlock)),
            abi.encodeCall(market.withdraw, (1, address(callback)))
        ];
        for (uint256 i = 0; i < 4; ++i) {
            uint256 id = vm.snapshotState();
            callback.prepare(address(market), calls[i]);
            market.settle(round, output);
            assertTrue(callback.tried() && !callback.succeeded(), "not entered");
            assertState(round.requestId, QuorumState.FINAL);
            assertEq(market.balanceOf(address(callback)), DEPOSIT, "nothing moved");
            // But for the first, which is over, the same calls are in order afterwards.
            (bool success,) = address(callback).call("");
            assertTrue(success && callback.succeeded() == (i != 0), "refused for the callback's sake");
            vm.revertToState(id);
        }
    }

    /// @dev It may enrol or leave like anybody: the seats of this round are over by then.
    function test_attack_thePoolIsItsOwnMatter() external {
        QuorumRound memory round = _told();
        callback.prepare(address(pool), abi.encodeCall(pool.unenroll, (versionId, CLASS)));
        market.settle(round, output);
        assertTrue(callback.tried() && !callback.succeeded(), "it is no member");
        for (uint256 seat = 0; seat < 5; ++seat) {
            assertEq(memberOf(round.members[seat]).openSeats, 0, "over before it was called");
        }
    }

    /// @dev A round that waits for its settlement, of which the contract will be told.
    function _told() private returns (QuorumRound memory) {
        QuorumRequest memory asked = request();
        (asked.callback, asked.callbackGas) = (address(callback), 900_000);
        return revealed(asked, 5);
    }
}

contract QuorumCaller {
    address private _target;
    bytes private _data;
    bool public tried;
    bool public succeeded;

    function prepare(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    fallback() external {
        tried = true;
        (succeeded,) = _target.call(_data);
    }
}
