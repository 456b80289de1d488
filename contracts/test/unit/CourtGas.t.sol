// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Receipt} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @title Gas of the court's transactions
/// @notice Whole transactions, as in `GasSnapshots`; the file is `contracts/snapshots/Court.json`. The bars of the
/// receipt path are asserted beside the snapshots.
/// forge-config: default.isolate = true
contract CourtGasTest is CourtNetwork {
    string internal constant GROUP = "Court";
    uint256 internal constant CHALLENGE_BAR = 150_000;
    uint256 internal constant RESPONSE_BAR = 620_000;

    function setUp() public override {
        super.setUp();
        loadFixture(mlp, "mlp");
        verifier.registerVka(mlp.vka);
        vm.prank(builder);
        mlpVersion = registry.publishVersion(modelId, publication(mlp, ROYALTY_BPS));
    }

    Fixture internal mlp;
    uint64 internal mlpVersion;

    function test_openPool() external {
        vm.prank(executor);
        court.openPools(epoch + 1, 1, BOND, CAPACITY, CHALLENGE_BOND);
        vm.snapshotGasLastCall(GROUP, "open a pool");
    }

    function test_growPool() external {
        vm.prank(executor);
        court.growPool(epoch, 5);
        vm.snapshotGasLastCall(GROUP, "grow a pool");
    }

    function test_releasePool() external {
        outlive(epoch);
        court.releasePool(executor, epoch);
        vm.snapshotGasLastCall(GROUP, "release a pool");
    }

    function test_commit() external {
        vm.prank(challenger);
        court.commit(SALT);
        vm.snapshotGasLastCall(GROUP, "commit");
    }

    function test_firstChallenge() external {
        uint256 gasUsed = _challenge(0, "challenge, the executor's first ever");
        assertLe(gasUsed, CHALLENGE_BAR, "the dearest challenge");
    }

    function test_challenge() external {
        respond(challenged(honest(0)));
        uint256 gasUsed = _challenge(1, "challenge");
        assertLe(gasUsed, CHALLENGE_BAR, "challenge");
    }

    function test_challengeBehindAnother() external {
        challenged(honest(0));
        uint256 gasUsed = _challenge(1, "challenge while another is open");
        assertLe(gasUsed, CHALLENGE_BAR, "challenge while another is open");
    }

    function test_respond() external {
        Receipt memory receipt = receiptFor(packedVersion, packed, 0, 0);
        uint256 claimId = challenged(receipt);
        uint256 gasUsed = _respond(ids(claimId), packed, "respond, packed, 4 inputs, 3 outputs");
        assertLe(gasUsed, RESPONSE_BAR, "response");
    }

    function test_respondMlp() external {
        Receipt memory receipt = receiptFor(mlpVersion, mlp, 0, 0);
        uint256 claimId = committed(challenger, receipt);
        openBy(challenger, claimId, receipt, mlp.cases[0].input);
        uint256 gasUsed = _respond(ids(claimId), mlp, "respond, MLP 16-32-16-4");
        assertLe(gasUsed, RESPONSE_BAR, "response");
    }

    function test_respondToTwo() external {
        uint256 first = challenged(honest(0));
        uint256 second = challenged(honest(1));
        _respond(ids(first, second), packed, "respond to two claims with one proof");
    }

    function test_slash() external {
        uint256 claimId = challenged(lie(0));
        missDeadline(claimId);
        court.slash(claimId);
        vm.snapshotGasLastCall(GROUP, "slash");
    }

    function test_report() external {
        Receipt memory first = honest(0);
        Receipt memory second = lie(0);
        uint256 claimId = commitTo(challenger, court.pairDigestOf(court.digestOf(first), court.digestOf(second)));
        nextBlock();
        (bytes memory a, bytes memory b) = (sign(first), sign(second));
        vm.prank(challenger);
        court.reportEquivocation(claimId, first, a, second, b, SALT);
        vm.snapshotGasLastCall(GROUP, "report an equivocation");
    }

    function _challenge(uint32 slot, string memory name) private returns (uint256 gasUsed) {
        Receipt memory receipt = lie(slot);
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
        return vm.snapshotGasLastCall(GROUP, name);
    }

    function _respond(uint256[] memory claimIds, Fixture storage fixture, string memory name)
        private
        returns (uint256 gasUsed)
    {
        Case memory proven = fixture.cases[0];
        bytes memory input = provenInput(fixture, 0);
        vm.prank(executor);
        court.respond(claimIds, 0, input, proven.output, proven.proof);
        return vm.snapshotGasLastCall(GROUP, name);
    }
}
