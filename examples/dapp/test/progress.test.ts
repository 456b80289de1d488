import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ContractFunctionExecutionError, ContractFunctionRevertedError, HttpRequestError, type PublicClient } from "viem";
import { isOver, readProgress, type Tracked } from "../src/progress";

const ADDRESS = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const deployment = { market: ADDRESS } as const;
const NONCE = 770n;
const tracked: Tracked = {
  id: 9n,
  requester: ADDRESS,
  versionId: 1n << 32n,
  packedInput: "0x00",
  maxPrice: 5n,
  deadline: 10n ** 12n,
  nonce: NONCE,
};

/** A chain on which the request is locked, or its nonce cancelled, before the n-th look at it. */
function chain(change: "locked" | "cancelled" | "nothing", before: number, fault?: Error): PublicClient {
  let looks = 0;
  const read = ({ functionName }: { functionName: string }): unknown => {
    looks += 1;
    if (fault !== undefined) throw fault;
    const changed = looks >= before && change !== "nothing";
    const isLocked = changed && change === "locked";
    if (functionName === "nonceWord") return changed ? 1n << (NONCE & 255n) : 0n;
    if (functionName === "statusOf") return [2, false];
    if (isLocked) return { state: 2, price: 5n, executor: ADDRESS, lockDeadline: 99n };
    throw new ContractFunctionExecutionError(new ContractFunctionRevertedError({ abi: [], functionName }), {
      abi: [],
      functionName,
    });
  };
  return {
    readContract: async (call: { functionName: string }) => read(call),
    getBlock: async () => ({ timestamp: 1n }),
  } as unknown as PublicClient;
}

describe("progress of a signed request", () => {
  it("is never taken for void while it is being locked, whenever that happens", async () => {
    const seen = [];
    for (let before = 1; before <= 4; before += 1) {
      seen.push((await readProgress(chain("locked", before), deployment, tracked.id, tracked)).stage);
    }
    assert.deepEqual(seen, ["locked", "locked", "signed", "signed"]);
  });

  it("is void once its nonce is cancelled, and followed on all the same", async () => {
    const progress = await readProgress(chain("cancelled", 1), deployment, tracked.id, tracked);
    assert.deepEqual(progress, { stage: "void" });
    assert.equal(isOver(progress), false);
  });

  it("expires", async () => {
    const late = { ...tracked, deadline: 0n };
    const progress = await readProgress(chain("nothing", 1), deployment, tracked.id, late);
    assert.deepEqual(progress, { stage: "signed", expired: true });
  });

  it("is unknown to those who did not sign it", async () => {
    await assert.rejects(readProgress(chain("nothing", 1), deployment, tracked.id), { title: "Unknown request" });
  });

  it("is nothing that a node that is away could tell", async () => {
    const away = new HttpRequestError({ url: "http://127.0.0.1:1" });
    await assert.rejects(readProgress(chain("nothing", 1, away), deployment, tracked.id), away);
  });
});
