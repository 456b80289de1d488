// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ClaimState, Receipt, ReceiptFlaw} from "../../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../../CourtNetwork.t.sol";

/// @title Actors of an invariant run at the court, and the model that they are compared with
/// @notice The model is what the rules say, in plain arithmetic: it looks nothing up in the contracts.
abstract contract CourtStage is CourtNetwork {
    uint256 internal constant ACTORS = 3;
    uint256 internal constant MAX_POOLS = 40;
    uint256 internal constant MAX_RECEIPTS = 60;
    uint256 internal constant MAX_CLAIMS = 80;
    /// @dev What the handler proves: two packed cases and two committed ones.
    uint256 internal constant CASES = 4;

    struct PoolModel {
        address executor;
        uint64 epoch;
        uint256 poolId;
        uint256 privateKey;
        uint256 bond;
        uint256 challengeBond;
        uint256 capacity;
        uint256 slashed;
        uint256 open;
        address reporter;
        bool gone;
    }

    /// @notice A receipt that somebody holds. `caseIndex` is the question; a lie answers it wrongly.
    struct Issued {
        Receipt receipt;
        uint256 privateKey;
        uint256 caseIndex;
        bool isLie;
    }

    struct ClaimModel {
        ClaimState state;
        address challenger;
        uint256 receiptIndex;
        uint256 poolIndex;
        uint256 committedBlock;
        uint256 deadline;
        uint256 order;
        uint256 settlements;
    }

    address[] public executors;
    address[] public challengers;
    address[] public clients;

    PoolModel[] internal pools;
    Issued[] internal issuedReceipts;
    ClaimModel[] internal claims; // index is claimId - 1
    mapping(address => mapping(uint64 => uint256)) internal poolAt; // index + 1
    mapping(uint256 => mapping(uint32 => bool)) internal slotGone;
    mapping(uint256 => bool) internal caseProven;
    mapping(address => uint256) internal keys;
    uint256 internal order;
    uint256 internal poolCount;

    mapping(address => uint256) public balances;
    mapping(address => uint256) public credits;
    mapping(address => uint256) public allocated;
    mapping(address => uint256) public exiting;
    mapping(address => uint256) public exitReadyAt;
    mapping(address => uint256) public free;
    mapping(address => uint256) public everOpened;
    uint256 public courtToBurn;
    uint256 public courtBurned;
    uint256 public stakeToBurn;
    uint256 public stakeBurned;
    uint256 public donated;
    uint256 public bondsSlashed;
    uint256 public bondsBurned;
    mapping(bytes32 => uint256) public counts;

    function setUp() public virtual override {
        super.setUp();
        for (uint256 i = 0; i < ACTORS; ++i) {
            executors.push(makeAddr(string.concat("executor ", vm.toString(i + 1))));
            challengers.push(makeAddr(string.concat("challenger ", vm.toString(i + 1))));
            clients.push(makeAddr(string.concat("requester ", vm.toString(i + 1))));
            (address key, uint256 privateKey) = makeAddrAndKey(string.concat("court key ", vm.toString(i)));
            backCourt(executors[i], COURT_STAKE, key);
            keys[executors[i]] = privateKey;
            allocated[executors[i]] = COURT_STAKE;
            depositAtCourt(challengers[i], CHALLENGER_DEPOSIT);
            balances[challengers[i]] = CHALLENGER_DEPOSIT;
        }
        balances[challenger] = CHALLENGER_DEPOSIT;
        poolCount = 1; // the pool that the network has from the start
    }

    // --- for the invariants ---

    function parts() external view returns (address, address, address) {
        return (address(token), address(staking), address(court));
    }

    function poolModels() external view returns (PoolModel[] memory) {
        return pools;
    }

    function claimModels() external view returns (ClaimModel[] memory) {
        return claims;
    }

    function receiptCount() external view returns (uint256) {
        return issuedReceipts.length;
    }

    function receiptAt(uint256 index) external view returns (Receipt memory receipt, bytes memory signature) {
        Issued storage held = issuedReceipts[index];
        return (held.receipt, signWith(held.privateKey, held.receipt));
    }

    function countOf(string memory name) external view returns (uint256) {
        return counts[keccak256(bytes(name))];
    }

    function slotIsGone(uint256 poolIndex, uint32 slot) external view returns (bool) {
        return slotGone[poolIndex][slot];
    }

    /// @notice Stake that pools of the executor lock, as the rules say.
    function lockedOf(address account) public view returns (uint256 locked) {
        for (uint256 i = 0; i < pools.length; ++i) {
            if (pools[i].executor == account) locked += poolLocked(i);
        }
    }

    function poolLocked(uint256 index) public view returns (uint256) {
        PoolModel storage held = pools[index];
        return held.gone ? 0 : held.bond * (held.capacity - held.slashed);
    }

    /// @notice Bonds of challengers that are in claims which are not final.
    function bondsHeld() external view returns (uint256 sum) {
        for (uint256 i = 0; i < claims.length; ++i) {
            if (claims[i].state == ClaimState.COMMITTED) sum += MAX_CHALLENGE_BOND;
            if (claims[i].state == ClaimState.OPEN) sum += pools[claims[i].poolIndex].challengeBond;
        }
    }

    /// @notice The executor's queue, found by looking at every claim.
    function queueModel(address account) public view returns (uint256 open, uint256 lastDeadline) {
        uint256 latest;
        for (uint256 i = 0; i < claims.length; ++i) {
            if (claims[i].state != ClaimState.OPEN || pools[claims[i].poolIndex].executor != account) continue;
            ++open;
            if (claims[i].order > latest) (latest, lastDeadline) = (claims[i].order, claims[i].deadline);
        }
    }

    /// @notice What is wrong with a receipt now, by the rules.
    function flawModel(uint256 index) public view returns (ReceiptFlaw) {
        ReceiptFlaw standing = standingFlaw(index);
        if (standing != ReceiptFlaw.NONE) return standing;
        Receipt storage receipt = issuedReceipts[index].receipt;
        if (block.timestamp > receipt.expires) return ReceiptFlaw.EXPIRED;
        if (slotGone[_poolOf(receipt)][receipt.slot]) return ReceiptFlaw.SLOT_SLASHED;
        return ReceiptFlaw.NONE;
    }

    function standingFlaw(uint256 index) public view returns (ReceiptFlaw) {
        Issued storage held = issuedReceipts[index];
        if (poolAt[held.receipt.executor][held.receipt.epoch] == 0) return ReceiptFlaw.NO_POOL;
        PoolModel storage backing = pools[_poolOf(held.receipt)];
        if (backing.gone) return ReceiptFlaw.NO_POOL;
        if (held.receipt.slot >= backing.capacity) return ReceiptFlaw.BEYOND_CAPACITY;
        if (held.receipt.bond != backing.bond) return ReceiptFlaw.OTHER_BOND;
        if (held.privateKey != backing.privateKey) return ReceiptFlaw.FOREIGN_SIGNATURE;
        return ReceiptFlaw.NONE;
    }

    // --- for actions ---

    function _poolOf(Receipt storage receipt) internal view returns (uint256) {
        return poolAt[receipt.executor][receipt.epoch] - 1;
    }

    function _now() internal view returns (uint64) {
        return uint64(block.timestamp) / EPOCH;
    }

    function _count(string memory name) internal {
        ++counts[keccak256(bytes(name))];
    }

    /// @dev Some claim in the given state, from a random place on; its number, or zero.
    function _pick(uint256 seed, ClaimState state) internal view returns (uint256 claimId) {
        for (uint256 i = 0; i < claims.length; ++i) {
            uint256 at = addmod(seed, i, claims.length);
            if (claims[at].state == state) return at + 1;
        }
    }

    function _caseOf(uint256 index) internal view returns (Case memory) {
        return index < 2 ? packed.cases[index] : kzg.cases[index - 2];
    }

    function _versionOfCase(uint256 index) internal view returns (uint64) {
        return index < 2 ? packedVersion : kzgVersion;
    }

    /// @dev Enters a claim's end.
    function _settled(uint256 claimId, ClaimState state) internal {
        ClaimModel storage model = claims[claimId - 1];
        if (model.state == ClaimState.OPEN) --pools[model.poolIndex].open;
        model.state = state;
        ++model.settlements;
    }

    /// @dev Stake that left an allocation by slashing; what was exiting can be at most what is left.
    function _loseStake(address account, uint256 amount) internal {
        allocated[account] -= amount;
        if (exiting[account] > allocated[account]) exiting[account] = allocated[account];
    }

    function _refused(address who, bytes memory data, string memory reason) internal {
        vm.prank(who);
        (bool success,) = address(court).call(data);
        assertFalse(success, reason);
        _count("refused");
    }
}
