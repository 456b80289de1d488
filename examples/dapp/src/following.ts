/** When to look at a request again: at its events, and at times, since deadlines pass without any. */
import type { PublicClient } from "viem";
import { inferenceMarketAbi } from "#network";
import { POLL_MILLISECONDS } from "./chain";
import type { Deployment } from "./deployment";

const EVENTS = ["RequestLocked", "RequestFulfilled", "RequestRefunded"] as const;

/** Follows one request at a time. */
export class Follower {
  #stop: () => void = () => undefined;
  readonly #fail: (error: unknown) => void;
  /** The request that is followed, or was last. */
  id: bigint | undefined;

  constructor(fail: (error: unknown) => void) {
    this.#fail = fail;
  }

  /** Calls `look` now and whenever something may have happened, until it says that all is over. */
  follow(client: PublicClient, deployment: Deployment, id: bigint, look: () => Promise<boolean>): void {
    this.#stop();
    this.id = id;
    let looking = false;
    let stopped = false;
    const changed = async (): Promise<void> => {
      if (looking || stopped) return;
      looking = true;
      try {
        if (await look()) stop();
      } catch (error) {
        if (!stopped) this.#fail(error);
      } finally {
        looking = false;
      }
    };
    const unwatch = EVENTS.map((eventName) =>
      client.watchContractEvent({
        address: deployment.market,
        abi: inferenceMarketAbi,
        eventName,
        args: { requestId: id },
        poll: true,
        onLogs: () => void changed(),
        // A node that fails now may answer at the next look.
        onError: () => undefined,
      }),
    );
    const timer = setInterval(() => void changed(), POLL_MILLISECONDS);
    const stop = (): void => {
      stopped = true;
      clearInterval(timer);
      for (const one of unwatch) one();
    };
    this.#stop = stop;
    void changed();
  }
}
