// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedMarket} from "../../src/attested/AttestedMarket.sol";
import {QuorumMarket} from "../../src/quorum/QuorumMarket.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice The markets of quorums and attested answers beside the others in `ContractSizes`.
contract ModeMarketsSizesTest is QuorumNetwork {
    /// @dev EIP-170; EIP-3860 allows twice as much for code that creates code.
    uint256 internal constant LIMIT = 24_576;
    uint256 internal constant ARGUMENTS = 16 * 32;

    function test_everyPartFitsTheCodeLimit() external {
        AttestedMarket attested =
            new AttestedMarket(address(token), address(registry), address(validator), recordLimits());
        vm.assertLt(address(attested).code.length, LIMIT, "attested");
        vm.assertLt(address(market).code.length, LIMIT, "quorum");
        vm.assertLt(address(pool).code.length, LIMIT, "members");
    }

    /// @dev The market carries its pool's code until it has created it.
    function test_theMarketCanBeCreated() external pure {
        vm.assertLt(type(QuorumMarket).creationCode.length + ARGUMENTS, 2 * LIMIT, "creation code");
    }
}
