/** Packed integers, by the rules of docs/contracts/consumer-kit.md: big-endian two's complement. */
import { hexToBytes, type Hex } from "viem";

export interface TensorSpec {
  /** Bytes of an element: 1, 2, 4, 8 or 16. */
  readonly width: number;
  /** An integer n means n / 2^scaleBits. */
  readonly scaleBits: number;
  readonly count: number;
}

export interface IoSchema {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** What was given cannot be packed, or is no packed data. */
export class PackingError extends Error {}

const WIDTHS = [1, 2, 4, 8, 16];
const HEAD = 2;
const ENTRY = 6;

/** Reads the schema that the registry keeps of a version. */
export function decodeSchema(encoded: Hex): IoSchema {
  const bytes = hexToBytes(encoded);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < HEAD) throw new PackingError("the schema is empty");
  const inputs = view.getUint8(0);
  const total = inputs + view.getUint8(1);
  if (bytes.length !== HEAD + ENTRY * total) throw new PackingError("the schema has a wrong length");
  const specs = Array.from({ length: total }, (_, index) => {
    const at = HEAD + ENTRY * index;
    const width = view.getUint8(at);
    if (!WIDTHS.includes(width)) throw new PackingError(`no tensor has elements of ${width} bytes`);
    return { width, scaleBits: view.getInt8(at + 1), count: view.getUint32(at + 2) };
  });
  return { inputs: specs.slice(0, inputs), outputs: specs.slice(inputs) };
}

/** The nearest integer, halves away from zero, as every other part of Gateless rounds. */
export function roundHalfAway(value: number): bigint {
  const size = Math.abs(value);
  const floor = Math.floor(size);
  const rounded = BigInt(floor) + (size - floor >= 0.5 ? 1n : 0n);
  return value < 0 ? -rounded : rounded;
}

/** Real numbers as the integers of a tensor. */
export function quantise(values: readonly number[], spec: TensorSpec): bigint[] {
  return values.map((value) => {
    if (!Number.isFinite(value)) throw new PackingError(`${value} is no number`);
    return roundHalfAway(value * 2 ** spec.scaleBits);
  });
}

/** Integers of one tensor after the other. */
export function pack(tensors: readonly (readonly bigint[])[], specs: readonly TensorSpec[]): Hex {
  if (tensors.length !== specs.length) throw new PackingError(`${tensors.length} tensors for ${specs.length}`);
  const parts = tensors.map((values, index) => packTensor(values, specs[index]!));
  return `0x${parts.join("")}`;
}

function packTensor(values: readonly bigint[], spec: TensorSpec): string {
  if (values.length !== spec.count) throw new PackingError(`${values.length} values for ${spec.count} elements`);
  const bits = 8 * spec.width;
  return values
    .map((value) => {
      if (BigInt.asIntN(bits, value) !== value) throw new PackingError(`${value} does not fit ${bits} bits`);
      return BigInt.asUintN(bits, value).toString(16).padStart(2 * spec.width, "0");
    })
    .join("");
}

/** What `pack` packed; the length must match to the byte. */
export function unpack(data: Hex, specs: readonly TensorSpec[]): bigint[][] {
  const digits = data.slice(2);
  const expected = specs.reduce((sum, spec) => sum + spec.width * spec.count, 0);
  if (digits.length !== 2 * expected) throw new PackingError(`${digits.length / 2} bytes instead of ${expected}`);
  let at = 0;
  return specs.map((spec) =>
    Array.from({ length: spec.count }, () => {
      const element = digits.slice(at, at + 2 * spec.width);
      at += 2 * spec.width;
      return BigInt.asIntN(8 * spec.width, BigInt(`0x${element}`));
    }),
  );
}

/** Place of the first of the largest. */
export function argmax(values: readonly bigint[]): number {
  return values.reduce((best, value, index) => (value > values[best]! ? index : best), 0);
}

/** value / 2^scaleBits × 10^decimals, toward zero, as `Tensor.toDecimals` in Solidity. */
export function toDecimals(value: bigint, scaleBits: number, decimals: number): bigint {
  const scaled = value * 10n ** BigInt(decimals);
  return scaleBits < 0 ? scaled << BigInt(-scaleBits) : scaled / (1n << BigInt(scaleBits));
}

/** For people: a score with so many digits after the point. */
export function score(value: bigint, scaleBits: number, decimals = 2): string {
  const scaled = toDecimals(value, scaleBits, decimals);
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(decimals + 1, "0");
  return `${scaled < 0n ? "−" : ""}${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

