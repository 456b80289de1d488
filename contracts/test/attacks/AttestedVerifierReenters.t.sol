// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedMarket} from "../../src/attested/AttestedMarket.sol";
import {AttestedRequest, AttestedState} from "../../src/attested/AttestedTypes.sol";
import {IAttestedMarket} from "../../src/attested/IAttestedMarket.sol";
import {AttestedAnswer, IAttestationVerifier} from "../../src/interfaces/IAttestationVerifier.sol";
import {AttestedNetwork} from "../AttestedNetwork.t.sol";

/// @notice A verifier of the requester's own, or a callback, calls the market while it decides: to refund, withdraw,
/// answer again.
contract AttestedVerifierReentersAttack is AttestedNetwork {
    function test_attack_fromTheVerifier() external {
        ReenteringVerifier verifier = new ReenteringVerifier(market);
        AttestedRequest memory asked = request();
        asked.verifier = address(verifier);
        uint256 requestId = open(asked);
        bytes[4] memory calls = [
            abi.encodeCall(market.refund, (asked)),
            abi.encodeCall(market.withdraw, (1, requester)),
            abi.encodeCall(market.cancelNonces, (0, 1)),
            abi.encodeCall(market.fulfill, (asked, 0, output, ""))
        ];
        for (uint256 i = 0; i < 4; ++i) {
            // The verifier sends these bytes as a call; it accepts whatever comes of it.
            uint256 id = vm.snapshotState();
            vm.prank(executor);
            market.fulfill(asked, 0, output, calls[i]);
            assertState(requestId, AttestedState.FINAL);
            assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "nothing moved but the price");
            vm.revertToState(id);
        }
    }

    function test_attack_fromTheCallback() external {
        ReenteringCallback callback = new ReenteringCallback();
        AttestedRequest memory asked = request();
        (asked.callback, asked.callbackGas) = (address(callback), 500_000);
        uint256 requestId = open(asked);
        callback.prepare(address(market), abi.encodeCall(market.refund, (asked)));
        vm.warp(asked.deadline);
        fulfill(asked);
        assertTrue(callback.tried(), "it tried");
        assertFalse(callback.succeeded(), "and could not");
        assertState(requestId, AttestedState.FINAL);
    }

    /// @dev It has a deposit, and asks a question of its own from within.
    function test_attack_askingFromTheCallback() external {
        ReenteringCallback callback = new ReenteringCallback();
        depositAt(address(market), address(callback), PRICE);
        AttestedRequest memory own = request();
        own.requester = address(callback);
        AttestedRequest memory asked = request();
        (asked.callback, asked.callbackGas) = (address(callback), 500_000);
        open(asked);
        callback.prepare(address(market), abi.encodeCall(market.request, (own, input)));
        fulfill(asked);
        assertTrue(callback.tried() && !callback.succeeded(), "nothing can be entered");
        assertState(market.idOf(own), AttestedState.NONE);
        // Outside of a callback the same call is in order.
        (bool success,) = address(callback).call("");
        assertTrue(success && callback.succeeded(), "afterwards it may ask");
    }

    /// @dev It answers a second request of the same requester from within the first.
    function test_attack_anotherRequestFromTheCallback() external {
        ReenteringCallback callback = new ReenteringCallback();
        AttestedRequest memory second = request();
        open(second);
        AttestedRequest memory asked = request();
        (asked.callback, asked.callbackGas) = (address(callback), 500_000);
        open(asked);
        callback.prepare(address(market), abi.encodeCall(market.fulfill, (second, 0, output, evidenceFor(second))));
        fulfill(asked);
        assertTrue(callback.tried() && !callback.succeeded(), "nothing can be entered");
    }
}

/// @dev Calls the market with the evidence, and then accepts.
contract ReenteringVerifier is IAttestationVerifier {
    AttestedMarket private immutable MARKET;

    constructor(AttestedMarket market_) {
        MARKET = market_;
    }

    function verifyAttestation(bytes32, AttestedAnswer calldata, bytes calldata evidence)
        external
        view
        returns (bytes4)
    {
        (bool success,) = address(MARKET).staticcall(evidence);
        require(!success, "entered");
        return IAttestationVerifier.verifyAttestation.selector;
    }
}

contract ReenteringCallback {
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
