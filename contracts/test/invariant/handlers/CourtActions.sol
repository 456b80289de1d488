// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ClaimState, Receipt, ReceiptFlaw} from "../../../src/types/ReceiptTypes.sol";
import {CourtStage} from "./CourtStage.sol";

/// @title What people do at the court
/// @notice An action that the rules forbid at the moment is tried all the same, and must fail.
abstract contract CourtActions is CourtStage {
    // --- time ---

    function passTime(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, 1, WINDOW / 2));
        vm.roll(block.number + 1);
        _count("passTime");
    }

    function passAnEpoch(uint256 seconds_) external {
        vm.warp(block.timestamp + bound(seconds_, EPOCH / 4, EPOCH));
        vm.roll(block.number + 1);
        _count("passAnEpoch");
    }

    /// @notice To the last second of a claim, or the first after it.
    function passToADeadline(uint256 seed, bool over) external {
        uint256 claimId = _pick(seed, ClaimState.OPEN);
        if (claimId == 0 || claims[claimId - 1].deadline < block.timestamp) return;
        vm.warp(claims[claimId - 1].deadline + (over ? 1 : 0));
        vm.roll(block.number + 1);
        _count("passToADeadline");
    }

    // --- pools ---

    function open(uint256 who, uint256 ahead, uint256 capacity, uint256 bond, uint256 challengeBond) public {
        if (pools.length == MAX_POOLS) return;
        address account = executors[who % ACTORS];
        uint64 at = _now() + uint64(bound(ahead, 0, 2));
        PoolModel memory model;
        model.executor = account;
        model.epoch = at;
        model.privateKey = keys[account];
        model.capacity = bound(capacity, 1, 6);
        model.bond = bound(bond, MIN_BOND, 20e6);
        model.challengeBond = bound(challengeBond, MIN_CHALLENGE_BOND, MAX_CHALLENGE_BOND);
        bool allowed = poolAt[account][at] == 0 && model.bond * model.capacity <= allocated[account] - lockedOf(account);
        bytes memory data = abi.encodeCall(
            court.openPools, (at, 1, uint128(model.bond), uint32(model.capacity), uint128(model.challengeBond))
        );
        if (!allowed) return _refused(account, data, "a second pool, or one without stake");
        vm.prank(account);
        court.openPools(at, 1, uint128(model.bond), uint32(model.capacity), uint128(model.challengeBond));
        model.poolId = ++poolCount;
        pools.push(model);
        poolAt[account][at] = pools.length;
        _count("open");
    }

    function grow(uint256 seed, uint256 slots) external {
        if (pools.length == 0) return;
        PoolModel storage model = pools[seed % pools.length];
        slots = bound(slots, 1, 3);
        bool allowed = !model.gone && model.reporter == address(0) && model.epoch >= _now()
            && model.bond * slots <= allocated[model.executor] - lockedOf(model.executor);
        bytes memory data = abi.encodeCall(court.growPool, (model.epoch, uint32(slots)));
        if (!allowed) {
            // A pool that was taken back may have a successor, which may well grow.
            if (poolAt[model.executor][model.epoch] != seed % pools.length + 1) return;
            return _refused(model.executor, data, "grown too far or too late");
        }
        vm.prank(model.executor);
        court.growPool(model.epoch, uint32(slots));
        model.capacity += slots;
        _count("grow");
    }

    function close(uint256 seed) external {
        if (pools.length == 0) return;
        uint256 index = seed % pools.length;
        PoolModel storage model = pools[index];
        if (poolAt[model.executor][model.epoch] != index + 1) return;
        if (model.gone || model.epoch <= _now()) {
            return _refused(model.executor, abi.encodeCall(court.closePool, (model.epoch)), "closed too late");
        }
        vm.prank(model.executor);
        court.closePool(model.epoch);
        model.gone = true;
        poolAt[model.executor][model.epoch] = 0;
        _count("close");
    }

    function release(uint256 seed) external {
        if (pools.length == 0) return;
        uint256 index = seed % pools.length;
        PoolModel storage model = pools[index];
        if (poolAt[model.executor][model.epoch] != index + 1) return;
        bool allowed =
            !model.gone && model.open == 0 && block.timestamp >= (uint256(model.epoch) + 1) * EPOCH + RECEIPT_LIFE;
        if (!allowed) {
            return
                _refused(
                    stranger, abi.encodeCall(court.releasePool, (model.executor, model.epoch)), "released too early"
                );
        }
        uint256 left = poolLocked(index);
        court.releasePool(model.executor, model.epoch);
        model.gone = true;
        _count("release");
        if (model.reporter == address(0)) return;
        uint256 reward = left * REWARD_BPS / 10_000;
        credits[model.reporter] += reward;
        stakeToBurn += left - reward;
        _loseStake(model.executor, left);
        _count("releaseForfeited");
    }

    function rotateKey(uint256 who, uint256 seed) external {
        address account = executors[who % ACTORS];
        if (allocated[account] < MIN_STAKE) return;
        (address key, uint256 privateKey) = makeAddrAndKey(string.concat("rotated ", vm.toString(seed % 5)));
        setKey(account, key);
        keys[account] = privateKey;
        _count("rotateKey");
    }

    // --- receipts ---

    /// @notice An executor answers, honestly or not, in some slot, perhaps one that he used or does not have.
    function issue(uint256 who, uint256 seed, uint256 life, uint256 price, bool isLie) public {
        address account = executors[who % ACTORS];
        uint256 at = poolAt[account][_now()];
        if (at == 0 || issuedReceipts.length == MAX_RECEIPTS) return;
        PoolModel storage model = pools[at - 1];
        Issued memory held;
        held.caseIndex = seed % CASES;
        held.isLie = isLie;
        held.privateKey = seed % 16 == 15 ? receiptPrivateKey : model.privateKey;
        Case memory asked = _caseOf(held.caseIndex);
        held.receipt = Receipt({
            versionId: _versionOfCase(held.caseIndex),
            inputBinding: asked.inputBinding,
            inputDigest: held.caseIndex < 2 ? bytes32(0) : keccak256(asked.input),
            outputDigest: isLie ? keccak256(abi.encode("lie", seed)) : keccak256(asked.output),
            executor: account,
            beneficiary: clients[(seed >> 8) % ACTORS],
            price: uint128(bound(price, 0, model.bond)),
            bond: uint128(model.bond),
            issued: uint64(block.timestamp),
            expires: uint64(block.timestamp + bound(life, 0, RECEIPT_LIFE)),
            epoch: _now(),
            slot: uint32((seed >> 16) % (model.capacity + 1))
        });
        issuedReceipts.push(held);
        _count("issue");
    }

    // --- claims ---

    function commit(uint256 who, uint256 seed) public {
        if (issuedReceipts.length == 0 || claims.length == MAX_CLAIMS) return;
        address account = challengers[who % ACTORS];
        // Mostly one that can be challenged, where there is one.
        uint256 index = seed % 5 == 0 ? seed % issuedReceipts.length : _pickAlive(seed);
        _commitTo(account, index);
    }

    function _commitTo(address account, uint256 index) private {
        bytes32 digest = _digestOf(index);
        if (balances[account] < MAX_CHALLENGE_BOND) {
            return _refused(account, abi.encodeCall(court.commit, (digest)), "a bond that is not there");
        }
        uint256 claimId = commitTo(account, digest);
        balances[account] -= MAX_CHALLENGE_BOND;
        ClaimModel memory model;
        model.state = ClaimState.COMMITTED;
        model.challenger = account;
        model.receiptIndex = index;
        model.committedBlock = block.number;
        claims.push(model);
        assertEq(claimId, claims.length, "numbered on");
        _count("commit");
    }

    /// @notice The steps up to a challenge, one after the other: alone, dice seldom roll them in this order.
    function doubt(uint256 who, uint256 seed, bool isLie) external {
        address account = executors[who % ACTORS];
        if (poolAt[account][_now()] == 0) open(who, 0, seed, seed >> 8, seed >> 16);
        uint256 before = issuedReceipts.length;
        issue(who, seed, RECEIPT_LIFE - seed % 1 hours, seed >> 32, isLie);
        if (issuedReceipts.length == before || claims.length == MAX_CLAIMS) return;
        uint256 already = claims.length;
        // Several may doubt one receipt.
        for (uint256 i = 0; i <= seed % 2 && claims.length < MAX_CLAIMS; ++i) {
            _commitTo(challengers[(who % ACTORS + i) % ACTORS], issuedReceipts.length - 1);
        }
        nextBlock();
        for (uint256 at = already; at < claims.length; ++at) {
            _challenge(at + 1);
        }
        _count("doubt");
    }

    function withdrawCommitment(uint256 seed) external {
        uint256 claimId = _pick(seed, ClaimState.COMMITTED);
        if (claimId == 0) return;
        address account = claims[claimId - 1].challenger;
        vm.prank(account);
        court.withdrawCommitment(claimId);
        balances[account] += MAX_CHALLENGE_BOND;
        _settled(claimId, ClaimState.WITHDRAWN);
        _count("withdrawCommitment");
    }

    function challenge(uint256 seed) public {
        uint256 claimId = _pick(seed, ClaimState.COMMITTED);
        if (claimId != 0) _challenge(claimId);
    }

    function _challenge(uint256 claimId) private {
        ClaimModel storage model = claims[claimId - 1];
        Issued storage held = issuedReceipts[model.receiptIndex];
        bytes memory data = abi.encodeCall(
            court.challengeReceipt,
            (claimId, held.receipt, signWith(held.privateKey, held.receipt), _caseOf(held.caseIndex).input, SALT)
        );
        bool allowed = block.number > model.committedBlock && flawModel(model.receiptIndex) == ReceiptFlaw.NONE
            && (held.isLie || !caseProven[held.caseIndex]);
        if (!allowed) return _refused(model.challenger, data, "a challenge that is not due");
        uint256 poolIndex = _poolOf(held.receipt);
        PoolModel storage backing = pools[poolIndex];
        (, uint256 last) = queueModel(backing.executor);
        uint256 deadline = (last > block.timestamp ? last : block.timestamp) + WINDOW;
        vm.prank(model.challenger);
        (bool success,) = address(court).call(data);
        assertTrue(success, "a challenge that is due");
        model.state = ClaimState.OPEN;
        model.poolIndex = poolIndex;
        model.deadline = deadline;
        model.order = ++order;
        ++backing.open;
        ++everOpened[backing.executor];
        balances[model.challenger] += MAX_CHALLENGE_BOND - backing.challengeBond;
        _count(last > block.timestamp ? "challengeQueued" : "challenge");
    }

    /// @notice One proof for a claim and every other one of the same case, with some that do not belong there.
    function prove(uint256 seed) external {
        uint256 claimId = _pick(seed, ClaimState.OPEN);
        if (claimId == 0) return;
        Issued storage held = issuedReceipts[claims[claimId - 1].receiptIndex];
        uint256 caseIndex = held.caseIndex;
        uint256[] memory list = _equalClaims(caseIndex);
        Case memory proven = _caseOf(caseIndex);
        bytes memory input = caseIndex < 2 ? proven.input : bytes("");
        uint256 due;
        for (uint256 i = 0; i < list.length; ++i) {
            if (_isDue(list[i])) ++due;
        }
        bytes memory data = abi.encodeCall(court.respond, (list, 0, input, proven.output, proven.proof));
        if (due == 0) return _refused(stranger, data, "nothing to settle");
        vm.prank(stranger);
        assertEq(court.respond(list, 0, input, proven.output, proven.proof), due, "exactly those that are due");
        for (uint256 i = 0; i < list.length; ++i) {
            if (!_isDue(list[i])) continue;
            PoolModel storage backing = pools[claims[list[i] - 1].poolIndex];
            uint256 paid = backing.challengeBond * EXECUTOR_BPS / 10_000;
            balances[backing.executor] += paid;
            courtToBurn += backing.challengeBond - paid;
            _settled(list[i], ClaimState.PROVEN);
        }
        caseProven[caseIndex] = true;
        _count(due > 1 ? "respondToSeveral" : "respond");
    }

    function slash(uint256 seed) external {
        uint256 claimId = _pick(seed, ClaimState.OPEN);
        if (claimId == 0) return;
        ClaimModel storage model = claims[claimId - 1];
        if (block.timestamp <= model.deadline) {
            return _refused(stranger, abi.encodeCall(court.slash, (claimId)), "slashed too early");
        }
        vm.prank(stranger);
        court.slash(claimId);
        Receipt storage receipt = issuedReceipts[model.receiptIndex].receipt;
        PoolModel storage backing = pools[model.poolIndex];
        balances[model.challenger] += backing.challengeBond;
        if (slotGone[model.poolIndex][receipt.slot]) {
            _settled(claimId, ClaimState.MOOT);
            return _count("moot");
        }
        slotGone[model.poolIndex][receipt.slot] = true;
        ++backing.slashed;
        uint256 reward = backing.bond * REWARD_BPS / 10_000;
        uint256 compensation = backing.bond / 2 - reward;
        if (receipt.price < compensation) compensation = receipt.price;
        credits[receipt.beneficiary] += compensation;
        credits[model.challenger] += reward;
        stakeToBurn += backing.bond - reward - compensation;
        bondsSlashed += backing.bond;
        bondsBurned += backing.bond - reward - compensation;
        _loseStake(backing.executor, backing.bond);
        _settled(claimId, ClaimState.SLASHED);
        _count("slash");
    }

    /// @notice Somebody compares two receipts that he holds.
    function report(uint256 who, uint256 first, uint256 second) external {
        if (issuedReceipts.length < 2 || claims.length == MAX_CLAIMS) return;
        address account = challengers[who % ACTORS];
        if (balances[account] < MAX_CHALLENGE_BOND) return;
        first %= issuedReceipts.length;
        second = _rival(first, second);
        uint256 claimId = commitTo(account, court.pairDigestOf(_digestOf(first), _digestOf(second)));
        nextBlock();
        bool allowed = _isEquivocation(first, second);
        ClaimModel memory model;
        model.challenger = account;
        model.receiptIndex = first;
        model.settlements = 1;
        model.state = allowed ? ClaimState.REPORTED : ClaimState.WITHDRAWN;
        claims.push(model);
        bytes memory data = _reportOf(claimId, issuedReceipts[first], issuedReceipts[second]);
        if (!allowed) {
            _refused(account, data, "no equivocation");
            vm.prank(account);
            court.withdrawCommitment(claimId);
            return;
        }
        vm.prank(account);
        (bool success,) = address(court).call(data);
        assertTrue(success, "an equivocation");
        pools[_poolOf(issuedReceipts[first].receipt)].reporter = account;
        _count("report");
    }

    function _pickAlive(uint256 seed) private view returns (uint256 index) {
        for (uint256 i = 0; i < issuedReceipts.length; ++i) {
            index = addmod(seed, i, issuedReceipts.length);
            if (flawModel(index) == ReceiptFlaw.NONE) return index;
        }
    }

    function _digestOf(uint256 index) private view returns (bytes32) {
        return court.digestOf(issuedReceipts[index].receipt);
    }

    function _reportOf(uint256 claimId, Issued memory one, Issued memory two) private view returns (bytes memory) {
        bytes memory first = signWith(one.privateKey, one.receipt);
        bytes memory second = signWith(two.privateKey, two.receipt);
        return abi.encodeCall(court.reportEquivocation, (claimId, one.receipt, first, two.receipt, second, SALT));
    }

    function _isEquivocation(uint256 first, uint256 second) private view returns (bool) {
        Receipt storage one = issuedReceipts[first].receipt;
        Receipt storage two = issuedReceipts[second].receipt;
        if (one.executor != two.executor || one.epoch != two.epoch || one.slot != two.slot) return false;
        if (_digestOf(first) == _digestOf(second)) return false;
        if (standingFlaw(first) != ReceiptFlaw.NONE || standingFlaw(second) != ReceiptFlaw.NONE) return false;
        return pools[_poolOf(one)].reporter == address(0);
    }

    /// @dev Another receipt of the same slot where there is one.
    function _rival(uint256 first, uint256 seed) private view returns (uint256) {
        Receipt storage one = issuedReceipts[first].receipt;
        for (uint256 i = 0; i < issuedReceipts.length; ++i) {
            uint256 at = addmod(seed, i, issuedReceipts.length);
            Receipt storage two = issuedReceipts[at].receipt;
            if (at == first || one.executor != two.executor || one.epoch != two.epoch) continue;
            if (one.slot == two.slot) return at;
        }
        return seed % issuedReceipts.length;
    }

    /// @dev Every claim that ever doubted the honest answer of this case, and two ids that are none of them.
    function _equalClaims(uint256 caseIndex) private view returns (uint256[] memory list) {
        uint256[] memory all = new uint256[](claims.length + 2);
        uint256 found;
        for (uint256 i = 0; i < claims.length; ++i) {
            Issued storage held = issuedReceipts[claims[i].receiptIndex];
            if (held.caseIndex != caseIndex || held.isLie) continue;
            all[found] = i + 1;
            ++found;
        }
        all[found] = claims.length + 77;
        ++found;
        list = new uint256[](found);
        for (uint256 i = 0; i < found; ++i) {
            list[i] = all[i];
        }
    }

    function _isDue(uint256 claimId) private view returns (bool) {
        if (claimId > claims.length) return false;
        ClaimModel storage model = claims[claimId - 1];
        return model.state == ClaimState.OPEN && block.timestamp <= model.deadline;
    }
}
