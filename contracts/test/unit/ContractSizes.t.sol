// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {KeySetVerifier} from "../../src/KeySetVerifier.sol";
import {ReceiptCourt} from "../../src/ReceiptCourt.sol";
import {DigitReader} from "../../src/examples/DigitReader.sol";
import {FirstConsumer} from "../../src/examples/FirstConsumer.sol";
import {TraitToken} from "../../src/examples/TraitToken.sol";
import {VolatilityFeePool} from "../../src/examples/VolatilityFeePool.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {CourtLimits} from "../../src/types/ReceiptTypes.sol";
import {Network} from "../Network.t.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

contract ContractSizesTest is Network {
    /// @dev EIP-170.
    uint256 internal constant LIMIT = 24_576;

    function test_everyContractFitsTheCodeLimit() external {
        address[13] memory deployed = [
            address(token),
            address(registry),
            address(verifier),
            address(staking),
            address(market),
            address(validator),
            court(),
            halo2,
            address(new DigitReader(address(market), packedVersion)),
            address(new FirstConsumer(address(market), packedVersion)),
            address(new KeySetVerifier()),
            address(new TraitToken(address(market), packedVersion)),
            pool()
        ];
        for (uint256 i = 0; i < deployed.length; ++i) {
            assertTrue(deployed[i].code.length != 0, "deployed");
            vm.assertLt(deployed[i].code.length, LIMIT, "code size");
        }
    }

    /// @dev Of a version with the shape that the pool asks for.
    function pool() private returns (address) {
        VersionParams memory params = publication(packed, 0);
        params.ioSchema = hex"0101020800000008041600000001";
        vm.prank(builder);
        uint64 versionId = registry.publishVersion(modelId, params);
        VolatilityFeePool.Fees memory fees = VolatilityFeePool.Fees(1, 3, 2, 1, 1);
        return address(
            new VolatilityFeePool(address(market), versionId, IERC20(address(token)), IERC20(address(verifier)), fees)
        );
    }

    function court() private returns (address) {
        CourtLimits memory limits_ = CourtLimits({
            epochLength: 1 hours,
            maxReceiptLife: 1 days,
            responseWindow: 1 hours,
            minBond: 1,
            minChallengeBond: 1,
            maxChallengeBond: 1,
            maxCapacity: 1,
            rewardBps: 0,
            executorBps: 0,
            maxInputLength: 1
        });
        return address(new ReceiptCourt(address(verifier), address(staking), limits_));
    }
}
