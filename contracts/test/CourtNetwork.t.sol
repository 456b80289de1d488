// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ReceiptCourt} from "../src/ReceiptCourt.sol";
import {IExecutorStaking} from "../src/interfaces/IExecutorStaking.sol";
import {IReceiptCourt} from "../src/interfaces/IReceiptCourt.sol";
import {Claim, ClaimState, CourtLimits, Pool, Receipt, ReceiptFlaw, SlotState} from "../src/types/ReceiptTypes.sol";
import {Network} from "./Network.t.sol";

/// @title The network with a court
/// @notice The executor has a pool for the current epoch, a client holds his receipts, a challenger has a deposit.
abstract contract CourtNetwork is Network {
    uint64 internal constant EPOCH = 6 hours;
    uint64 internal constant RECEIPT_LIFE = 1 days;
    uint64 internal constant WINDOW = 1 hours;
    uint128 internal constant MIN_BOND = 1e6;
    uint128 internal constant MIN_CHALLENGE_BOND = 1e6;
    uint128 internal constant MAX_CHALLENGE_BOND = 8e6;
    uint32 internal constant MAX_CAPACITY = 10_000;
    uint16 internal constant REWARD_BPS = 2000;
    uint16 internal constant EXECUTOR_BPS = 7500;
    uint256 internal constant COURT_MAX_INPUT = 4096;

    uint128 internal constant BOND = 10e6;
    uint128 internal constant CHALLENGE_BOND = 4e6;
    uint32 internal constant CAPACITY = 20;
    uint128 internal constant RECEIPT_PRICE = 1e6;
    uint256 internal constant COURT_STAKE = 1000e6;
    uint256 internal constant CHALLENGER_DEPOSIT = 1000e6;
    bytes32 internal constant SALT = keccak256("salt");

    ReceiptCourt internal court;
    address internal client;
    address internal challenger;
    address internal receiptKey;
    uint256 internal receiptPrivateKey;
    uint64 internal epoch;

    function setUp() public virtual override {
        super.setUp();
        // The first second of an epoch, so that there is room for everything inside it.
        vm.warp((block.timestamp / EPOCH + 1) * EPOCH);
        client = makeAddr("client");
        challenger = makeAddr("challenger");
        (receiptKey, receiptPrivateKey) = makeAddrAndKey("receipt key");
        court = new ReceiptCourt(address(verifier), address(staking), courtLimits());
        backCourt(executor, COURT_STAKE, receiptKey);
        depositAtCourt(challenger, CHALLENGER_DEPOSIT);
        epoch = court.epochAt(uint64(block.timestamp));
        openPool(executor, epoch, CAPACITY);
    }

    function courtLimits() internal pure returns (CourtLimits memory) {
        return CourtLimits({
            epochLength: EPOCH,
            maxReceiptLife: RECEIPT_LIFE,
            responseWindow: WINDOW,
            minBond: MIN_BOND,
            minChallengeBond: MIN_CHALLENGE_BOND,
            maxChallengeBond: MAX_CHALLENGE_BOND,
            maxCapacity: MAX_CAPACITY,
            rewardBps: REWARD_BPS,
            executorBps: EXECUTOR_BPS,
            maxInputLength: COURT_MAX_INPUT
        });
    }

    // --- money and stake ---

    /// @notice Stakes for the account, allocates to the court and registers its receipt key.
    function backCourt(address account, uint256 amount, address key) internal {
        token.mint(account, amount);
        vm.startPrank(account);
        token.approve(address(staking), amount);
        staking.stake(amount);
        staking.allocate(address(court), amount);
        vm.stopPrank();
        setKey(account, key);
    }

    function setKey(address account, address key) internal {
        vm.prank(account);
        staking.setProfile(
            IExecutorStaking.Profile({endpoint: "https://e.example", receiptKey: key, minPrice: 0, capacity: 1})
        );
    }

    function depositAtCourt(address account, uint256 amount) internal {
        token.mint(account, amount);
        vm.startPrank(account);
        token.approve(address(court), amount);
        court.deposit(amount);
        vm.stopPrank();
    }

    function openPool(address account, uint64 at, uint32 capacity) internal {
        vm.prank(account);
        court.openPools(at, 1, BOND, capacity, CHALLENGE_BOND);
    }

    // --- receipts ---

    /// @notice An honest receipt for a proven case.
    function receiptFor(uint64 versionId, Fixture storage fixture, uint256 index, uint32 slot)
        internal
        view
        returns (Receipt memory)
    {
        bytes32 digest = keccak256(fixture.cases[index].input);
        bytes32 binding = fixture.cases[index].inputBinding;
        return Receipt({
            versionId: versionId,
            inputBinding: binding,
            inputDigest: digest == binding ? bytes32(0) : digest,
            outputDigest: keccak256(fixture.cases[index].output),
            executor: executor,
            beneficiary: client,
            price: RECEIPT_PRICE,
            bond: BOND,
            issued: uint64(block.timestamp),
            expires: uint64(block.timestamp) + RECEIPT_LIFE,
            epoch: court.epochAt(uint64(block.timestamp)),
            slot: slot
        });
    }

    function honest(uint32 slot) internal view returns (Receipt memory) {
        return receiptFor(packedVersion, packed, 0, slot);
    }

    function lie(uint32 slot) internal view returns (Receipt memory receipt) {
        receipt = honest(slot);
        receipt.outputDigest = keccak256("a lie");
    }

    function sign(Receipt memory receipt) internal view returns (bytes memory) {
        return signWith(receiptPrivateKey, receipt);
    }

    function signWith(uint256 privateKey, Receipt memory receipt) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(privateKey, court.digestOf(receipt));
        return abi.encodePacked(r, s, v);
    }

    function inputOf(uint256 index) internal view returns (bytes memory) {
        return packed.cases[index].input;
    }

    // --- challenges ---

    function commitTo(address account, bytes32 digest) internal returns (uint256 claimId) {
        bytes32 commitment = court.commitmentOf(account, digest, SALT);
        vm.prank(account);
        claimId = court.commit(commitment);
    }

    /// @notice Commits to a receipt and goes to the next block.
    function committed(address account, Receipt memory receipt) internal returns (uint256 claimId) {
        claimId = commitTo(account, court.digestOf(receipt));
        nextBlock();
    }

    function openBy(address account, uint256 claimId, Receipt memory receipt, bytes memory input) internal {
        bytes memory signature = sign(receipt);
        vm.prank(account);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
    }

    /// @notice An open claim against a receipt over the packed input of case 0.
    function challenged(Receipt memory receipt) internal returns (uint256 claimId) {
        return challengedBy(challenger, receipt);
    }

    function challengedBy(address account, Receipt memory receipt) internal returns (uint256 claimId) {
        claimId = committed(account, receipt);
        openBy(account, claimId, receipt, inputOf(0));
    }

    function expectRefusal(ReceiptFlaw flaw) internal {
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_InvalidReceipt.selector, flaw));
    }

    function ids(uint256 claimId) internal pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = claimId;
    }

    function ids(uint256 first, uint256 second) internal pure returns (uint256[] memory list) {
        list = new uint256[](2);
        list[0] = first;
        list[1] = second;
    }

    function respondBy(address account, uint256[] memory claimIds, Fixture storage fixture, uint256 index)
        internal
        returns (uint256 settled)
    {
        Case memory proven = fixture.cases[index];
        bytes memory input = provenInput(fixture, index);
        vm.prank(account);
        return court.respond(claimIds, 0, input, proven.output, proven.proof);
    }

    function respond(uint256 claimId) internal returns (uint256 settled) {
        return respondBy(executor, ids(claimId), packed, 0);
    }

    /// @notice Goes one second past the claim's deadline.
    function missDeadline(uint256 claimId) internal {
        vm.warp(court.claimOf(claimId).deadline + 1);
        vm.roll(block.number + 1);
    }

    function slashed(uint256 claimId) internal {
        missDeadline(claimId);
        court.slash(claimId);
    }

    /// @notice Commits to a pair, opens the report in the next block.
    function reportBy(address account, Receipt memory first, Receipt memory second) internal returns (uint256 claimId) {
        claimId = commitTo(account, court.pairDigestOf(court.digestOf(first), court.digestOf(second)));
        nextBlock();
        (bytes memory firstSignature, bytes memory secondSignature) = (sign(first), sign(second));
        vm.prank(account);
        court.reportEquivocation(claimId, first, firstSignature, second, secondSignature, SALT);
    }

    /// @notice Goes to the first second in which the pool may be released.
    function outlive(uint64 at) internal {
        uint64 releasableAt = court.poolOf(executor, at).releasableAt;
        if (block.timestamp < releasableAt) vm.warp(releasableAt);
        vm.roll(block.number + 1);
    }

    // --- expectations ---

    function assertClaim(uint256 claimId, ClaimState expected) internal view {
        assertEq(uint256(court.claimOf(claimId).state), uint256(expected), "claim state");
    }

    function assertSlot(uint32 slot, SlotState expected) internal view {
        assertEq(uint256(court.slotOf(executor, epoch, slot)), uint256(expected), "slot state");
    }

    function assertFlaw(Receipt memory receipt, ReceiptFlaw expected) internal view {
        assertEq(uint256(court.flawOf(receipt, sign(receipt))), uint256(expected), "flaw");
    }

    function pool() internal view returns (Pool memory) {
        return court.poolOf(executor, epoch);
    }

    function claim(uint256 claimId) internal view returns (Claim memory) {
        return court.claimOf(claimId);
    }

    function lockedStake() internal view returns (uint256) {
        return staking.allocation(executor, address(court)).locked;
    }

    function allocatedStake() internal view returns (uint256) {
        return staking.allocation(executor, address(court)).allocated;
    }
}
