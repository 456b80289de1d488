/** Requests: their terms, their EIP-712 form, their id, signing and sending them. */
import {
  hashTypedData,
  keccak256,
  parseEventLogs,
  zeroAddress,
  type Address,
  type Hex,
  type PublicClient,
  type TypedDataDomain,
} from "viem";
import { inferenceMarketAbi, marketDomain, typesInferenceRequest } from "#network";
import { chainTime } from "./chain";
import type { Deployment } from "./deployment";
import { Fault } from "./faults";
import { transact } from "./transactions";
import { requireChain, type Account } from "./wallets";

/** Members of `InferenceRequest`, as the market's EIP-712 type has them. */
export interface InferenceRequest {
  readonly requester: Address;
  readonly versionId: bigint;
  readonly mode: number;
  readonly inputDigest: Hex;
  readonly inputBinding: Hex;
  readonly maxPrice: bigint;
  readonly minPrice: bigint;
  readonly rampStart: bigint;
  readonly rampLength: number;
  readonly collateral: bigint;
  readonly deadline: bigint;
  readonly lockDuration: number;
  readonly executor: Address;
  readonly callback: Address;
  readonly callbackGas: number;
  readonly nonce: bigint;
  readonly inputHint: string;
}

export interface Terms {
  readonly versionId: bigint;
  readonly packedInput: Hex;
  readonly maxPrice: bigint;
  /** Seconds until the request can be refunded. */
  readonly lifetime: bigint;
}

/** `TrustMode.ZK`: final in the transaction that carries a valid proof. */
const ZK = 0;
/** Between looking at the clock and being mined; the contract judges by the latter. */
const MINING_SECONDS = 15n;
const LOCK_SECONDS = 180n;
const NONCE_WORDS = 8n;

/** The request that an account makes by these terms, now. */
export async function prepare(
  client: PublicClient,
  deployment: Deployment,
  account: Address,
  terms: Terms,
): Promise<InferenceRequest> {
  const market = marketOf(deployment);
  const [collateral, shortest, longest, life, now, nonce] = await Promise.all([
    client.readContract({ ...market, functionName: "COLLATERAL_FLOOR" }),
    client.readContract({ ...market, functionName: "MIN_LOCK_DURATION" }),
    client.readContract({ ...market, functionName: "MAX_LOCK_DURATION" }),
    client.readContract({ ...market, functionName: "MAX_LIFETIME" }),
    chainTime(client),
    freeNonce(client, deployment, account),
  ]);
  const least = BigInt(shortest) + MINING_SECONDS;
  if (terms.lifetime < least || terms.lifetime > life) {
    throw new Fault("Time out of range", `A request may live ${least} to ${life} seconds on this network.`);
  }
  const half = clamp(terms.lifetime / 2n, BigInt(shortest), LOCK_SECONDS);
  const digest = keccak256(terms.packedInput);
  return {
    requester: account,
    versionId: terms.versionId,
    mode: ZK,
    inputDigest: digest,
    inputBinding: digest,
    maxPrice: terms.maxPrice,
    minPrice: 0n,
    rampStart: 0n,
    rampLength: 0,
    collateral,
    deadline: now + terms.lifetime,
    lockDuration: Number(clamp(half, BigInt(shortest), BigInt(longest))),
    executor: zeroAddress,
    callback: zeroAddress,
    callbackGas: 0,
    nonce,
    inputHint: "",
  };
}

/** The market's EIP-712 domain. */
export function domainOf(deployment: Pick<Deployment, "chainId" | "market">): TypedDataDomain {
  return { ...marketDomain, chainId: deployment.chainId, verifyingContract: deployment.market };
}

/** The id that a signed request has once it is locked: the digest that is signed. */
export function requestIdOf(request: InferenceRequest, domain: TypedDataDomain): Hex {
  return hashTypedData({
    domain,
    types: typesInferenceRequest,
    primaryType: "InferenceRequest",
    message: request,
  });
}

/** Lets the wallet show and sign the request. Costs nothing. */
export async function sign(deployment: Deployment, account: Account, request: InferenceRequest): Promise<Hex> {
  await requireChain(account, deployment);
  return account.client.signTypedData({
    account: account.address,
    domain: domainOf(deployment),
    types: typesInferenceRequest,
    primaryType: "InferenceRequest",
    message: request,
  });
}

/** Makes the request by a transaction, where no executor takes signed ones; returns its id. */
export async function send(
  client: PublicClient,
  deployment: Deployment,
  account: Account,
  asked: InferenceRequest,
  packedInput: Hex,
): Promise<bigint> {
  const call = { ...marketOf(deployment), functionName: "request", args: [asked, packedInput, ""] } as const;
  const hash = await transact(client, deployment, account, call);
  const { logs } = await client.getTransactionReceipt({ hash });
  const [created] = parseEventLogs({ abi: inferenceMarketAbi, eventName: "RequestCreated", logs });
  if (created === undefined) throw new Fault("Something went wrong", "The transaction made no request.");
  return created.args.requestId;
}

/** Takes a signed request back that nobody has locked, by making its nonce useless. */
export async function cancelSigned(
  client: PublicClient,
  deployment: Deployment,
  account: Account,
  nonce: bigint,
): Promise<Hex> {
  return transact(client, deployment, account, {
    ...marketOf(deployment),
    functionName: "cancelNonces",
    args: [nonce >> 8n, 1n << (nonce & 255n)],
  });
}

/** Takes an open request back that nobody has locked. */
export async function cancel(client: PublicClient, deployment: Deployment, account: Account, id: bigint): Promise<Hex> {
  return transact(client, deployment, account, { ...marketOf(deployment), functionName: "cancel", args: [id] });
}

/** Returns the price of an expired request to its requester. Anybody may. */
export async function refund(client: PublicClient, deployment: Deployment, account: Account, id: bigint): Promise<Hex> {
  return transact(client, deployment, account, { ...marketOf(deployment), functionName: "refund", args: [id] });
}

function marketOf(deployment: Deployment) {
  return { address: deployment.market, abi: inferenceMarketAbi } as const;
}

/** An unused nonce of the account's first words, which cost executors less than fresh ones. */
async function freeNonce(client: PublicClient, deployment: Deployment, account: Address): Promise<bigint> {
  for (let word = 0n; word < NONCE_WORDS; word += 1n) {
    const used = await client.readContract({
      ...marketOf(deployment),
      functionName: "nonceWord",
      args: [account, word],
    });
    const free = Array.from({ length: 256 }, (_, bit) => BigInt(bit)).filter((bit) => ((used >> bit) & 1n) === 0n);
    const chosen = free[randomBelow(free.length)];
    if (chosen !== undefined) return 256n * word + chosen;
  }
  return crypto.getRandomValues(new BigUint64Array(4)).reduce((whole, part) => (whole << 64n) | part, 0n);
}

function randomBelow(count: number): number {
  return count === 0 ? 0 : crypto.getRandomValues(new Uint32Array(1))[0]! % count;
}

function clamp(value: bigint, low: bigint, high: bigint): bigint {
  return value < low ? low : value > high ? high : value;
}
