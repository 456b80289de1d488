/** Which version is asked, what it takes and what its outputs are called. */
import { sha256, type Hex, type PublicClient } from "viem";
import { modelRegistryAbi } from "#network";
import type { Deployment } from "./deployment";
import { Fault } from "./faults";
import { decodeSchema, type IoSchema } from "./packing";

export interface Version {
  readonly id: bigint;
  readonly modelId: bigint;
  /** Such as `digits@0`. */
  readonly label: string;
  readonly schema: IoSchema;
  /** sha256 of the manifest, as published. */
  readonly manifestDigest: Hex;
  readonly uri: string;
  readonly royaltyBps: number;
  readonly deprecated: boolean;
}

const FIRST_VERSION_ID = 1n << 32n;
const MAX_MANIFEST_BYTES = 1 << 20;
/** Bit of `TrustMode.ZK` in a version's modes. */
const ZK = 1;
/** `InputBinding.PACKED`. */
const PACKED = 0;

/** The model and the index that a version id is made of. */
export function splitVersionId(id: bigint): readonly [model: bigint, index: bigint] {
  return [id >> 32n, id & (FIRST_VERSION_ID - 1n)];
}

/**
 * Looks up `name` (its latest version), `name@alias`, `name@index` or a version id, and refuses
 * versions that this page cannot ask.
 */
export async function findVersion(client: PublicClient, deployment: Deployment, reference: string): Promise<Version> {
  const registry = { address: deployment.registry, abi: modelRegistryAbi } as const;
  const id = await resolve(client, deployment, reference);
  const [modelId, index] = splitVersionId(id);
  const [version, schema, name, uri] = await Promise.all([
    client.readContract({ ...registry, functionName: "version", args: [id] }),
    client.readContract({ ...registry, functionName: "ioSchema", args: [id] }),
    client.readContract({ ...registry, functionName: "nameOf", args: [modelId] }),
    client.readContract({ ...registry, functionName: "uri", args: [id] }),
  ]);
  const label = `${name}@${index}`;
  if ((version.modes & ZK) === 0) throw unusable(label, "it does not allow proofs");
  if (version.binding !== PACKED) throw unusable(label, "its inputs are bound by commitments");
  return {
    id,
    modelId,
    label,
    schema: decodeSchema(schema),
    manifestDigest: version.manifestDigest,
    uri,
    royaltyBps: version.royaltyBps,
    deprecated: version.deprecated,
  };
}

async function resolve(client: PublicClient, deployment: Deployment, reference: string): Promise<bigint> {
  const registry = { address: deployment.registry, abi: modelRegistryAbi } as const;
  if (/^\d+$/.test(reference) && BigInt(reference) >= FIRST_VERSION_ID) return BigInt(reference);
  const [name = "", pointer = "latest"] = reference.split("@");
  const modelId = await client.readContract({ ...registry, functionName: "modelIdOf", args: [name] });
  if (modelId === 0n) throw unknown(reference);
  if (/^\d+$/.test(pointer)) {
    const count = await client.readContract({ ...registry, functionName: "versionCount", args: [modelId] });
    if (BigInt(pointer) >= count) throw unknown(reference);
    return (modelId << 32n) + BigInt(pointer);
  }
  return client.readContract({ ...registry, functionName: "resolveAlias", args: [modelId, pointer] }).catch(() => {
    throw unknown(reference);
  });
}

function unknown(reference: string): Fault {
  return new Fault("Unknown model", `Nobody has published ${reference} on this network.`, {
    hint: "Name another with ?model=NAME.",
  });
}

function unusable(label: string, why: string): Fault {
  return new Fault("This page cannot ask it", `${label}: ${why}.`, { hint: "Name another with ?model=NAME." });
}

/**
 * Names of the scores, from the version's manifest. Whoever serves the file, its digest is the one on
 * chain; empty where nobody serves it.
 */
export async function labelsOf(version: Version, stores: readonly string[]): Promise<readonly string[]> {
  for (const store of stores) {
    const labels = await labelsAt(store, version.manifestDigest).catch(() => undefined);
    if (labels !== undefined) return labels;
  }
  return [];
}

async function labelsAt(store: string, digest: Hex): Promise<readonly string[] | undefined> {
  const response = await fetch(`${store.replace(/\/+$/, "")}/v1/content/${digest.slice(2)}`);
  if (!response.ok || Number(response.headers.get("Content-Length") ?? 0) > MAX_MANIFEST_BYTES) return undefined;
  const bytes = new Uint8Array(await response.arrayBuffer());
  if (sha256(bytes) !== digest) return undefined;
  const { labels } = JSON.parse(new TextDecoder().decode(bytes)) as { labels?: unknown };
  return Array.isArray(labels) ? labels.map(String) : [];
}
