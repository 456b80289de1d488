// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../../src/ExecutorStaking.sol";
import {AttestedState} from "../../../src/attested/AttestedTypes.sol";
import {IAttestedMarket} from "../../../src/attested/IAttestedMarket.sol";
import {ILazyMarket} from "../../../src/interfaces/ILazyMarket.sol";
import {IQuorumMarket} from "../../../src/quorum/IQuorumMarket.sol";
import {QuorumState} from "../../../src/quorum/QuorumTypes.sol";
import {ResultBoard} from "../../../src/results/ResultBoard.sol";
import {LazyState} from "../../../src/types/LazyTypes.sol";
import {Request, RequestState} from "../../../src/types/MarketTypes.sol";
import {TrustMode} from "../../../src/types/ModelTypes.sol";
import {AttestedHandler} from "./AttestedHandler.sol";
import {Topic} from "./BoardModel.sol";
import {BoardPublisher} from "./BoardPublisher.sol";
import {AttestedGuest, CourtGuest, HostHandler, LazyGuest, QuorumGuest} from "./Guests.sol";
import {LazyStage} from "./LazyStage.sol";
import {QuorumStage} from "./QuorumStage.sol";

/// @title What is nobody's own: credits that several markets' slashes add up to, what they burn, and the board
contract CommonActions is BoardPublisher {
    HostHandler internal immutable HOST;
    LazyGuest internal immutable LAZY;
    CourtGuest internal immutable COURT;
    QuorumGuest internal immutable QUORUM;
    AttestedGuest internal immutable ATTESTED;
    ExecutorStaking internal immutable STAKING;

    address[] internal accounts;
    mapping(address => uint256) public creditPaid;
    uint256 public burned;

    constructor(
        HostHandler host,
        LazyGuest lazy,
        CourtGuest court,
        QuorumGuest quorum,
        AttestedGuest attested,
        ResultBoard board,
        address[] memory accounts_
    ) {
        (HOST, LAZY, COURT, QUORUM, ATTESTED) = (host, lazy, court, quorum, attested);
        STAKING = host.ground().staking;
        accounts = accounts_;
        _begin(board);
    }

    function actions() external pure returns (bytes4[] memory selectors) {
        selectors = new bytes4[](12);
        (selectors[0], selectors[1]) = (this.withdrawCredit.selector, this.withdrawCredit.selector);
        selectors[2] = this.burnStake.selector;
        for (uint256 i = 0; i < 2; ++i) {
            selectors[3 + i] = this.publishProven.selector;
            selectors[5 + i] = this.publishLazy.selector;
            selectors[7 + i] = this.publishQuorum.selector;
            selectors[9 + i] = this.publishAttested.selector;
        }
        selectors[11] = this.publishLazy.selector;
    }

    // --- money ---

    /// @notice What slashes of all markets left an account and it has not got yet.
    function creditModel(address account) public view returns (uint256) {
        return HOST.credits(account) + LAZY.credits(account) + COURT.credits(account) + QUORUM.credits(account)
            - creditPaid[account];
    }

    /// @notice What slashes of all markets left for burning.
    function burnModel() public view returns (uint256) {
        return HOST.toBurn() + LAZY.stakeToBurn() + COURT.stakeToBurn() + QUORUM.burnedTotal() - burned;
    }

    /// @notice Somebody who has a credit, if there is one.
    function withdrawCredit(uint256 who) external {
        for (uint256 i = 0; i < accounts.length; ++i) {
            address account = accounts[addmod(who, i, accounts.length)];
            uint256 credit = creditModel(account);
            if (credit == 0) continue;
            vm.prank(account);
            assertEq(STAKING.withdrawCredit(account), credit, "E2: the credits of all markets");
            creditPaid[account] += credit;
            return _count("withdrawCredit");
        }
    }

    function burnStake() external {
        uint256 due = burnModel();
        if (due == 0) return;
        assertEq(STAKING.burn(), due, "E2: what all markets slashed");
        burned += due;
        _count("burnStake");
    }

    // --- the board: mostly what is final, sometimes anything ---

    function publishProven(uint256 seed) external {
        uint256 count = HOST.requestCount();
        if (count == 0) return;
        uint256 requestId;
        for (uint256 i = 0; i < count; ++i) {
            requestId = HOST.ids(addmod(seed, i, count));
            if (_isTaken(seed, HOST.expectedOf(requestId).state == RequestState.PAID)) break;
        }
        Request memory asked = HOST.ground().market.requestOf(requestId);
        Topic memory place;
        (place.versionId, place.binding) = (asked.versionId, asked.inputBinding);
        bytes memory data = abi.encodeCall(shownAt().publishProven, (requestId));
        _publish(TrustMode.ZK, requestId, data, place, "publishProven");
    }

    function publishLazy(uint256 seed) external {
        uint256 count = LAZY.modelCount();
        if (count == 0) return;
        LazyStage.Model memory asked;
        for (uint256 i = 0; i < count; ++i) {
            asked = LAZY.modelAt(addmod(seed, i, count));
            if (_isTaken(seed, asked.state == LazyState.FINAL && asked.isKept)) break;
        }
        Topic memory place;
        (place.versionId, place.binding) = (asked.request.versionId, asked.request.inputBinding);
        uint256 requestId = ILazyMarket(shownAt().marketOf(TrustMode.LAZY_ZK)).idOf(asked.request);
        bytes memory data = abi.encodeCall(shownAt().publishLazy, (asked.request));
        _publish(TrustMode.LAZY_ZK, requestId, data, place, "publishLazy");
    }

    function publishQuorum(uint256 seed) external {
        uint256 count = QUORUM.requestCount();
        if (count == 0) return;
        QuorumStage.RequestModel memory found;
        for (uint256 i = 0; i < count; ++i) {
            found = QUORUM.requestAt(addmod(seed, i, count));
            if (_isTaken(seed, found.state == QuorumState.FINAL)) break;
        }
        Topic memory place;
        (place.versionId, place.binding) = (found.asked.versionId, found.asked.inputBinding);
        place.acceptance.runtimeClass = found.asked.runtimeClass;
        uint256 requestId = IQuorumMarket(shownAt().marketOf(TrustMode.QUORUM)).idOf(found.asked);
        bytes memory data = abi.encodeCall(shownAt().publishQuorum, (found.asked));
        _publish(TrustMode.QUORUM, requestId, data, place, "publishQuorum");
    }

    function publishAttested(uint256 seed) external {
        uint256 count = ATTESTED.requestCount();
        if (count == 0) return;
        AttestedHandler.RequestModel memory found;
        for (uint256 i = 0; i < count; ++i) {
            found = ATTESTED.requestAt(addmod(seed, i, count));
            if (_isTaken(seed, found.state == AttestedState.FINAL)) break;
        }
        Topic memory place;
        (place.versionId, place.binding) = (found.asked.versionId, found.asked.inputBinding);
        (place.acceptance.verifier, place.acceptance.policy) = (found.asked.verifier, found.asked.policy);
        uint256 requestId = IAttestedMarket(shownAt().marketOf(TrustMode.ATTESTED)).idOf(found.asked);
        bytes memory data = abi.encodeCall(shownAt().publishAttested, (found.asked));
        _publish(TrustMode.ATTESTED, requestId, data, place, "publishAttested");
    }

    function _isTaken(uint256 seed, bool isFinal) private pure returns (bool) {
        return isFinal || seed >> 128 & 3 == 0;
    }
}
