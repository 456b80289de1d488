/** The deployments file: where a network's contracts are. The same file that the command line reads. */
import { getAddress, isAddress, type Address } from "viem";
import { Fault } from "./faults";

export interface Token {
  readonly address: Address;
  readonly symbol: string;
  readonly decimals: number;
}

export interface Deployment {
  readonly name: string;
  readonly chainId: number;
  readonly rpcUrl: string;
  readonly token: Token;
  readonly market: Address;
  readonly registry: Address;
  readonly staking: Address;
  /** The test dollar, where it is the token: anybody may mint it. */
  readonly faucet: boolean;
}

/**
 * Fetches the file and checks it. Only the page's own server is asked: the file says whom deposits go to, and the page's
 * address is anybody's text.
 */
export async function loadDeployment(url: string): Promise<Deployment> {
  if (!URL.canParse(url, location.href) || new URL(url, location.href).origin !== location.origin) {
    throw new Fault("Foreign deployments file", "This page takes contracts from its own server only.", {
      hint: "Open the page without ?deployment, or put the network's file beside it.",
    });
  }
  let data: unknown;
  try {
    const response = await fetch(url, { cache: "no-cache", redirect: "error" });
    if (!response.ok) throw new Error(`the server answers ${response.status}`);
    data = await response.json();
  } catch (error) {
    throw new Fault("No deployments file", `${url} cannot be read: ${messageOf(error)}.`, {
      hint: "Put the network's file beside this page as deployment.json, or name another file there with ?deployment=FILE.",
    });
  }
  return parseDeployment(data);
}

/** What of the file this page needs; throws a `Fault` that names the first thing that is wrong. */
export function parseDeployment(data: unknown): Deployment {
  const file = record(data, "the file");
  const token = record(file.token, "token");
  const contracts = record(file.contracts, "contracts");
  const address = (name: string): Address => addressOf(contracts[name], `contracts.${name}`);
  const found = {
    name: text(file.name, "name"),
    chainId: whole(file.chain_id, "chain_id"),
    rpcUrl: url(file.rpc_url, "rpc_url"),
    token: {
      address: addressOf(token.address, "token.address"),
      symbol: text(token.symbol, "token.symbol"),
      decimals: whole(token.decimals, "token.decimals"),
    },
    market: address("InferenceMarket"),
    registry: address("ModelRegistry"),
    staking: address("ExecutorStaking"),
  };
  return { ...found, faucet: contracts.TestDollar === found.token.address };
}

/** An error's own words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function wrong(where: string): Fault {
  return new Fault("Not a deployments file", `${where} is missing or is not what it should be.`, {
    hint: "Get the network's file again from whoever runs it.",
  });
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(where);
  return value as Record<string, unknown>;
}

function text(value: unknown, where: string): string {
  if (typeof value !== "string" || value.length === 0) throw wrong(where);
  return value;
}

function whole(value: unknown, where: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw wrong(where);
  return value;
}

function url(value: unknown, where: string): string {
  const found = text(value, where);
  if (!/^https?:\/\//.test(found)) throw wrong(where);
  return found;
}

function addressOf(value: unknown, where: string): Address {
  if (typeof value !== "string" || !isAddress(value, { strict: true })) throw wrong(where);
  return getAddress(value);
}
