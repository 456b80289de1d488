// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ModelRegistry} from "../../src/ModelRegistry.sol";
import {AttestedMarket} from "../../src/attested/AttestedMarket.sol";
import {AttestedRequest} from "../../src/attested/AttestedTypes.sol";
import {QuorumMarket} from "../../src/quorum/QuorumMarket.sol";
import {IResultBoard} from "../../src/results/IResultBoard.sol";
import {ResultBoard} from "../../src/results/ResultBoard.sol";
import {Markets} from "../../src/results/ResultTypes.sol";
import {LazyRequest} from "../../src/types/LazyTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {BoardNetwork} from "../BoardNetwork.t.sol";

/// @notice A market of the attacker's own says that anything is final, about versions of a registry of his own. He
/// tries to bring what it says onto the board, or to make a board believe it beside honest markets.
contract BoardForeignMarketAttack is BoardNetwork {
    /// @notice There is no way to name a market: each function asks the one of its mode, where the request is unknown.
    function test_attack_aResultOfAnotherMarketOfTheSameKind() external {
        AttestedMarket honest = attested;
        attested = new AttestedMarket(address(token), address(registry), address(validator), recordLimits());
        depositIn(address(attested), requester);
        AttestedRequest memory asked = attestedResult("a lie");
        uint256 id = honest.idOf(asked);
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NotFinal.selector, TrustMode.ATTESTED, id));
        board.publishAttested(asked);
        assertNothing(latestOf(ALL_MODES));
    }

    /// @notice The same request struct means another request at every market: the domain is part of its id.
    function test_attack_ARequestThatIsFinalElsewhere() external {
        LazyRequest memory asked = lazyResult(COLLATERAL);
        uint256 id = lazy.idOf(asked);
        deployLazy();
        assertTrue(lazy.idOf(asked) != id, "another id");
        ResultBoard other = new ResultBoard(Markets(address(market), address(lazy), address(quorum), address(attested)));
        uint256 otherId = lazy.idOf(asked);
        vm.expectRevert(abi.encodeWithSelector(IResultBoard.ResultBoard_NotFinal.selector, TrustMode.LAZY_ZK, otherId));
        other.publishLazy(asked);
    }

    /// @notice Version ids mean something within one registry only.
    function test_attack_aMarketOfAnotherRegistry() external {
        AttestedMarket foreign =
            new AttestedMarket(address(token), address(new ModelRegistry()), address(validator), recordLimits());
        vm.expectRevert(IResultBoard.ResultBoard_InvalidConfiguration.selector);
        new ResultBoard(Markets(address(market), address(lazy), address(quorum), address(foreign)));
        // Alone it is a board of its own, with a registry of its own.
        ResultBoard apart = new ResultBoard(Markets(address(0), address(0), address(0), address(foreign)));
        assertTrue(apart.registry() != board.registry(), "apart");
    }

    /// @notice An account without code is no market.
    function test_attack_anAccountAsMarket() external {
        vm.expectRevert();
        new ResultBoard(Markets(stranger, address(0), address(0), address(0)));
        vm.expectRevert();
        new ResultBoard(Markets(address(market), stranger, address(0), address(0)));
    }

    /// @notice A quorum market as market of proofs would make agreed outputs proven ones.
    function test_attack_aMarketUnderAnotherMode() external {
        address wrong = address(QuorumMarket(address(quorum)));
        vm.expectRevert(IResultBoard.ResultBoard_InvalidConfiguration.selector);
        new ResultBoard(Markets(address(market), wrong, address(0), address(0)));
    }
}
