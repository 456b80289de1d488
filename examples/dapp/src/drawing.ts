/** From strokes of a pen to the 8 × 8 image that the model was trained on. */

export interface Point {
  readonly x: number;
  readonly y: number;
}
/** Where the pen went while it was down. */
export type Stroke = readonly Point[];

/** Pixels of the image per side. */
export const SIDE = 8;
/** Cells per side of the bitmap that the pixels count. */
const CELLS = 32;
/** Most ink of a pixel: the cells that it covers. */
const LEVELS = (CELLS / SIDE) ** 2;
/** Half the pen's width, in cells. */
const RADIUS = 3.2;
/** Digits are taller than wide: what is wider than this is squeezed, as UCI's are. */
const WIDEST = 24;

/**
 * The image as UCI's digits were made: the digit fills the height and stands in the middle, and each
 * pixel counts the inked cells among its 4 × 4. Values are sixteenths between 0 and 1.
 */
export function toImage(strokes: readonly Stroke[]): number[] {
  const image = new Array<number>(SIDE * SIDE).fill(0);
  const placed = place(strokes);
  for (let row = 0; row < CELLS; row += 1) {
    for (let column = 0; column < CELLS; column += 1) {
      if (!isInked({ x: column + 0.5, y: row + 0.5 }, placed)) continue;
      const pixel = Math.floor((row * SIDE) / CELLS) * SIDE + Math.floor((column * SIDE) / CELLS);
      image[pixel] = image[pixel]! + 1;
    }
  }
  return image.map((count) => count / LEVELS);
}

/** The strokes at the size and place that the model knows. */
function place(strokes: readonly Stroke[]): Stroke[] {
  const points = strokes.flat();
  if (points.length === 0) return [];
  const [left, right] = ends(points.map((point) => point.x));
  const [top, bottom] = ends(points.map((point) => point.y));
  const tall = CELLS - 2 * RADIUS;
  const wide = WIDEST - 2 * RADIUS;
  // A dot has no size of its own: nothing is divided by it.
  const down = bottom > top ? tall / (bottom - top) : Infinity;
  const across = Math.min(down, right > left ? wide / (right - left) : down);
  const at = (value: number, low: number, high: number, scale: number): number =>
    CELLS / 2 + (high > low ? (value - (low + high) / 2) * scale : 0);
  return strokes.map((stroke) =>
    stroke.map(({ x, y }) => ({ x: at(x, left, right, across), y: at(y, top, bottom, down) })),
  );
}

function ends(values: readonly number[]): readonly [number, number] {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)] as const, [
    Infinity,
    -Infinity,
  ] as const);
}

function isInked(cell: Point, strokes: readonly Stroke[]): boolean {
  return strokes.some((stroke) =>
    stroke.some((point, index) => distance(cell, stroke[index - 1] ?? point, point) <= RADIUS),
  );
}

/** Distance of a point from the line between two others. */
function distance(point: Point, from: Point, to: Point): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : ((point.x - from.x) * dx + (point.y - from.y) * dy) / length;
  const share = Math.max(0, Math.min(1, along));
  return Math.hypot(point.x - from.x - share * dx, point.y - from.y - share * dy);
}
