// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DigitReader} from "../../src/examples/DigitReader.sol";
import {FirstConsumer} from "../../src/examples/FirstConsumer.sol";
import {Network} from "../Network.t.sol";

contract ContractSizesTest is Network {
    /// @dev EIP-170.
    uint256 internal constant LIMIT = 24_576;

    function test_everyContractFitsTheCodeLimit() external {
        address[8] memory deployed = [
            address(token),
            address(registry),
            address(verifier),
            address(staking),
            address(market),
            halo2,
            address(new DigitReader(address(market), packedVersion)),
            address(new FirstConsumer(address(market), packedVersion))
        ];
        for (uint256 i = 0; i < deployed.length; ++i) {
            assertTrue(deployed[i].code.length != 0, "deployed");
            vm.assertLt(deployed[i].code.length, LIMIT, "code size");
        }
    }
}
