// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IQuorumMarket} from "../src/quorum/IQuorumMarket.sol";
import {QuorumMarket} from "../src/quorum/QuorumMarket.sol";
import {QuorumMembers} from "../src/quorum/QuorumMembers.sol";
import {
    Member,
    MemberLimits,
    MemberTerms,
    QuorumRequest,
    QuorumRound,
    QuorumState,
    RoundLimits,
    SeatState
} from "../src/quorum/QuorumTypes.sol";
import {PlainNetwork} from "./PlainNetwork.t.sol";
import {Vm} from "./Vm.sol";

/// @title The network with a market by quorum
/// @notice Seven members of equal stake, a requester with a deposit.
abstract contract QuorumNetwork is PlainNetwork {
    uint88 internal constant MIN_STAKE = 20e6;
    uint88 internal constant SEAT_BOND = 5e6;
    uint88 internal constant OUTLIER_SLASH = 2e6;
    uint8 internal constant MIN_MEMBERS = 3;
    uint8 internal constant MAX_MEMBERS = 9;
    uint8 internal constant SEED_DELAY = 2;
    uint32 internal constant MIN_WINDOW = 30;
    uint32 internal constant MAX_WINDOW = 1 hours;

    uint256 internal constant MEMBER_COUNT = 7;
    uint88 internal constant STAKE = 100e6;
    uint256 internal constant ALLOCATED = 300e6;
    uint16 internal constant CAPACITY = 4;
    uint128 internal constant PRICE = 10_000_003;
    uint32 internal constant WINDOW = 60;
    bytes32 internal constant CLASS = keccak256("x86-64 avx2; onnxruntime 1.20; 1 thread");
    bytes32 internal constant SALT = keccak256("salt");
    bytes internal constant LIE = hex"ffffffffffffffff";

    QuorumMarket internal market;
    QuorumMembers internal pool;
    address[] internal accounts;
    uint256 internal nextNonce;

    function setUp() public virtual override {
        super.setUp();
        market = new QuorumMarket(
            address(token),
            address(registry),
            address(staking),
            address(validator),
            recordLimits(),
            roundLimits(),
            memberLimits()
        );
        pool = QuorumMembers(market.memberPool());
        for (uint256 i = 0; i < MEMBER_COUNT; ++i) {
            accounts.push(makeAddr(memberName(i)));
            backPool(accounts[i], ALLOCATED);
            enrollAs(accounts[i], STAKE);
        }
        depositAt(address(market), requester, DEPOSIT);
        nextBlock();
    }

    function memberName(uint256 index) internal pure virtual returns (string memory) {
        return string.concat("member ", vm.toString(index));
    }

    function roundLimits() internal pure returns (RoundLimits memory) {
        return RoundLimits({
            minMembers: MIN_MEMBERS,
            maxMembers: MAX_MEMBERS,
            seedDelay: SEED_DELAY,
            minWindow: MIN_WINDOW,
            maxWindow: MAX_WINDOW
        });
    }

    function memberLimits() internal pure returns (MemberLimits memory) {
        return MemberLimits({minStake: MIN_STAKE, seatBond: SEAT_BOND, outlierSlash: OUTLIER_SLASH});
    }

    // --- members ---

    /// @notice Stakes for the account and allocates to the pool.
    function backPool(address account, uint256 amount) internal {
        token.mint(account, amount);
        vm.startPrank(account);
        token.approve(address(staking), amount);
        staking.stake(amount);
        staking.allocate(address(pool), amount);
        vm.stopPrank();
    }

    function terms() internal pure returns (MemberTerms memory) {
        return MemberTerms({capacity: CAPACITY, minPrice: 0, minSeconds: 0});
    }

    function enrollAs(address account, uint88 stake) internal {
        vm.prank(account);
        pool.enroll(versionId, CLASS, stake, terms());
    }

    function memberOf(address account) internal view returns (Member memory) {
        return pool.memberOf(versionId, CLASS, account);
    }

    // --- requests ---

    function request() internal returns (QuorumRequest memory) {
        return requestFor(5, 3);
    }

    function requestFor(uint8 members, uint8 threshold) internal returns (QuorumRequest memory) {
        return QuorumRequest({
            requester: requester,
            versionId: versionId,
            runtimeClass: CLASS,
            inputDigest: keccak256(input),
            inputBinding: keccak256(input),
            price: PRICE,
            members: members,
            threshold: threshold,
            minEligible: 0,
            deadline: uint64(block.timestamp) + 1 hours,
            commitWindow: WINDOW,
            revealWindow: WINDOW,
            callback: address(0),
            callbackGas: 0,
            nonce: nextNonce++,
            inputHint: ""
        });
    }

    function open(QuorumRequest memory asked) internal returns (uint64 openedBlock) {
        vm.prank(asked.requester);
        market.request(asked, input);
        return uint64(block.number);
    }

    /// @notice Goes to the first block in which the seed is known.
    function toSeed(uint64 openedBlock) internal {
        vm.roll(openedBlock + SEED_DELAY + 1);
        vm.warp(block.timestamp + 12);
    }

    /// @notice Draws, and reads the round from the event as a member would.
    function draw(QuorumRequest memory asked, uint64 openedBlock) internal returns (QuorumRound memory round) {
        vm.recordLogs();
        market.draw(asked, openedBlock);
        return drawnIn(vm.getRecordedLogs());
    }

    function drawnIn(Vm.Log[] memory logs) internal pure returns (QuorumRound memory round) {
        bytes32 topic = IQuorumMarket.QuorumDrawn.selector;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == topic) return abi.decode(logs[i].data, (QuorumRound));
        }
        revert("nobody was drawn");
    }

    function drawn(QuorumRequest memory asked) internal returns (QuorumRound memory) {
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        return draw(asked, openedBlock);
    }

    // --- rounds ---

    function commitAs(QuorumRound memory round, uint256 seat, bytes memory answer) internal {
        address member = round.members[seat];
        bytes32 commitment = market.commitmentOf(member, round.requestId, SALT, keccak256(answer));
        vm.prank(member);
        market.commit(round, seat, commitment);
    }

    function revealAs(QuorumRound memory round, uint256 seat, bytes memory answer) internal {
        vm.prank(round.members[seat]);
        market.reveal(round, seat, SALT, answer);
    }

    /// @notice The first so many seats commit to the output, the rest of them to lies of their own.
    function commitAll(QuorumRound memory round, uint256 honest) internal {
        for (uint256 seat = 0; seat < round.members.length; ++seat) {
            commitAs(round, seat, seat < honest ? output : lieOf(seat));
        }
    }

    function revealAll(QuorumRound memory round, uint256 honest) internal {
        for (uint256 seat = 0; seat < round.members.length; ++seat) {
            revealAs(round, seat, seat < honest ? output : lieOf(seat));
        }
    }

    function lieOf(uint256 seat) internal pure returns (bytes memory) {
        return abi.encodePacked(LIE, uint8(seat));
    }

    /// @notice A round in which everybody revealed.
    function revealed(QuorumRequest memory asked, uint256 honest) internal returns (QuorumRound memory round) {
        round = drawn(asked);
        commitAll(round, honest);
        revealAll(round, honest);
    }

    function pastCommits(QuorumRound memory round) internal {
        vm.warp(round.commitDeadline + 1);
        vm.roll(block.number + 1);
    }

    function pastReveals(QuorumRound memory round) internal {
        vm.warp(round.revealDeadline + 1);
        vm.roll(block.number + 1);
    }

    // --- expectations ---

    function assertState(uint256 requestId, QuorumState expected) internal view {
        assertEq(uint256(market.stateOf(requestId)), uint256(expected), "state");
    }

    function assertSeat(uint256 requestId, uint256 seat, SeatState expected) internal view {
        (SeatState state,) = market.seatOf(requestId, seat);
        assertEq(uint256(state), uint256(expected), "seat");
    }

    function lockedOf(address account) internal view returns (uint256) {
        return staking.allocation(account, address(pool)).locked;
    }
}
