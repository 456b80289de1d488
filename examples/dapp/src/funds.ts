/** Money: what an account holds, and moving it into and out of its deposit at the market. */
import { erc20Abi, parseSignature, type Address, type Hex, type PublicClient } from "viem";
import { inferenceMarketAbi, testDollarAbi, typesPermit } from "#network";
import { chainTime } from "./chain";
import type { Deployment } from "./deployment";
import { Fault } from "./faults";
import { transact } from "./transactions";
import { requireChain, type Account } from "./wallets";

export interface Funds {
  /** Of the chain's currency, for gas. */
  readonly gas: bigint;
  /** Tokens in the wallet. */
  readonly held: bigint;
  /** Tokens in the market, from which requests are paid. */
  readonly deposited: bigint;
}

const PERMIT_SECONDS = 1_200n;

export async function readFunds(client: PublicClient, deployment: Deployment, address: Address): Promise<Funds> {
  const [gas, held, deposited] = await Promise.all([
    client.getBalance({ address }),
    client.readContract({
      address: deployment.token.address,
      abi: erc20Abi,
      functionName: "balanceOf",
      args: [address],
    }),
    client.readContract({
      address: deployment.market,
      abi: inferenceMarketAbi,
      functionName: "balanceOf",
      args: [address],
    }),
  ]);
  return { gas, held, deposited };
}

/** Moves tokens into the deposit; returns the transaction when it is mined. */
export async function deposit(
  client: PublicClient,
  deployment: Deployment,
  account: Account,
  amount: bigint,
): Promise<Hex> {
  await requireChain(account, deployment);
  const { held } = await readFunds(client, deployment, account.address);
  if (held < amount) throw new Fault("Too little in your wallet", "Your wallet does not hold that much.");
  const market = { address: deployment.market, abi: inferenceMarketAbi } as const;
  const permit = await signPermit(client, deployment, account, amount);
  if (permit !== undefined) {
    const call = { ...market, functionName: "depositWithPermit", args: [permit] } as const;
    return transact(client, deployment, account, call);
  }
  await transact(client, deployment, account, {
    address: deployment.token.address,
    abi: erc20Abi,
    functionName: "approve",
    args: [deployment.market, amount],
  });
  return transact(client, deployment, account, { ...market, functionName: "deposit", args: [amount] });
}

/** Moves tokens from the deposit back into the wallet. */
export async function withdraw(
  client: PublicClient,
  deployment: Deployment,
  account: Account,
  amount: bigint,
): Promise<Hex> {
  return transact(client, deployment, account, {
    address: deployment.market,
    abi: inferenceMarketAbi,
    functionName: "withdraw",
    args: [amount, account.address],
  });
}

/** Mints test dollars; they are worth nothing, and exist on development chains alone. */
export async function mintTestDollars(
  client: PublicClient,
  deployment: Deployment,
  account: Account,
  amount: bigint,
): Promise<Hex> {
  return transact(client, deployment, account, {
    address: deployment.token.address,
    abi: testDollarAbi,
    functionName: "mint",
    args: [account.address, amount],
  });
}

interface Permit {
  readonly value: bigint;
  readonly deadline: bigint;
  readonly v: number;
  readonly r: Hex;
  readonly s: Hex;
}

/**
 * An ERC-2612 permit, which saves the transaction that approves; undefined where the token takes none
 * or the account is a contract, whose signature tokens do not take.
 */
async function signPermit(
  client: PublicClient,
  deployment: Deployment,
  account: Account,
  amount: bigint,
): Promise<Permit | undefined> {
  const token = { address: deployment.token.address, abi: testDollarAbi } as const;
  const stated = await Promise.all([
    client.readContract({ ...token, functionName: "nonces", args: [account.address] }),
    client.readContract({ ...token, functionName: "eip712Domain" }),
    client.getCode({ address: account.address }),
  ]).catch(() => undefined);
  if (stated === undefined || stated[2] !== undefined) return undefined;
  const [nonce, [, name, version, chainId, verifyingContract]] = stated;
  const deadline = (await chainTime(client)) + PERMIT_SECONDS;
  const signature = await account.client.signTypedData({
    account: account.address,
    domain: { name, version, chainId, verifyingContract },
    types: typesPermit,
    primaryType: "Permit",
    message: { owner: account.address, spender: deployment.market, value: amount, nonce, deadline },
  });
  const { r, s, v } = parseSignature(signature);
  if (v === undefined) return undefined;
  return { value: amount, deadline, v: Number(v), r, s };
}
