/** The vectors that the Solidity and the Python tests read too; run from the repository's root. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export function readJson(...path: string[]): any {
  return JSON.parse(readFileSync(join(process.cwd(), ...path), "utf8"));
}

export const vectors = readJson("contracts", "test", "fixtures", "vectors.json");
export const signedRequests = readJson("contracts", "test", "fixtures", "signed_requests.json");
export const dapp = readJson("offchain", "gateless", "generated", "dapp.json");
