/** What the page was told by its address, and what it has found out of the network. */
import type { PublicClient } from "viem";
import { inferenceMarketAbi } from "#network";
import { reader } from "./chain";
import { loadDeployment, type Deployment } from "./deployment";
import { Fault } from "./faults";
import { findVersion, labelsOf, type Version } from "./models";
import { offersFor, webAddress, type Offer } from "./offers";
import { SIDE } from "./drawing";

/** The page's query: every member has a default. */
export interface Query {
  /** Where the deployments file is. */
  readonly deployment: string;
  /** Which version: name, name@alias, name@index or a version id. */
  readonly model: string;
  /** Base URL of an executor's intake; empty for those that executors name on chain. */
  readonly intake: string;
  /** Base URL of a block explorer; empty for none. */
  readonly explorer: string;
  /** A request to show. */
  readonly request: bigint | undefined;
}

export function readQuery(search: string): Query {
  const query = new URLSearchParams(search);
  const request = query.get("request") ?? "";
  return {
    deployment: query.get("deployment") ?? "deployment.json",
    model: query.get("model") ?? "digits",
    intake: webAddress(query.get("intake") ?? ""),
    explorer: webAddress(query.get("explorer") ?? ""),
    request: /^(0x[0-9a-f]{1,64}|\d{1,78})$/i.test(request) ? BigInt(request) : undefined,
  };
}

/** A network with the version that is asked there. */
export class Session {
  private constructor(
    readonly query: Query,
    readonly deployment: Deployment,
    readonly client: PublicClient,
    readonly version: Version,
    readonly offers: readonly Offer[],
    readonly labels: readonly string[],
    readonly collateral: bigint,
  ) {}

  static async open(query: Query): Promise<Session> {
    const deployment = await loadDeployment(query.deployment);
    const client = reader(deployment);
    const chainId = await client.getChainId();
    if (chainId !== deployment.chainId) {
      throw new Fault(
        "Wrong node",
        `The deployments file names chain ${deployment.chainId}; its node at ${deployment.rpcUrl} is on chain ${chainId}.`,
      );
    }
    const version = await findVersion(client, deployment, query.model);
    const pixels = SIDE * SIDE;
    if (version.schema.inputs.length !== 1 || version.schema.inputs[0]?.count !== pixels) {
      throw new Fault("This page cannot ask it", `${version.label} does not take ${pixels} pixels.`, {
        hint: "Name another with ?model=NAME.",
      });
    }
    const [offers, collateral] = await Promise.all([
      offersFor(client, deployment, version.id),
      client.readContract({
        address: deployment.market,
        abi: inferenceMarketAbi,
        functionName: "COLLATERAL_FLOOR",
      }),
    ]);
    const stores = [version.uri, query.intake, ...offers.map((offer) => offer.endpoint)].map(webAddress).filter(Boolean);
    const labels = await labelsOf(version, stores);
    return new Session(query, deployment, client, version, offers, labels, collateral);
  }

  /** Executors that could lock a request, cheapest first. */
  get able(): readonly Offer[] {
    return this.offers.filter((offer) => offer.available >= this.collateral);
  }

  /** Where a signed request at this price can be handed over. */
  endpoints(price: bigint): readonly string[] {
    if (this.query.intake !== "") return [this.query.intake];
    const endpoints = this.able.filter((offer) => offer.price <= price).map((offer) => offer.endpoint);
    return [...new Set(endpoints.filter((endpoint) => endpoint !== ""))];
  }
}
