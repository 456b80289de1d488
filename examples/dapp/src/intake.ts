/** Executors' HTTP intake: where signed requests are handed over. */
import type { Address, Hex } from "viem";
import type { Deployment } from "./deployment";
import { Fault } from "./faults";
import type { InferenceRequest } from "./requests";

/** The JSON form of a signed request, as `gateless.adapters.chain.offers` reads it. */
export interface SignedRequestFile {
  readonly format: string;
  readonly chainId: string;
  readonly market: Address;
  readonly request: Record<string, string>;
  readonly signature: Hex;
  readonly input: Hex;
}

const FORMAT = "gateless/signed-request/1";
const PATIENCE_MILLISECONDS = 20_000;

export function signedRequestFile(
  deployment: Pick<Deployment, "chainId" | "market">,
  request: InferenceRequest,
  signature: Hex,
  packedInput: Hex,
): SignedRequestFile {
  return {
    format: FORMAT,
    chainId: String(deployment.chainId),
    market: deployment.market,
    request: Object.fromEntries(Object.entries(request).map(([name, value]) => [name, String(value)])),
    signature,
    input: packedInput,
  };
}

/** Hands a signed request to the first of several executors that takes it; returns who did. */
export async function handOver(file: SignedRequestFile, endpoints: readonly string[]): Promise<string> {
  const refusals: string[] = [];
  for (const endpoint of endpoints) {
    const refusal = await post(`${endpoint}/v1/requests`, file);
    if (refusal === undefined) return endpoint;
    refusals.push(`${new URL(endpoint).host}: ${refusal}`);
  }
  throw new Fault("No executor took it", refusals.join(" ") || "No executor names an address.", {
    hint: "Your signature was used by nobody. Send the request by a transaction instead.",
    remedy: "send-instead",
  });
}

/** Undefined where it was taken, else why it was not. */
async function post(url: string, file: SignedRequestFile): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(file),
      signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
    });
    if (response.ok) return undefined;
    const said = (await response.json().catch(() => ({}))) as { message?: unknown };
    return typeof said.message === "string" ? `${said.message}.` : `it answers ${response.status}.`;
  } catch {
    return "it cannot be reached.";
  }
}

/** States in which an executor has nothing left to do for a request that it has not locked. */
const DECLINED = ["skipped", "rejected", "lost"];

/** Why an executor does not do what it was handed; empty while it may, and where it cannot be asked. */
export async function refusalOf(endpoint: string, id: bigint): Promise<string> {
  try {
    const url = `${endpoint}/v1/requests/0x${id.toString(16).padStart(64, "0")}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
    const { state, text, reason } = (await response.json()) as Record<string, unknown>;
    return response.ok && DECLINED.includes(String(state)) ? String(text || reason || state) : "";
  } catch {
    return "";
  }
}
