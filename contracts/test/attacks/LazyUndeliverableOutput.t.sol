// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {LazyMarket} from "../../src/lazy/LazyMarket.sol";
import {LazyLock, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {TrustMode, VersionParams} from "../../src/types/ModelTypes.sol";
import {RecordLimits} from "../../src/types/RecordTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: a requester asks a version whose output is longer than the market takes, so that whoever locks
/// cannot answer and loses his collateral. No such market can be made: it takes all that the registry lets a version
/// have.
contract LazyUndeliverableOutputAttack is LazyNetwork {
    /// @dev One input of four bytes, one output of 8,188 int64: the most values that the registry accepts.
    bytes internal constant LONGEST = hex"0101010000000004080000001ffc";
    bytes internal constant LONGER = hex"0101010000000004080000001ffd";

    function test_attack_aMarketThatTakesLess() external {
        RecordLimits memory tight = recordLimits();
        tight.maxOutputLength = 65_535;
        vm.expectRevert(IRecordMarket.RecordMarket_InvalidConfiguration.selector);
        make(tight);
        tight.maxOutputLength = 65_536;
        make(tight);
    }

    function test_attack_theLongestOutputOfAll() external {
        LazyRequest memory asked = lazyRequest(published(LONGEST), packed, 0);
        LazyLock memory made = lockedBy(asked, executor);
        vm.prank(executor);
        lazy.fulfill(asked, made, new bytes(8 * 8188));
        assertLazy(lazy.idOf(asked), LazyState.ANSWERED);
    }

    function test_attack_anOutputThatIsLonger() external {
        vm.expectRevert();
        this.published(LONGER);
    }

    function published(bytes memory ioSchema) public returns (uint64) {
        VersionParams memory params = publication(packed, ROYALTY_BPS);
        params.modes = uint8(1 << uint8(TrustMode.LAZY_ZK));
        params.ioSchema = ioSchema;
        vm.prank(builder);
        return registry.publishVersion(modelId, params);
    }

    function make(RecordLimits memory limits) private {
        new LazyMarket(
            address(token),
            address(registry),
            address(verifier),
            address(staking),
            address(validator),
            address(court),
            limits,
            lazyLimits()
        );
    }
}
