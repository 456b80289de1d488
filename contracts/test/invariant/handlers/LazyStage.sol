// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyClaim, LazyDispute, LazyLock, LazyRequest, LazyState} from "../../../src/types/LazyTypes.sol";
import {Finality} from "../../../src/types/RecordTypes.sol";
import {LazyNetwork} from "../../LazyNetwork.t.sol";

/// @title Actors of an invariant run at the lazy market, and the model that they are compared with
/// @notice The model is what the rules say, in plain arithmetic: it looks nothing up in the contracts.
abstract contract LazyStage is LazyNetwork {
    uint256 internal constant ACTORS = 3;
    uint256 internal constant MAX_REQUESTS = 40;
    uint256 internal constant LAZY_STAKE = 12 * uint256(COLLATERAL);
    uint256 internal constant REQUESTER_DEPOSIT = 30 * uint256(PRICE);
    uint256 internal constant COURT_DEPOSIT = 6 * uint256(CHALLENGE_BOND);

    /// @param caseIndex which proven input it asks about.
    /// @param ends how often it paid or refunded.
    /// @param order counts challenges in the order in which they were opened; zero for a lot.
    struct Model {
        LazyRequest request;
        LazyLock made;
        LazyClaim claim;
        LazyDispute dispute;
        LazyState state;
        Finality how;
        uint256 caseIndex;
        bool isLie;
        bool isKept;
        uint64 finalAt;
        uint256 ends;
        uint256 order;
    }

    address[] public requesters;
    address[] public executors;
    address[] public challengers;
    uint256[] internal requesterKeys;

    Model[] internal models;
    uint256 internal challenges;
    mapping(uint256 => mapping(address => uint256)) public committedIn; // block, by request and challenger

    mapping(address => uint256) public balances;
    mapping(address => uint256) public courtBalances;
    mapping(address => uint256) public credits;
    mapping(address => uint256) public totals;
    mapping(address => uint256) public freed; // stake that left the market
    uint256 public royalties;
    uint256 public stakeToBurn;
    uint256 public bondsToBurn;
    uint256 public bondsBurned;
    uint256 public commitments;
    uint256 public donated;
    uint256 public slashedSum;
    mapping(bytes32 => uint256) internal counts;

    function setUp() public virtual override {
        super.setUp();
        for (uint256 i = 0; i < ACTORS; ++i) {
            (address account, uint256 key) = makeAddrAndKey(string.concat("requester ", vm.toString(i + 1)));
            requesters.push(account);
            requesterKeys.push(key);
            executors.push(makeAddr(string.concat("executor ", vm.toString(i + 1))));
            challengers.push(makeAddr(string.concat("challenger ", vm.toString(i + 1))));
            depositLazy(account, REQUESTER_DEPOSIT);
            balances[account] = REQUESTER_DEPOSIT;
            backLazy(executors[i], LAZY_STAKE);
            totals[executors[i]] = LAZY_STAKE;
            depositAtCourt(challengers[i], COURT_DEPOSIT);
            courtBalances[challengers[i]] = COURT_DEPOSIT;
        }
    }

    // --- for the invariants ---

    function parts() external view returns (address, address, address, address) {
        return (address(token), address(staking), address(lazy), address(court));
    }

    function modelCount() external view returns (uint256) {
        return models.length;
    }

    function modelAt(uint256 index) external view returns (Model memory) {
        return models[index];
    }

    function countOf(string memory name) external view returns (uint256) {
        return counts[keccak256(bytes(name))];
    }

    function royaltyModel() external view returns (uint256) {
        return modelId;
    }

    /// @notice What unfinished requests hold in escrow.
    function escrowModel() external view returns (uint256 sum) {
        for (uint256 i = 0; i < models.length; ++i) {
            LazyState state = models[i].state;
            if (state == LazyState.OPEN) sum += models[i].request.maxPrice;
            if (state == LazyState.LOCKED) sum += models[i].made.price;
            if (state == LazyState.ANSWERED || state == LazyState.DISPUTED) sum += models[i].claim.price;
        }
    }

    /// @notice Bonds of commitments and of open disputes.
    function bondModel() external view returns (uint256 sum) {
        sum = commitments * CHALLENGE_BOND;
        for (uint256 i = 0; i < models.length; ++i) {
            if (models[i].state == LazyState.DISPUTED) sum += models[i].dispute.bond;
        }
    }

    /// @notice What an executor's unfinished locks and answers use.
    function usedModel(address account) public view returns (uint256 sum) {
        for (uint256 i = 0; i < models.length; ++i) {
            LazyState state = models[i].state;
            bool isUsed = state == LazyState.LOCKED || state == LazyState.ANSWERED || state == LazyState.DISPUTED;
            if (isUsed && models[i].made.executor == account) sum += models[i].request.collateral;
        }
    }

    /// @notice His open challenges, and the deadline of the one that was opened last among them. Lots are not among
    /// them.
    function queueModel(address account) public view returns (uint256 open, uint256 last) {
        uint256 newest;
        for (uint256 i = 0; i < models.length; ++i) {
            if (models[i].state != LazyState.DISPUTED || models[i].claim.executor != account) continue;
            if (models[i].dispute.bond == 0) continue;
            ++open;
            if (models[i].order > newest) (newest, last) = (models[i].order, models[i].dispute.deadline);
        }
    }

    // --- for the actions ---

    function _count(string memory name) internal {
        ++counts[keccak256(bytes(name))];
    }

    function _unused(address account) internal view returns (uint256) {
        return totals[account] - usedModel(account);
    }

    function _output(Model memory model) internal view returns (bytes memory) {
        return model.isLie ? bytes("a lie") : packed.cases[model.caseIndex].output;
    }

    /// @dev The ramp by hand.
    function _price(LazyRequest memory request) internal view returns (uint128) {
        if (block.timestamp >= uint256(request.rampStart) + request.rampLength) return request.maxPrice;
        if (block.timestamp <= request.rampStart) return request.minPrice;
        uint256 rise = uint256(request.maxPrice - request.minPrice) * (block.timestamp - request.rampStart);
        return uint128(request.minPrice + rise / request.rampLength);
    }

    function _lockNow(LazyRequest memory request, address account) internal view returns (LazyLock memory made) {
        made = lockNow(request, account);
        made.price = _price(request);
    }

    function _mayBeNamed(LazyRequest memory request, address account) internal pure returns (bool) {
        return request.executor == address(0) || request.executor == account;
    }

    function _leavesTime(LazyRequest memory request) internal view returns (bool) {
        uint256 end = block.timestamp + request.lockDuration;
        if (end > request.deadline) end = request.deadline;
        return end >= block.timestamp + MIN_LOCK;
    }

    /// @dev A missed collateral or a wrong answer's.
    function _slash(
        address account,
        uint256 collateral,
        address harmed,
        uint256 compensation,
        address finder,
        uint256 reward
    ) internal {
        totals[account] -= collateral;
        credits[harmed] += compensation;
        credits[finder] += reward;
        stakeToBurn += collateral - compensation - reward;
        slashedSum += collateral;
        assertGe(collateral - compensation - reward, collateral / 2, "L9: at least half burns");
    }
}
