// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {RequestParams, RequestState} from "../../../src/types/MarketTypes.sol";
import {Stage} from "./Stage.sol";

/// @title What people do at the market
abstract contract MarketActions is Stage {
    function deposit(uint256 who, uint256 amount) external {
        address account = requesters[who % ACTORS];
        amount = bound(amount, 1, 200e6);
        depositFor(account, amount);
        balances[account] += amount;
        _count("deposit");
    }

    function withdraw(uint256 who, uint256 amount) external {
        address account = who % 2 == 0 ? requesters[(who / 2) % ACTORS] : executors[(who / 2) % ACTORS];
        if (balances[account] == 0) return;
        amount = bound(amount, 1, balances[account]);
        vm.prank(account);
        market.withdraw(amount, account);
        balances[account] -= amount;
        _count("withdraw");
    }

    function request(uint256 who, uint256 what, uint256 price, uint256 collateral, uint256 times, uint256 extras)
        external
    {
        if (ids.length == MAX_REQUESTS) return;
        address account = requesters[who % ACTORS];
        VersionEntry memory version = versions[what % versions.length];
        Fixture storage fixture = _fixtureOf(version.isKzg);
        uint256 index = (what >> 8) % fixture.cases.length;
        RequestParams memory params = paramsFor(version.id, fixture, index);
        params.maxPrice = uint128(bound(price, 0, balances[account] < 50e6 ? balances[account] : 50e6));
        _vary(params, collateral, times, extras);
        vm.prank(account);
        uint256 requestId = market.request(params, extras % 5 == 0 ? fixture.cases[index].input : bytes(""), "");
        balances[account] -= params.maxPrice;
        require(requestId == ++sentCount, "ids are consecutive");
        _expect(requestId, account, version, params, index);
        _count("request");
    }

    /// @dev Any terms that the market takes.
    function _vary(RequestParams memory params, uint256 collateral, uint256 times, uint256 extras) internal view {
        params.collateral = uint128(bound(collateral, FLOOR, 60e6));
        params.lockDuration = uint32(bound(times, MIN_LOCK, MAX_LOCK));
        params.deadline = uint64(block.timestamp + bound(times >> 32, params.lockDuration, MAX_LIFETIME));
        if (extras % 3 == 0) params.executor = executors[(extras >> 8) % ACTORS];
        if (extras % 4 == 0) {
            params.callback = unruly;
            params.callbackGas = 60_000;
        }
        if ((extras >> 16) % 2 == 0 || params.maxPrice == 0) return;
        params.minPrice = uint128(bound(extras >> 24, 0, params.maxPrice - 1));
        params.rampStart = uint64(bound(times >> 64, block.timestamp - 60, params.deadline - 1));
        params.rampLength = uint32(bound(times >> 128, 1, params.deadline - params.rampStart));
    }

    function cancel(uint256 seed) external {
        uint256 requestId = _pickUnnamed(seed);
        if (requestId == 0) return;
        Expected storage model = expected[requestId];
        vm.prank(model.requester);
        market.cancel(requestId);
        _modelRefund(model);
        _count("cancel");
    }

    function lock(uint256 seed, uint256 who) external {
        uint256 requestId = _pick(seed, RequestState.OPEN);
        if (requestId == 0) return;
        address account = _lockerOf(requestId, who);
        Expected storage model = expected[requestId];
        if (account == address(0) || block.timestamp + MIN_LOCK > model.deadline) return;
        // Whatever is left, or all of it to the second.
        uint256 least = who % 2 == 0 ? 0 : _lockEnd(model) - block.timestamp;
        vm.prank(account);
        market.lock(requestId, model.terms, uint32(least), uint128(who % 3 == 0 ? _priceNow(model) : 0));
        _modelLock(requestId, account);
        _count("lock");
    }

    /// @notice After a lock that was missed, by anybody who has the stake, the one who missed it included.
    function takeOver(uint256 seed, uint256 who) external {
        uint256 requestId = _pickMissed(seed);
        if (requestId == 0) return;
        address account = _lockerOf(requestId, who);
        if (account == address(0)) return;
        Expected storage model = expected[requestId];
        if (model.missed != address(0)) _count("takeOverAgain");
        vm.prank(account);
        market.lock(requestId, model.terms, MIN_LOCK, uint128(model.price));
        _modelLock(requestId, account);
        _count("takeOver");
    }

    /// @notice To a lock that was just missed, and on without a refund: what takeovers need.
    function missALock(uint256 seed) external {
        uint256 requestId = _pickHeld(seed);
        if (requestId == 0) return;
        vm.warp(expected[requestId].lockDeadline + 1);
        vm.roll(block.number + 1);
        _count("missALock");
    }

    function fulfill(uint256 seed) external {
        uint256 requestId = _pick(seed, RequestState.LOCKED);
        if (requestId == 0) return;
        Expected storage model = expected[requestId];
        if (block.timestamp > model.lockDeadline) return;
        if (model.lockBlock == block.number && model.named != model.executor) vm.roll(block.number + 1);
        fulfillBy(model.executor, requestId, _fixtureOf(model.isKzg), model.caseIndex);
        _modelPay(model);
        _count("fulfill");
    }

    /// @notice Requests that could share a batch, made in a row and locked by one executor as far as his stake goes.
    function fillABatch(uint256 who, uint256 what) external {
        if (ids.length + ROWS > MAX_REQUESTS) return;
        address account = requesters[who % ACTORS];
        VersionEntry memory version = versions[what % versions.length];
        if (!version.hasBatch) return;
        for (uint256 i = 0; i < ROWS; ++i) {
            RequestParams memory params = paramsFor(version.id, packed, i);
            params.maxPrice = uint128(bound(what >> (8 * i), 0, balances[account] < 5e6 ? balances[account] : 5e6));
            params.collateral = FLOOR;
            if ((what >> (200 + i)) % 4 == 0) {
                params.callback = unruly;
                params.callbackGas = 60_000;
            }
            vm.prank(account);
            uint256 requestId = market.request(params, "", "");
            balances[account] -= params.maxPrice;
            require(requestId == ++sentCount, "ids are consecutive");
            _expect(requestId, account, version, params, i);
            address locker = _lockerOf(requestId, who >> 8);
            if (locker == address(0)) continue;
            vm.prank(locker);
            market.lock(requestId, expected[requestId].terms, 0, 0);
            _modelLock(requestId, locker);
        }
        _count("fillABatch");
    }

    /// @notice Several locked requests of one version and executor with one proof, among ids that must be left out:
    /// duplicates, strangers', ended and unknown requests. Rows after the last id are padding.
    function fulfillBatch(uint256 seed) external {
        uint256 leadId = _pickForBatch(seed);
        if (leadId == 0) return;
        Expected storage lead = expected[leadId];
        vm.roll(block.number + 1); // past the block of every lock
        uint256 shift = (seed >> 8) % batch.cases.length;
        uint256 leadRow = (lead.caseIndex + ROWS - shift) % ROWS;
        uint256 rows = bound(seed >> 16, leadRow + 1, ROWS);
        uint256[] memory batchIds = new uint256[](rows);
        uint256[] memory payable_ = new uint256[](rows);
        uint256 count;
        for (uint256 row = 0; row < rows; ++row) {
            uint256 partner = row == leadRow ? leadId : _partner(seed >> 24, lead, leadId, (row + shift) % ROWS);
            if (partner != 0) payable_[count++] = partner;
            batchIds[row] = partner != 0 ? partner : _leftOut(seed >> 32, lead, row > leadRow ? leadId : 0);
        }
        Case memory proven = batch.cases[shift];
        vm.prank(lead.executor);
        uint256 fulfilled = market.fulfillBatch(batchIds, 1, proven.input, proven.output, proven.proof);
        assertEq(fulfilled, count, "as many as could be paid");
        for (uint256 i = 0; i < count; ++i) {
            _modelPay(expected[payable_[i]]);
        }
        _count("fulfillBatch");
        if (count > 1) _count("fulfillSeveral");
        if (count < rows) _count("fulfillBatchSkipped");
        if (rows < ROWS) _count("fulfillBatchPadded");
    }

    function lockAndFulfill(uint256 seed) external {
        uint256 requestId = _pickNamed(seed);
        if (requestId == 0) return;
        Expected storage model = expected[requestId];
        address account = _lockerOf(requestId, 0);
        if (account == address(0)) return;
        Fixture storage fixture = _fixtureOf(model.isKzg);
        Case memory proven = fixture.cases[model.caseIndex];
        bytes memory input = provenInput(fixture, model.caseIndex);
        vm.prank(account);
        market.lockAndFulfill(requestId, 0, input, proven.output, proven.proof);
        _modelLock(requestId, account);
        _modelPay(model);
        _count("lockAndFulfill");
    }

    function refund(uint256 seed, uint256 who) external {
        uint256 requestId = _pick(seed, seed % 2 == 0 ? RequestState.OPEN : RequestState.LOCKED);
        if (requestId == 0) return;
        Expected storage model = expected[requestId];
        if (block.timestamp <= _lastSecond(model)) return;
        vm.prank(who % 2 == 0 ? stranger : executors[who % ACTORS]); // anybody
        market.refund(requestId);
        _modelExpire(model);
    }

    function withdrawRoyalty(uint256 which) external {
        uint256 id = models[which % MODELS];
        if (royalties[id] == 0) return;
        address holder = registry.ownerOf(id);
        vm.prank(holder);
        market.withdrawRoyalty(id, holder);
        royalties[id] = 0;
        _count("withdrawRoyalty");
    }

    function sellModel(uint256 which, uint256 to) external {
        uint256 id = models[which % MODELS];
        address holder = registry.ownerOf(id);
        vm.prank(holder);
        registry.transferFrom(holder, holders[to % holders.length], id);
        _count("sellModel");
    }

    function publish(uint256 which, uint256 royaltyBps, bool isKzg) external {
        if (versions.length == MAX_VERSIONS) return;
        uint256 id = models[which % MODELS];
        royaltyBps = bound(royaltyBps, 0, registry.MAX_ROYALTY_BPS());
        vm.prank(registry.ownerOf(id));
        uint64 versionId = registry.publishVersion(id, _publicationOf(isKzg, uint16(royaltyBps)));
        _remember(versionId, isKzg, royaltyBps);
        _count("publish");
    }

    function deprecate(uint256 which, bool deprecated) external {
        uint64 versionId = versions[which % versions.length].id;
        vm.prank(registry.ownerOf(registry.modelOf(versionId)));
        registry.setDeprecated(versionId, deprecated, "advice");
        _count("deprecate");
    }

    function passTime(uint256 seconds_) external {
        uint256 longest = seconds_ % 8 == 0 ? EXIT_DELAY : 2 hours;
        skip(bound(seconds_ >> 8, 1, longest));
        _count("passTime");
    }

    /// @notice To the last second of some request, or one past it: where races are.
    function passTimeToAnEdge(uint256 seed, bool past) external {
        uint256 requestId = _pick(seed, seed % 2 == 0 ? RequestState.OPEN : RequestState.LOCKED);
        if (requestId == 0) return;
        uint256 edge = _lastSecond(expected[requestId]) + (past ? 1 : 0);
        if (edge <= block.timestamp) return;
        vm.warp(edge);
        vm.roll(block.number + 1);
        (bool success,) = address(market).call(abi.encodeCall(market.refund, (requestId)));
        assertTrue(success == past, "refundable from the second after the last, and not in it");
        if (past) _modelExpire(expected[requestId]);
        _count("passTimeToAnEdge");
    }

    function donate(uint256 amount, bool toMarket) external {
        amount = bound(amount, 1, 1e6);
        token.mint(toMarket ? address(market) : address(staking), amount);
        if (toMarket) donatedToMarket += amount;
        else donatedToStaking += amount;
        _count("donate");
    }

    /// @dev Who may and can lock now: the named executor, or any; zero if nobody.
    function _lockerOf(uint256 requestId, uint256 who) internal view returns (address account) {
        Expected storage model = expected[requestId];
        account = model.named == address(0) ? executors[who % ACTORS] : model.named;
        if (block.timestamp > model.deadline || _unlocked(account, address(market)) < model.collateral) {
            return address(0);
        }
    }

    /// @dev A request that its executor can answer now by a batch; zero if there is none.
    function _pickForBatch(uint256 seed) private view returns (uint256) {
        uint256 count = ids.length;
        for (uint256 i = 0; i < count; ++i) {
            uint256 at = (seed % count + i) % count;
            Expected storage model = expected[ids[at]];
            if (_isFulfillable(model) && model.hasBatch) return ids[at];
        }
        return 0;
    }

    /// @dev Another request that can share a batch with `lead`, with the input of a given case; zero if there is none.
    function _partner(uint256 seed, Expected storage lead, uint256 leadId, uint256 caseIndex)
        private
        view
        returns (uint256)
    {
        uint256 count = ids.length;
        for (uint256 i = 0; i < count; ++i) {
            uint256 at = (seed % count + i) % count;
            Expected storage model = expected[ids[at]];
            if (
                _isFulfillable(model) && model.versionId == lead.versionId && model.executor == lead.executor
                    && model.caseIndex == caseIndex && ids[at] != leadId
            ) return ids[at];
        }
        return 0;
    }

    /// @dev An id that a batch must leave out: of whatever request cannot be answered by `lead`'s executor, else
    /// `repeated`, else one that nobody made.
    function _leftOut(uint256 seed, Expected storage lead, uint256 repeated) private view returns (uint256) {
        uint256 at = seed % ids.length;
        Expected storage model = expected[ids[at]];
        if (!_isFulfillable(model) || model.executor != lead.executor) return ids[at];
        return repeated == 0 ? ids.length + 7 : repeated;
    }

    function _isFulfillable(Expected storage model) private view returns (bool) {
        return model.state == RequestState.LOCKED && block.timestamp <= model.lockDeadline;
    }

    function _expect(
        uint256 requestId,
        address account,
        VersionEntry memory version,
        RequestParams memory params,
        uint256 index
    ) internal {
        ids.push(requestId);
        Expected storage model = expected[requestId];
        require(model.state == RequestState.NONE, "ids are unique");
        model.state = RequestState.OPEN;
        model.requester = account;
        model.named = params.executor;
        (model.price, model.maxPrice, model.minPrice) = (params.maxPrice, params.maxPrice, params.minPrice);
        (model.rampStart, model.rampLength) = (params.rampStart, params.rampLength);
        model.collateral = params.collateral;
        model.royaltyBps = version.royaltyBps;
        model.deadline = params.deadline;
        model.lockDuration = params.lockDuration;
        model.modelId = version.id >> 32;
        model.isKzg = version.isKzg;
        model.hasBatch = version.hasBatch;
        model.caseIndex = index;
        model.versionId = version.id;
        model.keptHash = keptHash(requestId);
        model.terms = _terms(account, params, version.royaltyBps);
    }

    /// @dev The rule, from what was asked for: fifteen words in the order of the interface.
    function _terms(address account, RequestParams memory params, uint256 royaltyBps) private pure returns (bytes32) {
        bytes memory head = abi.encode(account, params.versionId, params.mode, params.inputBinding);
        head = bytes.concat(
            head, abi.encode(params.maxPrice, params.minPrice, params.rampStart, params.rampLength, royaltyBps)
        );
        return keccak256(
            bytes.concat(
                head,
                abi.encode(
                    params.collateral,
                    params.deadline,
                    params.lockDuration,
                    params.executor,
                    params.callback,
                    params.callbackGas
                )
            )
        );
    }

    function _modelLock(uint256 requestId, address account) internal {
        Expected storage model = expected[requestId];
        if (model.state == RequestState.LOCKED) {
            require(block.timestamp > model.lockDeadline, "model: only a missed lock is taken over");
            address burnt = model.missed;
            if (burnt != address(0)) _modelSlash(burnt, address(market), model.collateral, address(0), 0);
            (model.missed, model.second) = (model.executor, !model.second);
        } else {
            require(model.state == RequestState.OPEN, "model: only an open request is locked");
            uint256 price = _priceNow(model);
            if (price < model.price) _count("change");
            balances[model.requester] += model.price - price;
            model.price = price;
        }
        model.state = RequestState.LOCKED;
        model.executor = account;
        model.lockBlock = block.number;
        model.lockDeadline = _lockEnd(model);
        held[account][address(market)].locked += model.collateral;
        lockedEver += model.collateral;
    }

    function _modelPay(Expected storage model) internal {
        require(model.state == RequestState.LOCKED, "model: only a locked request is paid");
        model.state = RequestState.PAID;
        ++model.payouts;
        uint256 royalty = model.price * model.royaltyBps / 10_000;
        royalties[model.modelId] += royalty;
        balances[model.executor] += model.price - royalty;
        held[model.executor][address(market)].locked -= model.collateral;
        if (model.missed == address(0)) return;
        _modelSlash(model.missed, address(market), model.collateral, model.executor, model.collateral / 2);
        _count("reward");
    }

    function _modelExpire(Expected storage model) private {
        if (model.state == RequestState.LOCKED) {
            uint256 half = model.collateral / 2;
            uint256 compensation = model.price < half ? model.price : half;
            _modelSlash(model.executor, address(market), model.collateral, model.requester, compensation);
            if (model.missed != address(0)) {
                _modelSlash(model.missed, address(market), model.collateral, address(0), 0);
                _count("refundMissedTwice");
            }
            _count("refundLocked");
        } else {
            _count("refundOpen");
        }
        _modelRefund(model);
    }

    function _modelRefund(Expected storage model) private {
        require(
            model.state == RequestState.OPEN || model.state == RequestState.LOCKED,
            "model: only an unfinished request is refunded"
        );
        model.state = RequestState.REFUNDED;
        ++model.payouts;
        balances[model.requester] += model.price;
    }
}
