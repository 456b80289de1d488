/** What went wrong, in words that say what to do. */
import { BaseError, ContractFunctionRevertedError, InsufficientFundsError, UserRejectedRequestError } from "viem";

/** What the page can do about a fault, beside saying so. */
export type Remedy = "connect" | "switch-chain" | "deposit" | "send-instead" | "retry";

export class Fault extends Error {
  readonly hint: string;
  readonly remedy: Remedy | undefined;

  constructor(
    readonly title: string,
    detail: string,
    options: { hint?: string; remedy?: Remedy } = {},
  ) {
    super(detail);
    this.name = "Fault";
    this.hint = options.hint ?? "";
    this.remedy = options.remedy;
  }
}

/** The contracts' errors that a person can run into here. */
const REVERTS: Record<string, readonly [title: string, detail: string, remedy?: Remedy]> = {
  InsufficientBalance: ["Too little deposited", "Your deposit does not cover the price.", "deposit"],
  ERC20InsufficientBalance: ["Too little in your wallet", "Your wallet does not hold that much."],
  NonceUsed: ["Already used", "A request with this number was locked or cancelled before. Ask again.", "retry"],
  Expired: ["Too late", "The request's deadline has passed. Ask again.", "retry"],
  NotExpired: ["Too early", "An executor may still answer. The refund opens when its time is over."],
  NotOpen: ["Too late", "The request was locked or has ended in the meantime."],
  DeadlineOutOfRange: ["Time out of range", "The market does not take a request with this deadline."],
  CollateralBelowFloor: ["Too little at stake", "The market wants executors to risk more than this."],
  PriceTooHigh: ["Price out of range", "The market does not take a price that high."],
  ModeNotAllowed: ["Not offered", "This version does not allow this way of becoming final."],
};

/** Any error as a fault. Never shows internals where plain words are known. */
export function explain(error: unknown): Fault {
  if (error instanceof Fault) return error;
  if (error instanceof BaseError) return explainChain(error);
  if (isRejection(error)) return REJECTED;
  const message = error instanceof Error ? error.message : String((error as { message?: unknown })?.message ?? error);
  return new Fault("Something went wrong", message);
}

const REJECTED = new Fault("Nothing was signed", "You declined in your wallet. Nothing was sent and nothing was paid.");

function explainChain(error: BaseError): Fault {
  if (error.walk((cause) => cause instanceof UserRejectedRequestError || isRejection(cause))) return REJECTED;
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
  if (reverted instanceof ContractFunctionRevertedError) {
    const full = reverted.data?.errorName ?? reverted.reason ?? "";
    const known = REVERTS[full.slice(full.indexOf("_") + 1)];
    if (known !== undefined) {
      const [title, detail, remedy] = known;
      return new Fault(title, detail, remedy === undefined ? {} : { remedy });
    }
    return new Fault("The contract refused", full || "It gave no reason.");
  }
  if (error.walk((cause) => cause instanceof InsufficientFundsError)) {
    return new Fault("No gas money", "Your wallet has too little of the chain's currency to pay for a transaction.", {
      hint: "Signed requests need none: deposit once, then only sign.",
    });
  }
  if (error.walk((cause) => cause instanceof Error && /HttpRequestError|TimeoutError/.test(cause.name))) {
    return new Fault("The chain cannot be reached", "The network's node does not answer.", {
      hint: "Check your connection, and that the node named in the deployments file runs.",
      remedy: "retry",
    });
  }
  return new Fault("Something went wrong", error.shortMessage);
}

/** EIP-1193: the user said no. */
function isRejection(error: unknown): boolean {
  return typeof error === "object" && error !== null && (error as { code?: unknown }).code === 4001;
}
