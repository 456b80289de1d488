// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DigitReader} from "../../src/examples/DigitReader.sol";
import {RequestParams} from "../../src/types/MarketTypes.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {Network} from "../Network.t.sol";

/// @title Gas of the shipped classifier of digits, 64 inputs and 10 outputs
/// @notice The table of the demo's model: each line a transaction of its own, compared with `contracts/snapshots`.
/// forge-config: default.isolate = true
contract DigitsGasTest is Network {
    string internal constant GROUP = "Digits";

    Fixture internal digits;
    uint64 internal digitsVersion;

    function setUp() public override {
        super.setUp();
        loadFixture(digits, "digits");
        verifier.registerVka(digits.vka);
        vm.prank(builder);
        digitsVersion = registry.publishVersion(modelId, publication(digits, ROYALTY_BPS));
        // A first round, so that balances and royalties are not zero: later payments are the normal case.
        uint256 requestId = _locked(paramsFor(digitsVersion, digits, 0));
        fulfillBy(executor, requestId, digits, 0);
    }

    function test_publishVersion() external {
        VersionParams memory params = publication(digits, ROYALTY_BPS);
        vm.prank(builder);
        registry.publishVersion(modelId, params);
        vm.snapshotGasLastCall(GROUP, "publish version");
    }

    function test_request() external {
        RequestParams memory params = paramsFor(digitsVersion, digits, 1);
        bytes memory input = digits.cases[1].input;
        vm.prank(requester);
        market.request(params, input, "");
        vm.snapshotGasLastCall(GROUP, "request, input in the transaction");
    }

    function test_lock() external {
        uint256 requestId = open(paramsFor(digitsVersion, digits, 1));
        lockBy(executor, requestId);
        vm.snapshotGasLastCall(GROUP, "lock");
    }

    function test_fulfill() external {
        _fulfill(_locked(paramsFor(digitsVersion, digits, 1)), "fulfill ZK");
    }

    function test_fulfillWithReader() external {
        RequestParams memory params = paramsFor(digitsVersion, digits, 1);
        params.callback = address(new DigitReader(address(market), digitsVersion));
        params.callbackGas = 200_000;
        _fulfill(_locked(params), "fulfill ZK with DigitReader callback");
    }

    function test_refund() external {
        uint256 requestId = _locked(paramsFor(digitsVersion, digits, 1));
        skip(LOCK_DURATION + 1);
        market.refund(requestId);
        vm.snapshotGasLastCall(GROUP, "refund and slash");
    }

    function _locked(RequestParams memory params) private returns (uint256 requestId) {
        requestId = open(params);
        lockBy(executor, requestId);
        nextBlock();
    }

    function _fulfill(uint256 requestId, string memory name) private {
        Case memory proven = digits.cases[1];
        vm.prank(executor);
        market.fulfill(requestId, 0, proven.input, proven.output, proven.proof);
        vm.snapshotGasLastCall(GROUP, name);
    }
}
