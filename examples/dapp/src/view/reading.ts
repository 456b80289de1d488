/** The third card: how far the request has come, and the reading. */
import { formatAmount } from "../amounts";
import type { Deployment } from "../deployment";
import type { Version } from "../models";
import { argmax, score, unpack } from "../packing";
import { shortId, type Answer, type Progress } from "../progress";
import { byId, element, facts, short } from "./dom";

/** What is known of the request beside its progress. */
export interface Context {
  readonly deployment: Deployment;
  readonly version: Version;
  readonly labels: readonly string[];
  readonly id: bigint;
  readonly signed: boolean;
  /** Who took the signed request. */
  readonly takenBy: string;
  /** Why that executor does not do it after all; empty where it may. */
  readonly refusal: string;
  /** Digest of the image that is on this page, where the request is of this browser. */
  readonly inputDigest: string | undefined;
  readonly explorer: string;
}

const STAGES = ["asked", "locked", "paid"] as const;

const ENDED: Record<string, string> = {
  refunded: "Refunded. Nobody answered in time; your money is back in your deposit.",
  void: "Taken back. Its number was used or cancelled, so nobody can lock it any more. Nothing was paid.",
  expired: "Expired. Nobody locked it in time. Nothing was taken from your deposit.",
};

export function showReading(progress: Progress, context: Context, now: bigint): void {
  byId("result").hidden = false;
  byId("status").replaceChildren(element("p", { textContent: headline(progress, context, now) }));
  showSteps(progress, context);
  const answer = byId("answer");
  answer.hidden = progress.stage !== "paid";
  if (progress.stage === "paid") answer.replaceChildren(...answerOf(progress.answer, context));
}

function headline(progress: Progress, context: Context, now: bigint): string {
  switch (progress.stage) {
    case "signed":
      if (progress.expired) return ENDED.expired!;
      if (context.refusal !== "") return `${hostOf(context.takenBy)} does not do it: ${context.refusal}. Nothing was paid.`;
      return `Signed and handed to ${hostOf(context.takenBy)}. Waiting until an executor locks it …`;
    case "open":
      if (progress.refundable) return "Nobody took it in time. Your money can be sent back.";
      return `On chain. Waiting for an executor, ${timeLeft(progress.deadline, now)} at most …`;
    case "locked":
      if (progress.refundable) return "The executor missed its time and loses its stake. Your money can be sent back.";
      return `An executor staked on answering. Running the model and proving, ${timeLeft(progress.deadline, now)} at most …`;
    case "paid":
      return "Final. The chain checked the proof.";
    case "refunded":
    case "void":
      return ENDED[progress.stage]!;
  }
}

function showSteps(progress: Progress, context: Context): void {
  const reached = { signed: 0, open: 0, locked: 1, paid: 2, refunded: -1, void: -1 }[progress.stage];
  const over = reached < 0 || (progress.stage === "signed" && progress.expired);
  const names = [context.signed ? "Signed" : "Requested", "Locked", "Proven and paid"];
  byId("steps").hidden = over;
  byId("steps").replaceChildren(
    ...STAGES.map((stage, index) => {
      const state = index <= reached ? "done" : index === reached + 1 ? "next" : "";
      const item = element("li", { className: state, textContent: names[index] ?? stage });
      if (state === "next") item.ariaCurrent = "step";
      return item;
    }),
  );
}

function answerOf(answer: Answer, context: Context): Node[] {
  const { deployment, version, labels } = context;
  const spec = version.schema.outputs[0]!;
  const [scores] = unpack(answer.output, version.schema.outputs) as [bigint[]];
  const best = argmax(scores);
  const name = (index: number): string => labels[index] ?? String(index);
  const price = answer.fee + answer.royalty;
  const link = (kind: string, id: string): string | undefined =>
    context.explorer === "" ? undefined : `${context.explorer}/${kind}/${id}`;
  const share = new URL(location.href);
  share.searchParams.set("request", `0x${context.id.toString(16)}`);
  return [
    element(
      "div",
      { className: "reading" },
      element("p", { className: "label" }, element("span", { className: "visually-hidden", textContent: "It reads " }), name(best)),
      bars(scores, spec.scaleBits, best, name),
    ),
    element(
      "dl",
      { className: "facts" },
      ...facts(
        ["Final by", proven()],
        ["Paid", `${formatAmount(price, deployment.token)} (${formatAmount(answer.royalty, deployment.token)} to the model’s owner)`],
        ["Executor", short(answer.executor, link("address", answer.executor))],
        ["Model", version.label],
        ["Your drawing", sameInput(answer, context)],
        ["Answered", new Date(Number(answer.answeredAt) * 1000).toLocaleString()],
        ["Transaction", short(answer.transaction, link("tx", answer.transaction))],
        ["Request", element("span", { title: String(context.id) }, element("code", { textContent: shortId(context.id) }))],
        ["Link", element("a", { href: share.href, textContent: "Show this reading to others" })],
      ),
    ),
  ];
}

function proven(): Node {
  return element(
    "span",
    {},
    element("span", { className: "badge", textContent: "Proof" }),
    " a valid zero-knowledge proof, checked by the contract in the transaction that paid",
  );
}

function sameInput(answer: Answer, context: Context): string {
  if (context.inputDigest === undefined) return "made elsewhere; this page knows only its digest";
  return context.inputDigest === answer.inputDigest ? "the proof is about exactly the 64 pixels you asked about" : "another one than on this page";
}

/** The scores as bars from the lowest to the highest; the numbers beside them say the same. */
function bars(scores: readonly bigint[], scaleBits: number, best: number, name: (index: number) => string): HTMLElement {
  const lowest = scores.reduce((least, value) => (value < least ? value : least));
  const range = scores[best]! - lowest || 1n;
  const rows = scores.map((value, index) => {
    const share = Number(((value - lowest) * 1000n) / range) / 1000;
    return element(
      "tr",
      { className: index === best ? "best" : "" },
      element("th", { scope: "row", textContent: name(index) }),
      element("td", { className: "bar" }, element("meter", { value: share, ariaHidden: "true" })),
      element("td", { className: "number", textContent: score(value, scaleBits) }),
    );
  });
  return element(
    "table",
    { className: "scores" },
    element("caption", { className: "visually-hidden", textContent: "Score of each label" }),
    element("tbody", {}, ...rows),
  );
}

function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return "an executor";
  }
}

function timeLeft(deadline: bigint, now: bigint): string {
  const seconds = Number(deadline > now ? deadline - now : 0n);
  return seconds >= 120 ? `${Math.round(seconds / 60)} minutes` : `${seconds} seconds`;
}
