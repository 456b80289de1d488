// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Request, RequestParams, RequestState} from "../../../src/types/MarketTypes.sol";
import {Circuit, Version, VersionParams} from "../../../src/types/ModelTypes.sol";
import {Network} from "../../Network.t.sol";

/// @dev A callback that takes whatever gas it gets, or fails.
contract Unruly {
    uint256 public calls;

    fallback() external {
        ++calls;
        if (calls % 3 == 0) revert("unruly");
        if (calls % 3 == 1) while (true) {}
    }
}

/// @title Actors of an invariant run, and the model that they are compared with
/// @notice The model is what the rules say, in plain arithmetic. Actions change contracts and model alike; the
/// invariants compare the two, and check sums that no model is needed for.
abstract contract Stage is Network {
    uint256 internal constant ACTORS = 3;
    uint256 internal constant MODELS = 2;
    uint256 internal constant MAX_REQUESTS = 200;
    uint256 internal constant MAX_VERSIONS = 10;

    /// @notice What the model knows of a request.
    struct Expected {
        RequestState state;
        address requester;
        address executor;
        address named;
        uint256 price; // in escrow
        uint256 maxPrice;
        uint256 minPrice;
        uint256 rampStart;
        uint256 rampLength;
        uint256 collateral;
        uint256 royaltyBps;
        uint256 deadline;
        uint256 lockDuration;
        uint256 lockDeadline;
        uint256 lockBlock;
        address missed; // whose claim waits after a lock that was missed
        bool second; // which of its two claim ids the lock has
        uint256 modelId;
        uint64 versionId;
        bool isKzg;
        bool hasBatch;
        uint256 caseIndex;
        uint256 payouts;
        bytes32 keptHash;
        bytes32 terms;
    }

    /// @notice What the model knows of an allocation.
    struct Held {
        uint256 allocated;
        uint256 locked;
        uint256 exiting;
        uint256 readyAt;
    }

    /// @notice A claim of the second slasher.
    struct SideClaim {
        address executor;
        uint256 amount;
    }

    struct VersionEntry {
        uint64 id;
        bool isKzg;
        bool hasBatch;
        uint256 royaltyBps;
        bytes32 fixedHash;
    }

    address[] public requesters;
    uint256[] internal requesterKeys;
    address[] public executors;
    address[] public holders;
    address[] public slashers;
    uint256[] public models;
    VersionEntry[] public versions;
    address internal unruly;

    /// @notice Ids of all requests, in the order in which they were made.
    uint256[] public ids;
    mapping(uint256 requestId => Expected) internal expected;
    /// @notice Requests that nobody signed: their ids count.
    uint256 public sentCount;
    SideClaim[] internal sideClaims;
    mapping(address => uint256) public balances;
    mapping(uint256 => uint256) public royalties;
    mapping(address => uint256) public free;
    mapping(address => mapping(address => Held)) public held;
    mapping(address => uint256) public credits;
    uint256 public toBurn;
    uint256 public burned;
    uint256 public slashedTotal;
    uint256 public lockedEver;
    uint256 public donatedToMarket;
    uint256 public donatedToStaking;
    mapping(bytes32 => uint256) public counts;

    /// @notice Rows of the batch circuit.
    uint256 internal constant ROWS = 4;
    Fixture internal batch;

    function setUp() public virtual override {
        super.setUp();
        unruly = address(new Unruly());
        loadFixture(batch, "batch4");
        verifier.registerVka(batch.vka);
        slashers.push(address(market));
        slashers.push(makeAddr("second slasher"));
        _actors();
        _models();
        for (uint256 i = 0; i < ACTORS; ++i) {
            balances[requesters[i]] = DEPOSIT;
            held[executors[i]][address(market)].allocated = STAKE;
        }
    }

    function _actors() private {
        requesters.push(requester);
        requesterKeys.push(requesterKey);
        executors.push(executor);
        for (uint256 i = 1; i < ACTORS; ++i) {
            (address account, uint256 key) = makeAddrAndKey(string.concat("requester ", vm.toString(i)));
            requesters.push(account);
            requesterKeys.push(key);
            executors.push(makeAddr(string.concat("executor ", vm.toString(i))));
            stakeFor(executors[i], STAKE);
            depositFor(requesters[i], DEPOSIT);
        }
        holders.push(builder);
        holders.push(makeAddr("second builder"));
        holders.push(requesters[1]); // one who asks and earns
    }

    function _models() private {
        models.push(modelId);
        versions.push(VersionEntry(packedVersion, false, false, ROYALTY_BPS, versionHash(packedVersion)));
        _remember(kzgVersion, true, ROYALTY_BPS);
        vm.prank(builder);
        _remember(registry.publishVersion(modelId, _publicationOf(false, ROYALTY_BPS)), false, ROYALTY_BPS);
        vm.startPrank(holders[1]);
        uint256 second = registry.registerModel("second");
        models.push(second);
        _remember(registry.publishVersion(second, _publicationOf(false, 3333)), false, 3333);
        _remember(registry.publishVersion(second, _publicationOf(true, 0)), true, 0);
        vm.stopPrank();
    }

    /// @dev Packed versions have a second circuit, for batches.
    function _publicationOf(bool isKzg, uint16 royaltyBps) internal view returns (VersionParams memory params) {
        if (isKzg) return publication(kzg, royaltyBps);
        params = publication(packed, royaltyBps);
        Circuit memory single = params.circuits[0];
        params.circuits = new Circuit[](2);
        params.circuits[0] = single;
        params.circuits[1] = circuitOf(batch);
    }

    function _remember(uint64 versionId, bool isKzg, uint256 royaltyBps) internal {
        versions.push(VersionEntry(versionId, isKzg, !isKzg, royaltyBps, versionHash(versionId)));
    }

    /// @notice Everything of a version that may never change.
    function versionHash(uint64 versionId) public view returns (bytes32) {
        Version memory version = registry.version(versionId);
        version.deprecated = false; // the one word that is advice
        return keccak256(
            abi.encode(version, registry.ioSchema(versionId), registry.circuits(versionId), registry.uri(versionId))
        );
    }

    /// @notice Everything of a request that may never change, also when it is paid.
    function keptHash(uint256 requestId) public view returns (bytes32) {
        Request memory r = market.requestOf(requestId);
        return keccak256(
            abi.encode(
                [bytes32(uint256(r.versionId)), r.inputDigest, r.inputBinding],
                [uint256(r.mode), r.collateral, r.callbackGas],
                [r.requester, r.namedExecutor, r.callback]
            )
        );
    }

    /// @notice Digest of the one output that a case has.
    function outputDigestOf(bool isKzg, uint256 caseIndex) external view returns (bytes32) {
        return keccak256(_fixtureOf(isKzg).cases[caseIndex].output);
    }

    function requestCount() public view returns (uint256) {
        return ids.length;
    }

    function expectedOf(uint256 requestId) external view returns (Expected memory) {
        return expected[requestId];
    }

    function versionCount() external view returns (uint256) {
        return versions.length;
    }

    function sideClaimCount() external view returns (uint256) {
        return sideClaims.length;
    }

    function sideClaim(uint256 index) external view returns (SideClaim memory) {
        return sideClaims[index];
    }

    function network() external view returns (address token_, address registry_, address staking_, address market_) {
        return (address(token), address(registry), address(staking), address(market));
    }

    /// @dev A request in `state`, searched from a random start; zero if there is none.
    function _pick(uint256 seed, RequestState state) internal view returns (uint256) {
        uint256 count = ids.length;
        for (uint256 i = 0; i < count; ++i) {
            uint256 at = (seed % count + i) % count;
            if (expected[ids[at]].state == state) return ids[at];
        }
        return 0;
    }

    /// @dev An open request that names an executor; zero if there is none.
    function _pickNamed(uint256 seed) internal view returns (uint256) {
        uint256 count = ids.length;
        for (uint256 i = 0; i < count; ++i) {
            uint256 at = (seed % count + i) % count;
            if (expected[ids[at]].state == RequestState.OPEN && expected[ids[at]].named != address(0)) return ids[at];
        }
        return 0;
    }

    /// @dev An open request that names nobody; zero if there is none.
    function _pickUnnamed(uint256 seed) internal view returns (uint256) {
        uint256 count = ids.length;
        for (uint256 i = 0; i < count; ++i) {
            uint256 at = (seed % count + i) % count;
            if (expected[ids[at]].state == RequestState.OPEN && expected[ids[at]].named == address(0)) return ids[at];
        }
        return 0;
    }

    /// @dev A locked request whose lock was missed and that still lives; zero if there is none.
    function _pickMissed(uint256 seed) internal view returns (uint256) {
        uint256 count = ids.length;
        for (uint256 i = 0; i < count; ++i) {
            uint256 requestId = ids[(seed % count + i) % count];
            Expected storage model = expected[requestId];
            bool isMissed = model.state == RequestState.LOCKED && block.timestamp > model.lockDeadline;
            if (isMissed && block.timestamp + MIN_LOCK <= model.deadline) return requestId;
        }
        return 0;
    }

    /// @dev A request whose lock runs, one that was missed before if there is one; zero if there is none.
    function _pickHeld(uint256 seed) internal view returns (uint256 requestId) {
        uint256 count = ids.length;
        for (uint256 i = 0; i < count; ++i) {
            uint256 id = ids[(seed % count + i) % count];
            Expected storage model = expected[id];
            if (model.state != RequestState.LOCKED || block.timestamp > model.lockDeadline) continue;
            if (model.missed != address(0)) return id;
            requestId = id;
        }
    }

    /// @dev What a lock of this second pays: from the top down, so that it rounds by itself.
    function _priceNow(Expected storage model) internal view returns (uint256) {
        uint256 end = model.rampStart + model.rampLength;
        if (model.state != RequestState.OPEN || block.timestamp >= end) return model.price;
        if (block.timestamp <= model.rampStart) return model.minPrice;
        uint256 missing = (model.maxPrice - model.minPrice) * (end - block.timestamp);
        return model.maxPrice - (missing + model.rampLength - 1) / model.rampLength;
    }

    /// @dev Until when a lock of this second lasts.
    function _lockEnd(Expected storage model) internal view returns (uint256) {
        uint256 end = block.timestamp + model.lockDuration;
        return end < model.deadline ? end : model.deadline;
    }

    function _lastSecond(Expected storage model) internal view returns (uint256) {
        return model.state == RequestState.LOCKED ? model.lockDeadline : model.deadline;
    }

    function _unlocked(address account, address slasher) internal view returns (uint256) {
        return held[account][slasher].allocated - held[account][slasher].locked;
    }

    function _fixtureOf(bool isKzg) internal view returns (Fixture storage) {
        if (isKzg) return kzg;
        return packed;
    }

    function _count(string memory action) internal {
        ++counts[keccak256(bytes(action))];
    }

    function countOf(string calldata action) external view returns (uint256) {
        return counts[keccak256(bytes(action))];
    }

    /// @dev The model's slash: out of the allocation, half at most to the harmed, the rest to burn.
    function _modelSlash(address account, address slasher, uint256 amount, address harmed, uint256 compensation)
        internal
    {
        Held storage h = held[account][slasher];
        h.allocated -= amount;
        h.locked -= amount;
        if (h.exiting > h.allocated) h.exiting = h.allocated;
        credits[harmed] += compensation;
        toBurn += amount - compensation;
        slashedTotal += amount;
    }
}
