import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { SIDE, toImage, type Point } from "../src/drawing";
import samples from "../src/samples.json";

const line = (...points: [number, number][]): Point[] => points.map(([x, y]) => ({ x, y }));
const rows = (image: readonly number[]): number[][] =>
  Array.from({ length: SIDE }, (_, row) => image.slice(row * SIDE, (row + 1) * SIDE));
const SEVEN = [line([0.2, 0.1], [0.7, 0.1], [0.4, 0.9])];

describe("drawings", () => {
  it("fill the height and stand in the middle, wherever and however large they were drawn", () => {
    const image = toImage(SEVEN);
    assert.ok(rows(image).every((row) => row.some((ink) => ink > 0)));
    assert.ok(rows(image).every((row) => row[0] === 0 && row[7] === 0));
    const small = SEVEN.map((stroke) => stroke.map(({ x, y }) => ({ x: 0.6 + x / 4, y: 0.5 + y / 4 })));
    const difference = toImage(small).map((ink, index) => Math.abs(ink - image[index]!));
    assert.ok(Math.max(...difference) <= 1 / 16, "rounding of coordinates may move a cell");
  });

  it("are sixteenths", () => {
    assert.ok(toImage(SEVEN).every((ink) => Number.isInteger(ink * 16) && ink >= 0 && ink <= 1));
  });

  it("of nothing are empty; of a dot, a dot; of a bar, a bar", () => {
    assert.deepEqual(toImage([]), new Array(64).fill(0));
    const dot = toImage([line([0.3, 0.3])]);
    assert.ok(dot.some((ink) => ink > 0) && rows(dot)[0]!.every((ink) => ink === 0));
    const bar = rows(toImage([line([0.1, 0.2], [0.1, 0.8])]));
    assert.ok(bar.every((row) => row[3]! > 0 && row[4]! > 0 && row[1] === 0 && row[6] === 0));
    const dash = rows(toImage([line([0.1, 0.5], [0.9, 0.5])]));
    assert.ok(dash[0]!.every((ink) => ink === 0) && dash[3]!.some((ink) => ink > 0));
  });

  it("wider than digits are squeezed to a digit's width", () => {
    const wide = toImage([line([0, 0], [1, 0.5], [0, 1])]);
    assert.ok(rows(wide).every((row) => row[0] === 0 && row[7] === 0));
  });
});

describe("samples", () => {
  it("are 64 of 17 greys for each digit", () => {
    assert.deepEqual(Object.keys(samples), [..."0123456789"]);
    for (const pixels of Object.values(samples)) assert.match(pixels, /^[0-9a-g]{64}$/);
  });
});
