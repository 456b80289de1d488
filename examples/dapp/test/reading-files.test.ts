import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  ContractFunctionExecutionError,
  ContractFunctionRevertedError,
  InsufficientFundsError,
  UserRejectedRequestError,
  encodeErrorResult,
  parseAbi,
} from "viem";
import { formatAmount, parseAmount, plainAmount } from "../src/amounts";
import { parseDeployment } from "../src/deployment";
import { Fault, explain } from "../src/faults";
import { webAddress } from "../src/offers";
import { shortId } from "../src/progress";
import { readQuery } from "../src/session";

const MARKET = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const TOKEN = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512";
const FILE = {
  name: "devnet",
  chain_id: 31337,
  rpc_url: "http://127.0.0.1:8545",
  token: { address: TOKEN, symbol: "tUSD", decimals: 6 },
  contracts: { InferenceMarket: MARKET, ModelRegistry: MARKET, ExecutorStaking: MARKET, TestDollar: TOKEN },
  start_block: 0,
  srs: "development",
};

describe("deployments files", () => {
  it("are read", () => {
    const found = parseDeployment(FILE);
    assert.equal(found.market, MARKET);
    assert.equal(found.chainId, 31337);
    assert.equal(found.faucet, true);
    assert.equal(parseDeployment({ ...FILE, contracts: { ...FILE.contracts, TestDollar: MARKET } }).faucet, false);
  });

  for (const [name, change] of Object.entries({
    "a missing contract": { contracts: { ...FILE.contracts, ModelRegistry: undefined } },
    "an address with a wrong checksum": { contracts: { ...FILE.contracts, InferenceMarket: MARKET.replace("F", "f") } },
    "an RPC URL that is a script": { rpc_url: "javascript:alert(1)" },
    "a chain id that is no number": { chain_id: "31337" },
    "a token without decimals": { token: { address: TOKEN, symbol: "tUSD" } },
    "no name": { name: "" },
  })) {
    it(`are refused for ${name}`, () => assert.throws(() => parseDeployment({ ...FILE, ...change }), Fault));
  }

  it("are refused where they are something else", () => {
    for (const data of [null, [], "x", 7, {}]) assert.throws(() => parseDeployment(data), Fault);
  });
});

describe("the page's query", () => {
  it("has defaults", () => {
    assert.deepEqual(readQuery(""), {
      deployment: "deployment.json",
      model: "digits",
      intake: "",
      explorer: "",
      request: undefined,
    });
  });

  it("takes web addresses and numbers only", () => {
    const query = readQuery("?intake=javascript:alert(1)&explorer=https://scan.example/&request=0xff&model=d@1");
    assert.equal(query.intake, "");
    assert.equal(query.explorer, "https://scan.example");
    assert.equal(query.request, 255n);
    assert.equal(query.model, "d@1");
    assert.equal(readQuery("?request=1e3").request, undefined);
    assert.equal(webAddress("data:text/html,x"), "");
  });
});

describe("amounts", () => {
  const token = FILE.token as { address: typeof TOKEN; symbol: string; decimals: number };

  it("are written with the token's decimals, and read back", () => {
    assert.equal(formatAmount(250_000n, token), "0.25 tUSD");
    assert.equal(formatAmount(25_000n, token), "0.025 tUSD");
    assert.equal(plainAmount(10n ** 7n, token), "10.00");
    assert.equal(plainAmount(7n, { ...token, decimals: 0 }), "7");
    for (const amount of [0n, 1n, 250_000n, 10n ** 12n + 1n]) {
      assert.equal(parseAmount(plainAmount(amount, token), token), amount);
    }
    assert.equal(parseAmount(" 0,5 ", token), 500_000n);
  });

  it("are refused where they are none, or finer than the token", () => {
    for (const text of ["", "x", "-1", "1e3", "0x1", "1.2.3", "0.0000001", ".", "1 000"]) {
      assert.throws(() => parseAmount(text, token), Fault, text);
    }
  });
});

describe("faults", () => {
  it("say in plain words what a wallet refused", () => {
    assert.equal(explain({ code: 4001, message: "User rejected" }).title, "Nothing was signed");
    assert.equal(explain(new Error("boom")).message, "boom");
    assert.equal(explain({ code: -32000, message: "no" }).message, "no");
    assert.equal(explain(undefined).message, "undefined");
  });

  const reverted = (errorName: "MarketAccounts_InsufficientBalance", args: readonly [`0x${string}`, bigint, bigint]) => {
    const abi = parseAbi(["error MarketAccounts_InsufficientBalance(address account, uint256 balance, uint256 needed)"]);
    const data = encodeErrorResult({ abi, errorName, args });
    const cause = new ContractFunctionRevertedError({ abi, data, functionName: "request" });
    return new ContractFunctionExecutionError(cause, { abi: [], functionName: "request" });
  };

  it("say what a contract refused, whichever contract it was, and offer what helps", () => {
    const fault = explain(reverted("MarketAccounts_InsufficientBalance", [MARKET, 1n, 2n]));
    assert.equal(fault.title, "Too little deposited");
    assert.equal(fault.remedy, "deposit");
  });

  it("name a refusal that they have no words for", () => {
    const abi = parseAbi(["error Other_Odd()"]);
    const data = encodeErrorResult({ abi, errorName: "Other_Odd" });
    const fault = explain(new ContractFunctionRevertedError({ abi, data, functionName: "request" }));
    assert.deepEqual([fault.title, fault.message], ["The contract refused", "Other_Odd"]);
  });

  it("know a wallet's refusal inside of viem's errors, and an empty purse", () => {
    const rejected = new ContractFunctionExecutionError(new UserRejectedRequestError(new Error("no")), {
      abi: [],
      functionName: "request",
    });
    assert.equal(explain(rejected).title, "Nothing was signed");
    assert.equal(explain(new InsufficientFundsError()).title, "No gas money");
  });

  it("show ids short", () => {
    assert.equal(shortId(7n), "7");
    assert.equal(shortId(BigInt(`0x${"ab".repeat(32)}`)), "0xababab…abab");
  });
});
