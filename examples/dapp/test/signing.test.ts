import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { getAddress, hashStruct, hashTypedData, keccak256, recoverAddress, toBytes, type Hex } from "viem";
import { signedRequestFile } from "../src/intake";
import { domainOf, requestIdOf, type InferenceRequest } from "../src/requests";
import { dapp, signedRequests, vectors } from "./fixtures";

const NUMBERS = ["mode", "rampLength", "lockDuration", "callbackGas"];
const TEXTS = ["requester", "inputDigest", "inputBinding", "executor", "callback", "inputHint"];

function requestOf(texts: Record<string, string>): InferenceRequest {
  const members = signedRequests.types.InferenceRequest.map(({ name }: { name: string }) => {
    const text = checksummed(texts[name]!);
    return [name, TEXTS.includes(name) ? text : NUMBERS.includes(name) ? Number(text) : BigInt(text)];
  });
  return Object.fromEntries(members) as InferenceRequest;
}

/** Some vectors spell addresses in capitals, which is no checksum. */
const checksummed = (text: string): string => (/^0x[0-9a-f]{40}$/i.test(text) ? getAddress(text) : text);

describe("signed requests, against the shared vectors", () => {
  const { domain, cases } = signedRequests;

  it("have the domain and the type that the vectors state", () => {
    assert.deepEqual(domainOf({ chainId: domain.chainId, market: domain.verifyingContract }), domain);
    assert.deepEqual(dapp.typedData.types.InferenceRequest, signedRequests.types.InferenceRequest);
  });

  it("hash to the ids that the market gives them", () => {
    assert.equal(cases.length, signedRequests.count);
    for (const one of cases) assert.equal(requestIdOf(requestOf(one), domain), one.digest);
  });

  it("hash to something else when any member is another", () => {
    const [first] = cases;
    const request = requestOf(first);
    for (const { name, type } of signedRequests.types.InferenceRequest) {
      const other = type === "address" ? `0x${"11".repeat(20)}` : type === "bytes32" ? `0x${"11".repeat(32)}` : 7n;
      assert.notEqual(requestIdOf({ ...request, [name]: type === "string" ? "x" : other }, domain), first.digest, name);
    }
  });

  it("travel as texts", () => {
    const request = requestOf(cases[1]);
    const file = signedRequestFile({ chainId: 31337, market: domain.verifyingContract }, request, "0x12", "0x34");
    assert.equal(file.chainId, "31337");
    assert.deepEqual(
      file.request,
      Object.fromEntries(signedRequests.types.InferenceRequest.map(({ name }: { name: string }) => [name, cases[1][name]])),
    );
    assert.deepEqual(JSON.parse(JSON.stringify(file)), file);
  });
});

describe("everything else that is signed, by the types of dapp.json", () => {
  interface Signed {
    domain: Record<string, string>;
    message: Record<string, string>;
    digest: Hex;
  }
  const digestOf = (primaryType: string, { domain, message }: Signed): Hex =>
    hashTypedData({
      domain: { ...domain, chainId: Number(domain.chainId) },
      types: { [primaryType]: dapp.typedData.types[primaryType] },
      primaryType,
      message,
    });

  it("type hashes are those of the types", () => {
    for (const [name, fields] of Object.entries<{ name: string; type: string }[]>(dapp.typedData.types)) {
      const spelled = `${name}(${fields.map((field) => `${field.type} ${field.name}`).join(",")})`;
      assert.equal(keccak256(toBytes(spelled)), dapp.typedData.typeHashes[name], name);
    }
  });

  it("lazy requests", () => {
    const { domain, primaryType, requests, count } = dapp.vectors.lazyRequests;
    assert.equal(requests.length, count);
    for (const one of requests) {
      const names: string[] = dapp.typedData.types[primaryType].map(({ name }: { name: string }) => name);
      const message = Object.fromEntries(names.map((name) => [name, checksummed(one[name])]));
      assert.equal(digestOf(primaryType, { domain, message, digest: one.digest }), one.digest);
    }
  });

  for (const [name, primaryType] of [
    ["quorumRequests", "QuorumInferenceRequest"],
    ["attestedRequests", "AttestedInferenceRequest"],
  ] as const) {
    it(name, () => {
      assert.equal(vectors[name].length, 3);
      for (const one of vectors[name]) assert.equal(digestOf(primaryType, one), one.digest);
    });
  }

  it("permits", async () => {
    for (const one of vectors.permits) {
      assert.equal(digestOf("Permit", one), one.digest);
      assert.equal(await recoverAddress({ hash: one.digest, signature: one.signature }), one.message.owner);
    }
  });

  it("attestations", () => {
    for (const one of vectors.keySets) assert.equal(digestOf("Attestation", one), one.digest);
  });

  it("receipts", async () => {
    assert.ok(vectors.receipts.length > 0);
    for (const one of vectors.receipts) {
      assert.equal(digestOf("Receipt", one), one.digest);
      const types = { Receipt: dapp.typedData.types.Receipt };
      assert.equal(hashStruct({ types, primaryType: "Receipt", data: one.message }), one.structHash);
      assert.equal(await recoverAddress({ hash: one.digest, signature: one.signature }), one.receiptKey);
    }
  });
});
