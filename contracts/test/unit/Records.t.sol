// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Records} from "../../src/libraries/Records.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {Finality, Result} from "../../src/types/RecordTypes.sol";
import {Base} from "../Base.t.sol";

contract RecordsTest is Base {
    function testFuzz_aRecordSaysItsStateAndDetails(uint8 state, bytes32 details) external pure {
        uint256 record = Records.pack(state, details);
        assertEq(Records.stateOf(record), state, "state");
        assertEq(uint248(record), uint248(uint256(details)), "details");
    }

    function testFuzz_differentStatesAreDifferentRecords(uint8 state, uint8 other, bytes32 details, bytes32 more)
        external
        pure
    {
        vm.assume(state != other);
        assertTrue(Records.pack(state, details) != Records.pack(other, more), "whatever the details");
    }

    function testFuzz_bothWordsSayTheResult(
        uint64 versionId,
        uint8 mode,
        uint8 how,
        uint40 finalAt,
        uint128 bond,
        bytes32 outputDigest
    ) external pure {
        Result memory result = Result({
            versionId: versionId,
            mode: TrustMode(bound(mode, 0, 3)),
            how: Finality(bound(how, 0, 4)),
            finalAt: finalAt,
            bond: bond,
            outputDigest: outputDigest
        });
        uint256 record = Records.pack(Records.FINAL, outputDigest);
        Result memory read = Records.unpackResult(record, Records.packResult(result));
        if (bond > type(uint88).max) result.bond = type(uint88).max;
        assertEq(abi.encode(read), abi.encode(result), "all but what a bond is above 2^88");
    }
}
