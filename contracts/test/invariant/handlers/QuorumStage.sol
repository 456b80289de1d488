// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {QuorumMarket} from "../../../src/quorum/QuorumMarket.sol";
import {QuorumMembers} from "../../../src/quorum/QuorumMembers.sol";
import {QuorumRequest, QuorumRound, QuorumState, SeatState} from "../../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../../QuorumNetwork.t.sol";

/// @title Actors of an invariant run at a market by quorum, and the model that they are compared with
/// @notice The model is what the rules say, in plain arithmetic: it looks nothing up in the contracts.
abstract contract QuorumStage is QuorumNetwork {
    uint256 internal constant REQUESTERS = 3;
    uint256 internal constant OUTSIDERS = 3;
    uint256 internal constant MAX_REQUESTS = 40;

    /// @notice A request and what became of it.
    struct RequestModel {
        QuorumRequest asked;
        uint64 openedBlock;
        QuorumState state;
        QuorumRound round;
        uint256 settlements;
        bytes32 finalDigest;
        uint256 agreed;
    }

    /// @notice What the holder of a seat did, and what it answers.
    struct SeatModel {
        SeatState state;
        bytes answer;
    }

    struct MemberModel {
        uint256 stake;
        uint256 openSeats;
        uint256 capacity;
        uint256 minPrice;
        bool isAwake;
    }

    address[] public requesters;
    uint256[] internal requesterKeys;
    RequestModel[] internal requests;
    mapping(uint256 index => SeatModel[]) internal seats;
    mapping(address => MemberModel) internal members;
    /// @dev Weights at the end of the block before the present one, and as each request found them.
    mapping(address => uint256) internal weightBefore;
    uint256 private _presentBlock;
    mapping(uint256 index => mapping(address => uint256)) internal weightOf;

    mapping(address => uint256) public balances;
    mapping(address => uint256) public credits;
    uint256 public royalties;
    uint256 public donated;
    uint256 public slashedTotal;
    uint256 public burnedTotal;
    mapping(address => uint256) public slashedOf;
    mapping(bytes32 => uint256) public counts;

    function setUp() public virtual override {
        super.setUp();
        for (uint256 i = 0; i < REQUESTERS; ++i) {
            (address account, uint256 key) = makeAddrAndKey(string.concat("requester ", vm.toString(i + 1)));
            requesters.push(account);
            requesterKeys.push(key);
            depositAt(address(market), account, DEPOSIT);
            balances[account] = DEPOSIT;
        }
        balances[requester] = DEPOSIT;
        for (uint256 i = 0; i < MEMBER_COUNT; ++i) {
            members[accounts[i]] =
                MemberModel({stake: STAKE, openSeats: 0, capacity: CAPACITY, minPrice: 0, isAwake: true});
            weightBefore[accounts[i]] = STAKE;
        }
        for (uint256 i = 0; i < OUTSIDERS; ++i) {
            accounts.push(makeAddr(memberName(MEMBER_COUNT + i)));
            backPool(accounts[MEMBER_COUNT + i], ALLOCATED);
        }
        _presentBlock = block.number;
    }

    /// @dev Blocks may have ended while others acted.
    modifier inThisBlock() {
        if (_presentBlock != block.number) _endBlock();
        _;
    }

    // --- for the invariants ---

    function parts() external view returns (address, address, QuorumMarket, QuorumMembers) {
        return (address(token), address(staking), market, pool);
    }

    function requestCount() external view returns (uint256) {
        return requests.length;
    }

    function requestAt(uint256 index) external view returns (RequestModel memory) {
        return requests[index];
    }

    function seatsOf(uint256 index) external view returns (SeatModel[] memory) {
        return seats[index];
    }

    function memberModel(address account) external view returns (MemberModel memory) {
        return members[account];
    }

    function accountCount() external view returns (uint256) {
        return accounts.length;
    }

    function accountAt(uint256 index) external view returns (address) {
        return accounts[index];
    }

    function pin() external view returns (uint64, bytes32, uint256, address) {
        return (versionId, CLASS, modelId, requester);
    }

    function weightBeforeOf(address account) external view returns (uint256) {
        return _presentBlock == block.number ? weightBefore[account] : _weight(account);
    }

    function countOf(string memory name) external view returns (uint256) {
        return counts[keccak256(bytes(name))];
    }

    /// @notice Prices of requests that are not final.
    function escrow() external view returns (uint256 sum) {
        for (uint256 i = 0; i < requests.length; ++i) {
            QuorumState state = requests[i].state;
            if (state == QuorumState.OPEN || state == QuorumState.DRAWN) sum += requests[i].asked.price;
        }
    }

    /// @notice Rounds that are not settled in which the account sits.
    function seatsHeld(address account) external view returns (uint256 held) {
        for (uint256 i = 0; i < requests.length; ++i) {
            if (requests[i].state != QuorumState.DRAWN) continue;
            address[] storage drawn_ = requests[i].round.members;
            for (uint256 seat = 0; seat < drawn_.length; ++seat) {
                if (drawn_[seat] == account) ++held;
            }
        }
    }

    // --- steps that all actions share ---

    function _count(string memory name) internal {
        ++counts[keccak256(bytes(name))];
    }

    function _weight(address account) internal view returns (uint256) {
        return members[account].isAwake ? members[account].stake : 0;
    }

    /// @dev Ends the present block, and perhaps some empty ones.
    function _roll(uint256 blocks_, uint256 seconds_) internal {
        vm.roll(block.number + blocks_);
        vm.warp(block.timestamp + seconds_);
        _endBlock();
    }

    /// @dev In the first action of a block.
    function _endBlock() private {
        for (uint256 i = 0; i < accounts.length; ++i) {
            weightBefore[accounts[i]] = _weight(accounts[i]);
        }
        _presentBlock = block.number;
    }

    /// @dev What must not be possible now.
    function _refused(address target, address caller, bytes memory data, string memory reason) internal {
        vm.prank(caller);
        (bool success,) = target.call(data);
        assertFalse(success, reason);
        _count("refused");
    }

    /// @dev A request in this state, from some place on; the count of requests where there is none.
    function _pick(uint256 seed, QuorumState state) internal view returns (uint256) {
        for (uint256 i = 0; i < requests.length; ++i) {
            uint256 index = addmod(seed, i, requests.length);
            if (requests[index].state == state) return index;
        }
        return requests.length;
    }
}
