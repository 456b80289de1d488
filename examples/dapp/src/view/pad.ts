/** The drawing pad: strokes or a sample in, an image of 64 values out. */
import { SIDE, toImage, type Point, type Stroke } from "../drawing";
import samples from "../samples.json";
import { byId, element } from "./dom";

const PEN_SHARE = 0.11;

export class Pad {
  readonly #canvas = byId<HTMLCanvasElement>("canvas");
  readonly #preview = byId<HTMLCanvasElement>("preview");
  readonly #clear = byId<HTMLButtonElement>("clear");
  readonly #changed: (image: readonly number[] | undefined) => void;
  #strokes: Point[][] = [];
  #sample: readonly number[] | undefined;
  #what = "empty";

  constructor(changed: (image: readonly number[] | undefined) => void) {
    this.#changed = changed;
    this.#canvas.addEventListener("pointerdown", (event) => this.#begin(event));
    this.#canvas.addEventListener("pointermove", (event) => this.#draw(event));
    this.#clear.addEventListener("click", () => this.clear());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#show());
    byId("samples").append(
      ...Object.entries(samples).map(([digit, pixels]) =>
        element("button", {
          type: "button",
          className: "sample",
          textContent: digit,
          ariaLabel: `Sample of a handwritten ${digit}`,
          onclick: () => this.#take(digit, pixels),
        }),
      ),
    );
    this.#show();
  }

  /** 64 values between 0 and 1; undefined while nothing is drawn. */
  get image(): readonly number[] | undefined {
    if (this.#sample !== undefined) return this.#sample;
    return this.#strokes.length === 0 ? undefined : toImage(this.#strokes);
  }

  clear(): void {
    this.#strokes = [];
    this.#sample = undefined;
    this.#update("empty");
  }

  #take(digit: string, pixels: string): void {
    this.#strokes = [];
    this.#sample = [...pixels].map((grey) => Number.parseInt(grey, 17) / 16);
    this.#update(`sample of a handwritten ${digit}`);
  }

  #begin(event: PointerEvent): void {
    if (event.button !== 0) return;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#sample = undefined;
    this.#strokes.push([this.#at(event)]);
    this.#update("your drawing");
  }

  #draw(event: PointerEvent): void {
    if (!this.#canvas.hasPointerCapture(event.pointerId)) return;
    const moves = event.getCoalescedEvents();
    this.#strokes.at(-1)?.push(...(moves.length > 0 ? moves : [event]).map((move) => this.#at(move)));
    this.#update("your drawing");
  }

  #at(event: PointerEvent): Point {
    const box = this.#canvas.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  }

  #update(what: string): void {
    this.#what = what;
    this.#show();
    this.#changed(this.image);
  }

  #show(): void {
    const image = this.image;
    const empty = image === undefined;
    this.#canvas.ariaLabel = `Drawing area: ${this.#what}`;
    byId("canvas-hint").hidden = !empty;
    this.#clear.disabled = empty;
    const ink = getComputedStyle(this.#canvas).color;
    paint(this.#preview, image ?? new Array<number>(SIDE * SIDE).fill(0), ink);
    if (this.#sample !== undefined) paint(this.#canvas, this.#sample, ink);
    else trace(this.#canvas, this.#strokes, ink);
  }
}

/** Pixels, each as large as the canvas has room for. */
export function paint(canvas: HTMLCanvasElement, image: readonly number[], ink: string): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const size = canvas.width / SIDE;
  context.clearRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = ink;
  image.forEach((grey, index) => {
    context.globalAlpha = grey;
    context.fillRect((index % SIDE) * size, Math.floor(index / SIDE) * size, size, size);
  });
  context.globalAlpha = 1;
}

function trace(canvas: HTMLCanvasElement, strokes: readonly Stroke[], ink: string): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  context.clearRect(0, 0, canvas.width, canvas.height);
  Object.assign(context, {
    strokeStyle: ink,
    lineWidth: PEN_SHARE * canvas.width,
    lineCap: "round",
    lineJoin: "round",
  });
  for (const stroke of strokes) {
    context.beginPath();
    stroke.forEach(({ x, y }, index) => {
      if (index === 0) context.moveTo(x * canvas.width, y * canvas.height);
      context.lineTo(x * canvas.width, y * canvas.height);
    });
    context.stroke();
  }
}
