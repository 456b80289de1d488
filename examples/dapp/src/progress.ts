/** How far a request has come, read from the contract; its events only say when to look. */
import { BaseError, ContractFunctionRevertedError, keccak256, type Address, type Hex, type PublicClient } from "viem";
import { inferenceMarketAbi, requestStates } from "#network";
import { POLL_MILLISECONDS, chainTime } from "./chain";
import type { Deployment } from "./deployment";
import { Fault } from "./faults";

type Market = Pick<Deployment, "market">;

/** What of a request its requester keeps: a signed one is nowhere on chain until it is locked. */
export interface Tracked {
  readonly id: bigint;
  readonly requester: Address;
  readonly versionId: bigint;
  readonly packedInput: Hex;
  readonly maxPrice: bigint;
  readonly deadline: bigint;
  /** Of a signed request. */
  readonly nonce?: bigint;
}

export interface Answer {
  readonly executor: Address;
  readonly requester: Address;
  readonly versionId: bigint;
  readonly inputDigest: Hex;
  readonly output: Hex;
  readonly fee: bigint;
  readonly royalty: bigint;
  readonly transaction: Hex;
  readonly block: bigint;
  /** Second of that block. */
  readonly answeredAt: bigint;
}

export type Progress =
  /** Signed and not on chain; `expired`: nobody can lock it any more, and nothing was paid. */
  | { readonly stage: "signed"; readonly expired: boolean }
  | { readonly stage: "open"; readonly refundable: boolean; readonly price: bigint; readonly deadline: bigint }
  | {
      readonly stage: "locked";
      readonly refundable: boolean;
      readonly price: bigint;
      readonly deadline: bigint;
      readonly executor: Address;
    }
  | { readonly stage: "paid"; readonly answer: Answer }
  | { readonly stage: "refunded"; readonly price: bigint; readonly executor: Address }
  /** A signed request whose nonce was used otherwise, by a cancellation or another request. */
  | { readonly stage: "void" };

/** `paidBlock` names the first of so many blocks. */
const PAID_BLOCKS = 256n;
const EVENT_TRIES = 5;

export async function readProgress(
  client: PublicClient,
  deployment: Market,
  id: bigint,
  tracked?: Tracked,
): Promise<Progress> {
  const market = { address: deployment.market, abi: inferenceMarketAbi } as const;
  // First the nonce, then the request: the lock that uses the one makes the other, and may be mined in between.
  const isSpent = tracked?.nonce === undefined ? undefined : await isNonceSpent(client, deployment, tracked, tracked.nonce);
  const stored = await client.readContract({ ...market, functionName: "requestOf", args: [id] }).catch(whereUnknown);
  const state = requestStates[stored?.state ?? 0];
  if (stored === undefined || state === undefined || state === "NONE") {
    if (tracked === undefined || isSpent === undefined) throw unknown(id);
    return isSpent ? { stage: "void" } : { stage: "signed", expired: (await chainTime(client)) > tracked.deadline };
  }
  const { price, executor } = stored;
  if (state === "PAID") return { stage: "paid", answer: await readAnswer(client, deployment, id, stored) };
  if (state === "REFUNDED") return { stage: "refunded", price, executor };
  const [, refundable] = await client.readContract({ ...market, functionName: "statusOf", args: [id] });
  if (state === "OPEN") return { stage: "open", refundable, price, deadline: stored.deadline };
  return { stage: "locked", refundable, price, deadline: stored.lockDeadline, executor };
}

async function isNonceSpent(
  client: PublicClient,
  deployment: Market,
  { requester }: Tracked,
  nonce: bigint,
): Promise<boolean> {
  const word = await client.readContract({
    address: deployment.market,
    abi: inferenceMarketAbi,
    functionName: "nonceWord",
    args: [requester, nonce >> 8n],
  });
  return ((word >> (nonce & 255n)) & 1n) === 1n;
}

/** The market says that there is none; any other fault is one. */
function whereUnknown(error: unknown): undefined {
  const isRevert = error instanceof BaseError && error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (!isRevert) throw error;
  return undefined;
}

function unknown(id: bigint): Fault {
  return new Fault("Unknown request", `No request ${shortId(id)} is on this network.`, {
    hint: "A signed request appears once an executor has locked it.",
  });
}

interface Paid {
  readonly requester: Address;
  readonly inputDigest: Hex;
  readonly outputDigest: Hex;
  readonly paidBlock: bigint;
}

/** Nodes may show a block's state before its events. */
async function findFulfilment(client: PublicClient, deployment: Market, id: bigint, fromBlock: bigint) {
  for (let tries = 0; ; tries += 1) {
    const [event] = await client.getContractEvents({
      address: deployment.market,
      abi: inferenceMarketAbi,
      eventName: "RequestFulfilled",
      args: { requestId: id },
      fromBlock,
      toBlock: fromBlock + PAID_BLOCKS - 1n,
      strict: true,
    });
    if (event !== undefined || tries === EVENT_TRIES) return event;
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
}

/** The output and the payment, from the event, held against what the contract keeps. */
async function readAnswer(client: PublicClient, deployment: Market, id: bigint, stored: Paid): Promise<Answer> {
  const event = await findFulfilment(client, deployment, id, stored.paidBlock);
  if (event === undefined) throw new Fault("The node forgot", "It does not show the event that carries the output.");
  const { output, executor, versionId, fee, royalty } = event.args;
  if (keccak256(output) !== stored.outputDigest) {
    throw new Fault("Do not trust this node", "The output that it shows is not the one that the contract recorded.");
  }
  const { timestamp } = await client.getBlock({ blockNumber: event.blockNumber });
  return {
    executor,
    requester: stored.requester,
    versionId,
    inputDigest: stored.inputDigest,
    output,
    fee,
    royalty,
    transaction: event.transactionHash,
    block: event.blockNumber,
    answeredAt: timestamp,
  };
}

/** Whether nothing can change any more. A node that lags may show a request as void that was just locked. */
export function isOver(progress: Progress): boolean {
  return progress.stage === "paid" || progress.stage === "refunded";
}

/** Ids of signed requests are digests. */
export function shortId(id: bigint): string {
  const hex = id.toString(16);
  return hex.length < 16 ? String(id) : `0x${hex.padStart(64, "0").slice(0, 6)}…${hex.slice(-4)}`;
}
