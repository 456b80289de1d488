/** Executors that serve a version: who, for how much, and where they can be reached. */
import type { Address, PublicClient } from "viem";
import { executorStakingAbi } from "#network";
import type { Deployment } from "./deployment";

export interface Offer {
  readonly executor: Address;
  readonly price: bigint;
  /** Base URL of its intake and store; empty where it names none. */
  readonly endpoint: string;
  /** Stake that it could still lock. */
  readonly available: bigint;
}

const PAGE = 32n;

/** The first of those enrolled, cheapest first. */
export async function offersFor(client: PublicClient, deployment: Deployment, versionId: bigint): Promise<Offer[]> {
  const staking = { address: deployment.staking, abi: executorStakingAbi } as const;
  const executors = await client.readContract({
    ...staking,
    functionName: "enrolledExecutors",
    args: [versionId, 0n, PAGE],
  });
  const offers = await Promise.all(
    executors.map(async (executor) => {
      const [profile, available] = await Promise.all([
        client.readContract({ ...staking, functionName: "profileOf", args: [executor] }),
        client.readContract({ ...staking, functionName: "available", args: [executor, deployment.market] }),
      ]);
      return { executor, price: profile.minPrice, endpoint: webAddress(profile.endpoint), available };
    }),
  );
  return offers.sort((one, other) => (one.price < other.price ? -1 : one.price > other.price ? 1 : 0));
}

/** An address of the web, or nothing: endpoints are strangers' texts. */
export function webAddress(text: string): string {
  try {
    const { protocol } = new URL(text);
    return protocol === "https:" || protocol === "http:" ? text.replace(/\/+$/, "") : "";
  } catch {
    return "";
  }
}
