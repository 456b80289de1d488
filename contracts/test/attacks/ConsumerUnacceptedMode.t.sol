// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DigitReader} from "../../src/examples/DigitReader.sol";
import {IInferenceReceiver} from "../../src/interfaces/IInferenceReceiver.sol";
import {Request} from "../../src/types/MarketTypes.sol";
import {TrustMode, VersionParams} from "../../src/types/ModelTypes.sol";
import {Network} from "../Network.t.sol";

/// @dev The part of a market that serves more modes which a receiver looks at.
contract MarketOfManyModes {
    address public immutable registry;
    mapping(uint256 requestId => TrustMode) public modes;

    constructor(address registry_) {
        registry = registry_;
    }

    function set(uint256 requestId, TrustMode mode) external {
        modes[requestId] = mode;
    }

    function requestOf(uint256 requestId) external view returns (Request memory shown) {
        shown.mode = modes[requestId];
    }
}

/// @notice The version allows other modes than the consumer believes. A stranger asks in one of them, with keys or
/// executors of his own choice, and names the consumer as callback.
contract ConsumerUnacceptedModeAttack is Network {
    MarketOfManyModes internal wide;
    uint64 internal wideVersion;
    DigitReader internal reader;

    function setUp() public override {
        super.setUp();
        wide = new MarketOfManyModes(address(registry));
        VersionParams memory params = publication(packed, 0);
        params.modes = ZK | uint8(1 << uint8(TrustMode.ATTESTED)) | uint8(1 << uint8(TrustMode.QUORUM));
        vm.prank(builder);
        wideVersion = registry.publishVersion(modelId, params);
        reader = new DigitReader(address(wide), wideVersion);
        for (uint256 mode = 0; mode < 4; ++mode) {
            wide.set(mode, TrustMode(mode));
        }
    }

    function test_attack_anAnswerInAnotherMode() external {
        for (uint256 mode = 1; mode < 4; ++mode) {
            vm.expectRevert(
                abi.encodeWithSelector(IInferenceReceiver.InferenceReceiver_ModeNotAccepted.selector, mode, ZK)
            );
            vm.prank(address(wide));
            reader.onInference(mode, wideVersion, stranger, 0, 0, packed.cases[0].output);
        }
        vm.prank(address(wide));
        reader.onInference(0, wideVersion, stranger, 0, 0, packed.cases[0].output);
        assertEq(reader.digitOf(0), 1, "proven answers are taken");
    }

    /// @notice Where the version allows accepted modes alone there is nothing to look up, and nothing is.
    function test_noLookUpWhereTheVersionAllowsNoOther() external {
        DigitReader plain = new DigitReader(address(market), packedVersion);
        // The market knows no request 77: a look-up would revert.
        vm.prank(address(market));
        plain.onInference(77, packedVersion, stranger, 0, 0, packed.cases[0].output);
        assertEq(plain.digitOf(0), 1, "taken");
    }
}
