/** Requests of this browser, so that a reload loses none: signed ones are nowhere else. */
import type { Address, Hex } from "viem";
import type { Deployment } from "./deployment";
import type { Tracked } from "./progress";

const KEPT = 20;

export interface Remembered extends Tracked {
  /** Who took the signed request; empty where it was sent. */
  readonly takenBy: string;
}

export function remember(deployment: Deployment, request: Remembered): void {
  const others = recall(deployment).filter((one) => one.id !== request.id);
  const text = JSON.stringify([request, ...others].slice(0, KEPT), (_, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  try {
    localStorage.setItem(keyOf(deployment), text);
  } catch {
    // A browser that keeps nothing shows the request until the page is left.
  }
}

export function recall(deployment: Deployment): Remembered[] {
  try {
    const stored = JSON.parse(localStorage.getItem(keyOf(deployment)) ?? "[]") as Record<string, string>[];
    return stored.map(restore);
  } catch {
    return [];
  }
}

function restore(stored: Record<string, string>): Remembered {
  return {
    id: BigInt(stored.id!),
    requester: stored.requester as Address,
    versionId: BigInt(stored.versionId!),
    packedInput: stored.packedInput as Hex,
    maxPrice: BigInt(stored.maxPrice!),
    deadline: BigInt(stored.deadline!),
    takenBy: stored.takenBy ?? "",
    ...(stored.nonce === undefined ? {} : { nonce: BigInt(stored.nonce) }),
  };
}

function keyOf(deployment: Deployment): string {
  return `gateless:${deployment.chainId}:${deployment.market}`;
}
