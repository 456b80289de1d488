// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {KeySetVerifier} from "../src/KeySetVerifier.sol";
import {AttestedMarket} from "../src/attested/AttestedMarket.sol";
import {AttestedRequest, AttestedState} from "../src/attested/AttestedTypes.sol";
import {AttestedAnswer} from "../src/interfaces/IAttestationVerifier.sol";
import {KeySets} from "./KeySets.t.sol";
import {PlainNetwork} from "./PlainNetwork.t.sol";

/// @title The network with a market of attested answers
/// @notice A requester with a deposit believes two of three keys; an executor has them sign.
abstract contract AttestedNetwork is PlainNetwork, KeySets {
    uint128 internal constant PRICE = 5_000_003;

    AttestedMarket internal market;
    address internal executor;
    uint256[] internal keys = sortedKeys(3, 1);
    bytes32 internal policy;
    uint256 internal nextNonce;

    function setUp() public virtual override {
        super.setUp();
        executor = makeAddr("executor");
        market = new AttestedMarket(address(token), address(registry), address(validator), recordLimits());
        policy = keySets.policyOf(2, addressesOf(keys));
        depositAt(address(market), requester, DEPOSIT);
    }

    function request() internal returns (AttestedRequest memory) {
        return AttestedRequest({
            requester: requester,
            versionId: versionId,
            inputDigest: keccak256(input),
            inputBinding: keccak256(input),
            maxPrice: PRICE,
            minPrice: 0,
            rampStart: 0,
            rampLength: 0,
            deadline: uint64(block.timestamp) + 1 hours,
            verifier: address(keySets),
            policy: policy,
            executor: address(0),
            callback: address(0),
            callbackGas: 0,
            nonce: nextNonce++,
            inputHint: "https://inputs.example/1"
        });
    }

    /// @notice A price that rises from 1 to 5 dollars within half an hour.
    function rising() internal returns (AttestedRequest memory asked) {
        asked = request();
        (asked.minPrice, asked.rampStart, asked.rampLength) = (1_000_003, uint64(block.timestamp), 30 minutes);
    }

    function open(AttestedRequest memory asked) internal returns (uint256 requestId) {
        vm.prank(asked.requester);
        return market.request(asked, input);
    }

    function answerOf(AttestedRequest memory asked, bytes memory answered, address payee)
        internal
        view
        returns (AttestedAnswer memory)
    {
        return AttestedAnswer({
            market: address(market),
            requestId: market.idOf(asked),
            versionId: asked.versionId,
            inputDigest: asked.inputDigest,
            outputDigest: keccak256(answered),
            executor: payee
        });
    }

    /// @notice Evidence of two of the three keys for the executor.
    function evidenceFor(AttestedRequest memory asked) internal view returns (bytes memory) {
        return evidenceOf(2, keys, list(0, 2), keySets.digestOf(answerOf(asked, output, executor)));
    }

    function fulfill(AttestedRequest memory asked) internal {
        bytes memory evidence = evidenceFor(asked);
        vm.prank(executor);
        market.fulfill(asked, 0, output, evidence);
    }

    function sign(AttestedRequest memory asked) internal view returns (bytes memory) {
        return signatureOf(requesterKey, market.idOf(asked));
    }

    function fulfillSigned(AttestedRequest memory asked) internal returns (uint256 requestId) {
        (bytes memory evidence, bytes memory signature) = (evidenceFor(asked), sign(asked));
        vm.prank(executor);
        return market.fulfillSigned(asked, signature, 0, output, evidence);
    }

    function assertState(uint256 requestId, AttestedState expected) internal view {
        assertEq(uint256(market.stateOf(requestId)), uint256(expected), "state");
    }
}
