import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { keccak256 } from "viem";
import { splitVersionId } from "../src/models";
import {
  PackingError,
  argmax,
  decodeSchema,
  pack,
  quantise,
  roundHalfAway,
  score,
  toDecimals,
  unpack,
  type TensorSpec,
} from "../src/packing";
import { vectors } from "./fixtures";

interface Tensor {
  width: number;
  scaleBits: number;
  values: string[];
}

const specOf = ({ width, scaleBits, values }: Tensor): TensorSpec => ({ width, scaleBits, count: values.length });
const integers = (values: readonly string[]): bigint[] => values.map(BigInt);

describe("packing, against the shared vectors", () => {
  it("packs and unpacks every width, with its digest and its largest", () => {
    assert.equal(vectors.packing.length, 20);
    for (const one of vectors.packing) {
      const spec = specOf({ ...one, scaleBits: 0 });
      assert.equal(pack([integers(one.values)], [spec]), one.packed);
      assert.deepEqual(unpack(one.packed, [spec]), [integers(one.values)]);
      assert.equal(keccak256(one.packed), one.digest);
      if (one.values.length > 0) assert.equal(String(argmax(integers(one.values))), one.argmax);
    }
  });

  it("reads schemas, and whole inputs and outputs by them", () => {
    assert.equal(vectors.schemas.length, 4);
    for (const one of vectors.schemas) {
      const schema = decodeSchema(one.schema);
      assert.deepEqual(schema, { inputs: one.inputs.map(specOf), outputs: one.outputs.map(specOf) });
      const inputs = one.inputs.map((tensor: Tensor) => integers(tensor.values));
      assert.equal(pack(inputs, schema.inputs), one.packedInput);
      assert.equal(keccak256(pack(inputs, schema.inputs)), one.inputDigest);
      assert.deepEqual(
        unpack(one.packedOutput, schema.outputs),
        one.outputs.map((tensor: Tensor) => integers(tensor.values)),
      );
    }
  });

  it("quantises what a double can hold as contracts do exactly, and turns integers into decimals", () => {
    let compared = 0;
    for (const one of vectors.numbers) {
      assert.equal(String(toDecimals(BigInt(one.value), one.scaleBits, one.decimals)), one.toDecimals);
      const real = Number(one.value) / 10 ** one.decimals;
      const isExact = Number.isSafeInteger(Number(one.value)) && one.decimals === 0;
      if (!isExact || Math.abs(Number(one.fromDecimals)) >= 2 ** 53) continue;
      assert.equal(String(quantise([real], { width: 16, scaleBits: one.scaleBits, count: 1 })[0]), one.fromDecimals);
      compared += 1;
    }
    assert.ok(compared >= 4, `${compared} compared`);
  });

  it("splits version ids", () => {
    for (const one of vectors.versionIds) {
      assert.deepEqual(splitVersionId(BigInt(one.versionId)), [BigInt(one.modelId), BigInt(one.index)]);
    }
  });
});

describe("packing", () => {
  const byte: TensorSpec = { width: 1, scaleBits: 4, count: 2 };

  it("rounds halves away from zero", () => {
    const rounded = [0.5, -0.5, 1.5, -2.5, 0.49999999999999994, -0].map(roundHalfAway);
    assert.deepEqual(rounded, [1n, -1n, 2n, -3n, 0n, 0n]);
  });

  it("refuses what does not fit, and wrong lengths", () => {
    assert.equal(pack([[127n, -128n]], [byte]), "0x7f80");
    for (const values of [[128n, 0n], [-129n, 0n], [0n], [0n, 0n, 0n]]) {
      assert.throws(() => pack([values], [byte]), PackingError);
    }
    assert.throws(() => pack([], [byte]), PackingError);
    for (const data of ["0x", "0x00", "0x000000"] as const) assert.throws(() => unpack(data, [byte]), PackingError);
    for (const value of [NaN, Infinity]) assert.throws(() => quantise([value], byte), PackingError);
  });

  it("refuses schemas that are cut, too long or of unknown widths", () => {
    for (const schema of ["0x", "0x01", "0x0101010000000001", "0x010101000000000101000000000100", "0x01000300000001"] as const) {
      assert.throws(() => decodeSchema(schema), PackingError);
    }
  });

  it("shows scores with their sign", () => {
    assert.deepEqual([score(-5n, 2), score(5n, 2), score(0n, 7), score(3n, -1), score(-1n, 10)], [
      "−1.25",
      "1.25",
      "0.00",
      "6.00",
      "0.00",
    ]);
  });
});
