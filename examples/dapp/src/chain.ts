/** The chain as this page reads it, and what time it is there. */
import { createPublicClient, defineChain, http, type Chain, type PublicClient } from "viem";
import type { Deployment } from "./deployment";

export const POLL_MILLISECONDS = 1_000;

export function chainOf(deployment: Deployment): Chain {
  return defineChain({
    id: deployment.chainId,
    name: deployment.name,
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [deployment.rpcUrl] } },
  });
}

export function reader(deployment: Deployment): PublicClient {
  return createPublicClient({
    chain: chainOf(deployment),
    transport: http(deployment.rpcUrl, { retryCount: 1, timeout: 10_000 }),
    pollingInterval: POLL_MILLISECONDS,
  });
}

/**
 * The second by which the contracts will judge: a chain that mines on demand lags behind our clock,
 * one whose clock was moved is ahead of it.
 */
export async function chainTime(client: PublicClient): Promise<bigint> {
  const { timestamp } = await client.getBlock({ blockTag: "latest" });
  const ours = BigInt(Math.floor(Date.now() / 1000));
  return timestamp > ours ? timestamp : ours;
}
