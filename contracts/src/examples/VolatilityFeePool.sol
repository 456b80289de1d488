// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {InferenceConsumer} from "../consumer/InferenceConsumer.sol";
import {Tensor} from "../consumer/Tensor.sol";
import {IInferenceMarket} from "../interfaces/IInferenceMarket.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {TokenTransfers} from "../libraries/TokenTransfers.sol";
import {TrustMode} from "../types/ModelTypes.sol";
import {PriceHistory} from "./PriceHistory.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title A pool whose swap fee follows a forecast of volatility
/// @notice Constant product of two tokens. The pool makes the model's input from its own average prices, and whoever
/// pays may ask for a forecast; nobody chooses what is asked, in which mode, or what is done with the answer. The fee
/// stays within bounds fixed at construction whatever the model says, and without a fresh forecast it is a fixed one:
/// the pool never waits for an answer.
/// @dev Tokens that are sent without a call are nobody's. Fees are in millionths.
contract VolatilityFeePool is InferenceConsumer, ERC20, ReentrancyGuardTransient {
    using PriceHistory for PriceHistory.History;
    using SafeERC20 for IERC20;
    using TokenTransfers for IERC20;

    /// @param minimum lowest fee.
    /// @param maximum highest fee.
    /// @param fallback_ fee without a fresh forecast.
    /// @param perPercent what each percent of forecast volatility adds to the lowest fee.
    /// @param maxAge periods for which a forecast holds, counted from the one in which it was asked for.
    struct Fees {
        uint32 minimum;
        uint32 maximum;
        uint32 fallback_;
        uint32 perPercent;
        uint32 maxAge;
    }

    event LiquidityAdded(
        address indexed provider, address indexed to, uint256 amount0, uint256 amount1, uint256 shares
    );
    event LiquidityRemoved(
        address indexed provider, address indexed to, uint256 amount0, uint256 amount1, uint256 shares
    );
    event Swapped(
        address indexed trader, address indexed to, bool zeroForOne, uint256 amountIn, uint256 amountOut, uint256 fee
    );
    /// @notice A forecast was taken: the fee is `fee` from now until period `asked + maxAge` ends or a later one comes.
    event ForecastTaken(uint256 indexed requestId, uint256 indexed asked, uint256 fee);

    error VolatilityFeePool_InvalidFees();
    error VolatilityFeePool_InvalidTokens();
    error VolatilityFeePool_OtherShape();
    error VolatilityFeePool_ZeroAmount();
    error VolatilityFeePool_TooLittle(uint256 amount, uint256 minimum);
    error VolatilityFeePool_TransferMismatch(uint256 received, uint256 expected);
    error VolatilityFeePool_ReserveTooHigh(uint256 reserve);

    /// @notice Shares that the first provider leaves in the pool for ever, so that a share never gets dear.
    uint256 public constant LOCKED_SHARES = 1000;
    uint256 private constant MILLION = 1e6;
    /// @dev Binary places of a price: `reserve1 / reserve0`.
    uint256 private constant PRICE_BITS = 96;
    uint32 private constant LOCK_DURATION = 10 minutes;
    uint32 private constant CALLBACK_GAS = 120_000;

    IERC20 public immutable TOKEN0;
    IERC20 public immutable TOKEN1;
    uint32 public immutable MIN_FEE;
    uint32 public immutable MAX_FEE;
    uint32 public immutable FALLBACK_FEE;
    uint32 public immutable FEE_PER_PERCENT;
    uint32 public immutable MAX_AGE;
    int8 private immutable _SCALE_IN;
    int8 private immutable _SCALE_OUT;
    uint256 private immutable _WIDTH_IN;
    uint256 private immutable _WIDTH_OUT;

    uint112 private _reserve0;
    uint112 private _reserve1;
    uint32 private _forecastFee;
    uint64 private _forecastAsked;
    PriceHistory.History private _history;

    constructor(address market, uint64 versionId, IERC20 token0, IERC20 token1, Fees memory fees)
        InferenceConsumer(market, versionId, ZK_ONLY)
        ERC20("Volatility Fee Pool", "VFP")
    {
        // Check
        if (token0 == token1 || address(token0).code.length == 0 || address(token1).code.length == 0) {
            revert VolatilityFeePool_InvalidTokens();
        }
        if (
            fees.minimum > fees.fallback_ || fees.fallback_ > fees.maximum || fees.maximum >= MILLION
                || fees.maxAge == 0
        ) revert VolatilityFeePool_InvalidFees();
        // Check: changes in, one number out.
        bytes memory schema = IModelRegistry(IInferenceMarket(market).registry()).ioSchema(versionId);
        Tensor.Layout memory changes = Tensor.inputLayout(schema, 0);
        Tensor.Layout memory volatility = Tensor.outputLayout(schema, 0);
        if (
            changes.count != PriceHistory.WINDOW || INPUT_LENGTH != changes.count * changes.width
                || volatility.count != 1 || OUTPUT_LENGTH != volatility.width || changes.scaleBits < 0
        ) revert VolatilityFeePool_OtherShape();
        // Effect
        (TOKEN0, TOKEN1) = (token0, token1);
        (MIN_FEE, MAX_FEE, FALLBACK_FEE) = (fees.minimum, fees.maximum, fees.fallback_);
        (FEE_PER_PERCENT, MAX_AGE) = (fees.perPercent, fees.maxAge);
        (_SCALE_IN, _WIDTH_IN) = (changes.scaleBits, changes.width);
        (_SCALE_OUT, _WIDTH_OUT) = (volatility.scaleBits, volatility.width);
    }

    // --- liquidity ---

    /// @notice Adds up to the given amounts, in the pool's proportion; the first provider sets it.
    function addLiquidity(uint256 maximum0, uint256 maximum1, uint256 minShares, address to)
        external
        nonReentrant
        returns (uint256 shares)
    {
        _observe();
        (uint256 reserve0, uint256 reserve1, uint256 supply) = (_reserve0, _reserve1, totalSupply());
        (uint256 amount0, uint256 amount1) = (maximum0, maximum1);
        if (supply == 0) {
            shares = Math.sqrt(amount0 * amount1);
            // Check
            if (shares <= LOCKED_SHARES) revert VolatilityFeePool_TooLittle(shares, LOCKED_SHARES + 1);
            shares -= LOCKED_SHARES;
        } else {
            shares = Math.min(Math.mulDiv(maximum0, supply, reserve0), Math.mulDiv(maximum1, supply, reserve1));
            // What the shares are worth, rounded up: for the pool.
            amount0 = Math.mulDiv(shares, reserve0, supply, Math.Rounding.Ceil);
            amount1 = Math.mulDiv(shares, reserve1, supply, Math.Rounding.Ceil);
        }
        // Check
        if (shares == 0) revert VolatilityFeePool_ZeroAmount();
        if (shares < minShares) revert VolatilityFeePool_TooLittle(shares, minShares);
        // Effect
        if (supply == 0) {
            _history.start();
            // The zero address cannot hold shares; this one can never move them.
            _mint(address(0xdead), LOCKED_SHARES);
        }
        _setReserves(reserve0 + amount0, reserve1 + amount1);
        _mint(to, shares);
        emit LiquidityAdded(msg.sender, to, amount0, amount1, shares);
        // Interaction
        _pullExactly(TOKEN0, amount0);
        _pullExactly(TOKEN1, amount1);
    }

    /// @notice Burns the caller's shares for their part of both reserves.
    function removeLiquidity(uint256 shares, uint256 minimum0, uint256 minimum1, address to)
        external
        nonReentrant
        returns (uint256 amount0, uint256 amount1)
    {
        // Check
        if (shares == 0) revert VolatilityFeePool_ZeroAmount();
        _observe();
        (uint256 reserve0, uint256 reserve1, uint256 supply) = (_reserve0, _reserve1, totalSupply());
        amount0 = Math.mulDiv(shares, reserve0, supply);
        amount1 = Math.mulDiv(shares, reserve1, supply);
        if (amount0 < minimum0) revert VolatilityFeePool_TooLittle(amount0, minimum0);
        if (amount1 < minimum1) revert VolatilityFeePool_TooLittle(amount1, minimum1);
        // Effect
        _burn(msg.sender, shares);
        _setReserves(reserve0 - amount0, reserve1 - amount1);
        emit LiquidityRemoved(msg.sender, to, amount0, amount1, shares);
        // Interaction
        TOKEN0.safeTransfer(to, amount0);
        TOKEN1.safeTransfer(to, amount1);
    }

    // --- swaps ---

    /// @notice Swaps exactly `amountIn`, at the fee of this moment.
    function swap(bool zeroForOne, uint256 amountIn, uint256 minimumOut, address to)
        external
        nonReentrant
        returns (uint256 amountOut)
    {
        _observe();
        uint256 charged = fee();
        (uint256 reserveIn, uint256 reserveOut) = zeroForOne ? (_reserve0, _reserve1) : (_reserve1, _reserve0);
        uint256 effective = amountIn * (MILLION - charged) / MILLION;
        amountOut = effective == 0 ? 0 : Math.mulDiv(reserveOut, effective, reserveIn + effective);
        // Check
        if (amountOut == 0) revert VolatilityFeePool_ZeroAmount();
        if (amountOut < minimumOut) revert VolatilityFeePool_TooLittle(amountOut, minimumOut);
        // Effect
        if (zeroForOne) _setReserves(reserveIn + amountIn, reserveOut - amountOut);
        else _setReserves(reserveOut - amountOut, reserveIn + amountIn);
        emit Swapped(msg.sender, to, zeroForOne, amountIn, amountOut, charged);
        // Interaction
        _pullExactly(zeroForOne ? TOKEN0 : TOKEN1, amountIn);
        (zeroForOne ? TOKEN1 : TOKEN0).safeTransfer(to, amountOut);
    }

    /// @notice The fee of a swap now, in millionths.
    function fee() public view returns (uint256) {
        uint256 asked = _forecastAsked;
        if (asked == 0 || block.timestamp / PriceHistory.PERIOD > asked + MAX_AGE) return FALLBACK_FEE;
        return _forecastFee;
    }

    function reserves() external view returns (uint256 reserve0, uint256 reserve1) {
        return (_reserve0, _reserve1);
    }

    // --- forecasts ---

    /// @notice Asks for a forecast from the changes of the last hours, at the caller's cost in the market's token. Any
    /// number may be open: the one asked for last counts, whenever it comes.
    function requestForecast(uint128 price, uint128 collateral) external nonReentrant returns (uint256 requestId) {
        _observe();
        Terms memory terms = Terms({
            mode: TrustMode.ZK,
            price: price,
            minPrice: 0,
            rampLength: 0,
            collateral: collateral,
            lifetime: uint32(PriceHistory.PERIOD),
            lockDuration: LOCK_DURATION,
            executor: address(0),
            callbackGas: CALLBACK_GAS
        });
        int256[] memory changes = _history.changes(_SCALE_IN, int256(1 << (8 * _WIDTH_IN - 1)) - 1);
        // Periods fit: they are counted from 1970.
        return _askForCaller(terms, _packed(Tensor.pack(changes, _WIDTH_IN)), uint96(_history.period));
    }

    /// @inheritdoc InferenceConsumer
    function _onAnswer(uint256 requestId, Asked memory asked, bytes calldata output) internal override {
        // Check: an answer that was overtaken changes nothing.
        if (asked.context <= _forecastAsked) return;
        // Effect
        uint256 forecast = _feeFor(Tensor.at(output, _WIDTH_OUT, 0));
        (_forecastFee, _forecastAsked) = (uint32(forecast), uint64(asked.context));
        emit ForecastTaken(requestId, asked.context, forecast);
    }

    /// @dev Linear in the forecast, within the bounds. A forecast below zero counts as none.
    function _feeFor(int256 volatility) private view returns (uint256) {
        if (volatility <= 0) return MIN_FEE;
        // In millionths of a percent, rounded down; widths and scales keep it far below 2^200.
        uint256 millionths = uint256(Tensor.toDecimals(volatility, _SCALE_OUT, 6));
        return Math.min(MAX_FEE, MIN_FEE + Math.mulDiv(millionths, FEE_PER_PERCENT, MILLION));
    }

    // --- inner steps ---

    /// @dev Before any change of the reserves: the price until now stood since the last change.
    function _observe() private {
        if (_reserve0 == 0) return;
        // At least one unit, so that a change from it can be told.
        _history.advance(Math.max(1, (uint256(_reserve1) << PRICE_BITS) / _reserve0));
    }

    function _setReserves(uint256 reserve0, uint256 reserve1) private {
        // Check
        if (reserve0 > type(uint112).max) revert VolatilityFeePool_ReserveTooHigh(reserve0);
        if (reserve1 > type(uint112).max) revert VolatilityFeePool_ReserveTooHigh(reserve1);
        // Effect
        (_reserve0, _reserve1) = (uint112(reserve0), uint112(reserve1));
    }

    function _pullExactly(IERC20 token, uint256 amount) private {
        uint256 received = token.pull(amount);
        if (received != amount) revert VolatilityFeePool_TransferMismatch(received, amount);
    }
}
