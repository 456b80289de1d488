// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {TestDollar} from "../../src/development/TestDollar.sol";
import {MarketAccounts} from "../../src/markets/MarketAccounts.sol";
import {Symbolic} from "./Symbolic.t.sol";

/// @dev The accounts of a market, with what markets do to them open to the checks.
contract OpenAccounts is MarketAccounts {
    constructor(address token) MarketAccounts(token, address(0)) {}

    function credit(address account, uint256 amount) external {
        _credit(account, amount);
    }

    function debit(address account, uint256 amount) external {
        _debit(account, amount);
    }

    function pay(address executor, uint256 modelId, uint256 price, uint256 royaltyBps) external {
        (uint256 fee, uint256 royalty) = _split(price, royaltyBps);
        _payOut(executor, modelId, fee, royalty);
    }

    function split(uint256 price, uint256 royaltyBps) external pure returns (uint256 fee, uint256 royalty) {
        return _split(price, royaltyBps);
    }
}

/// @notice What the accounts of a market do to anybody's balance, from any state, for any amount and account: what is
/// credited is there, what is debited was there, nobody else's balance moves, and tokens and balances move together.
contract TokenAccountsSymbolic is Symbolic {
    TestDollar private immutable TOKEN = new TestDollar();
    OpenAccounts private immutable ACCOUNTS = new OpenAccounts(address(TOKEN));

    function setUp() external {
        svm.enableSymbolicStorage(address(ACCOUNTS));
        svm.enableSymbolicStorage(address(TOKEN));
    }

    function check_creditAdds(address account, uint256 amount, address other) external {
        (uint256 his, uint256 others) = (ACCOUNTS.balanceOf(account), ACCOUNTS.balanceOf(other));
        ACCOUNTS.credit(account, amount);
        assert(ACCOUNTS.balanceOf(account) >= his);
        assert(ACCOUNTS.balanceOf(account) - his == amount);
        if (other != account) assert(ACCOUNTS.balanceOf(other) == others);
    }

    function check_debitTakesWhatIsThere(address account, uint256 amount, address other) external {
        (uint256 his, uint256 others) = (ACCOUNTS.balanceOf(account), ACCOUNTS.balanceOf(other));
        ACCOUNTS.debit(account, amount);
        assert(amount <= his);
        assert(ACCOUNTS.balanceOf(account) == his - amount);
        if (other != account) assert(ACCOUNTS.balanceOf(other) == others);
    }

    function check_debitFailsOnlyWhereTooLittleIsThere(address account, uint256 amount) external {
        uint256 his = ACCOUNTS.balanceOf(account);
        try ACCOUNTS.debit(account, amount) {}
        catch {
            assert(amount > his);
        }
    }

    /// @notice To the unit, fee and royalty make the price.
    function check_theSplitIsWhole(uint128 price, uint16 royaltyBps) external view {
        (uint256 fee, uint256 royalty) = ACCOUNTS.split(price, royaltyBps);
        assert(fee + royalty == price);
    }

    function check_payingCreditsExactlyThePrice(
        address executor,
        uint256 modelId,
        uint88 price,
        uint16 royaltyBps,
        address other,
        uint256 another
    ) external {
        (uint256 fees, uint256 royalties) = (ACCOUNTS.balanceOf(executor), ACCOUNTS.royaltyOf(modelId));
        (uint256 others, uint256 anothers) = (ACCOUNTS.balanceOf(other), ACCOUNTS.royaltyOf(another));
        ACCOUNTS.pay(executor, modelId, price, royaltyBps);
        (uint256 fee, uint256 royalty) = ACCOUNTS.split(price, royaltyBps);
        assert(ACCOUNTS.balanceOf(executor) - fees == fee);
        assert(ACCOUNTS.royaltyOf(modelId) - royalties == royalty);
        if (other != executor) assert(ACCOUNTS.balanceOf(other) == others);
        if (another != modelId) assert(ACCOUNTS.royaltyOf(another) == anothers);
    }

    /// @notice This contract withdraws: balance and tokens go down by the same, and somebody has them.
    function check_withdrawingMovesBalanceAndTokens(uint256 amount, address to, address other) external {
        uint256 held = TOKEN.balanceOf(address(ACCOUNTS));
        uint256 mine = ACCOUNTS.balanceOf(address(this));
        uint256 others = ACCOUNTS.balanceOf(other);
        uint256 before = TOKEN.balanceOf(to);
        ACCOUNTS.withdraw(amount, to);
        assert(amount != 0 && amount <= mine);
        assert(to != address(0) && to != address(ACCOUNTS));
        assert(ACCOUNTS.balanceOf(address(this)) == mine - amount);
        assert(TOKEN.balanceOf(address(ACCOUNTS)) == held - amount);
        unchecked {
            // A token's supply is bounded; storage that may hold anything knows of no supply.
            assert(TOKEN.balanceOf(to) == before + amount);
        }
        if (other != address(this)) assert(ACCOUNTS.balanceOf(other) == others);
    }

    /// @notice This contract deposits: what arrived is his, and no more.
    function check_depositingMovesTokensAndBalance(uint256 amount, address other) external {
        uint256 held = TOKEN.balanceOf(address(ACCOUNTS));
        uint256 mine = ACCOUNTS.balanceOf(address(this));
        uint256 others = ACCOUNTS.balanceOf(other);
        ACCOUNTS.deposit(amount);
        assert(amount != 0);
        assert(TOKEN.balanceOf(address(ACCOUNTS)) - held == amount);
        assert(ACCOUNTS.balanceOf(address(this)) - mine == amount);
        if (other != address(this)) assert(ACCOUNTS.balanceOf(other) == others);
    }
}
