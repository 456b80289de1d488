// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {MemberTerms, QuorumRequest, QuorumRound, QuorumState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice A requester chooses what he can (his request's fields, its nonce, its block) so that members of his own are
/// drawn. All of it is fixed before the seed's block exists. Whoever builds that block could still choose: that
/// remains.
contract QuorumSeedGrindingAttack is QuorumNetwork {
    /// @dev He knows every hash up to the request's block. No nonce predicts the draw: among many, each chosen because
    /// it would suit him by the latest hash that he knows, his member is drawn as often as by chance.
    function test_attack_noncesChosenByKnownHashes() external {
        address own = accounts[0];
        uint256 seated;
        uint256 rounds = 60;
        vm.prank(own);
        pool.setTerms(versionId, CLASS, _terms(100));
        for (uint256 i = 1; i < MEMBER_COUNT; ++i) {
            vm.prank(accounts[i]);
            pool.setTerms(versionId, CLASS, _terms(100));
        }
        nextBlock();
        for (uint256 i = 0; i < rounds; ++i) {
            QuorumRequest memory asked = _groundNonce(own);
            QuorumRound memory round = drawn(asked);
            if (_sits(round, own)) ++seated;
            _finish(round);
        }
        // Three of seven seats, with equal stakes: 3/7 of 60 rounds are 25.7, standard deviation 3.8.
        assertGe(seated, 12, "not less than by chance");
        assertLe(seated, 40, "not more than by chance");
    }

    /// @dev What he signs cannot be changed once the seed is known: another field is another request.
    function test_attack_noFieldIsFreeAfterTheSeed() external {
        QuorumRequest memory asked = requestFor(3, 2);
        uint64 openedBlock = open(asked);
        toSeed(openedBlock);
        for (uint256 nonce = 1000; nonce < 1050; ++nonce) {
            asked.nonce = nonce;
            vm.expectRevert(_otherRecord(market.idOf(asked), QuorumState.NONE));
            market.draw(asked, openedBlock);
        }
    }

    /// @dev A request opened now cannot use a seed that is known already.
    function test_attack_noSeedOfThePast() external {
        QuorumRequest memory asked = requestFor(3, 2);
        uint64 openedBlock = open(asked);
        for (uint64 back = 1; back < 50; ++back) {
            vm.expectRevert(_otherRecord(market.idOf(asked), QuorumState.OPEN));
            market.draw(asked, openedBlock - back);
        }
    }

    /// @dev Two requests of one block have draws of their own.
    function test_attack_oneSeedTwoDraws() external {
        QuorumRequest memory first = requestFor(3, 2);
        QuorumRequest memory second = requestFor(3, 2);
        uint64 openedBlock = open(first);
        open(second);
        toSeed(openedBlock);
        QuorumRound memory one = draw(first, openedBlock);
        QuorumRound memory other = draw(second, openedBlock);
        assertTrue(keccak256(abi.encode(one.members)) != keccak256(abi.encode(other.members)), "the id is in the seed");
    }

    function _otherRecord(uint256 requestId, QuorumState state) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IRecordMarket.RecordMarket_OtherRecord.selector, requestId, uint8(state), uint8(QuorumState.OPEN)
        );
    }

    function _terms(uint16 capacity) private pure returns (MemberTerms memory) {
        return MemberTerms({capacity: capacity, minPrice: 0, minSeconds: 0});
    }

    /// @dev A nonce by which his member would come first, were the last known hash the seed.
    function _groundNonce(address own) private returns (QuorumRequest memory asked) {
        asked = requestFor(3, 2);
        bytes32 known = blockhash(block.number - 1);
        for (uint256 tries = 0; tries < 100; ++tries) {
            asked.nonce = nextNonce++;
            bytes32 seed = keccak256(abi.encode(known, market.idOf(asked)));
            uint256 point = uint256(keccak256(abi.encode(seed, uint256(0)))) % (MEMBER_COUNT * STAKE);
            if (accounts[point / STAKE] == own) return asked;
        }
    }

    function _sits(QuorumRound memory round, address own) private pure returns (bool) {
        for (uint256 i = 0; i < round.members.length; ++i) {
            if (round.members[i] == own) return true;
        }
        return false;
    }

    function _finish(QuorumRound memory round) private {
        for (uint256 seat = 0; seat < 3; ++seat) {
            commitAs(round, seat, output);
        }
        for (uint256 seat = 0; seat < 3; ++seat) {
            revealAs(round, seat, output);
        }
        market.settle(round, output);
    }
}
