/** The second card: what is asked of whom, on which terms, and what the account has. */
import { formatAmount, plainAmount } from "../amounts";
import type { Deployment } from "../deployment";
import type { Funds } from "../funds";
import type { Version } from "../models";
import type { Offer } from "../offers";
import { byId, element, facts, short } from "./dom";

/** How many readings a deposit is suggested for. */
const READINGS = 4n;

export function showTerms(deployment: Deployment, version: Version, able: readonly Offer[], explorer: string): void {
  const [best] = able;
  byId("terms").replaceChildren(
    ...facts(
      ["Model", `${version.label}${version.deprecated ? " (its owner advises against it)" : ""}`],
      ["Final by", element("span", { className: "badge", textContent: "Proof" })],
      [
        "Executors",
        best === undefined
          ? "none with enough free stake yet"
          : `${able.length}, from ${formatAmount(best.price, deployment.token)}`,
      ],
    ),
  );
  for (const symbol of document.querySelectorAll(".symbol")) symbol.textContent = deployment.token.symbol;
  const link = (address: string): string | undefined =>
    explorer === "" ? undefined : `${explorer}/address/${address}`;
  byId("contracts").replaceChildren(
    ...facts(
      ["Market", short(deployment.market, link(deployment.market))],
      ["Registry", short(deployment.registry, link(deployment.registry))],
      ["Staking", short(deployment.staking, link(deployment.staking))],
      ["Token", short(deployment.token.address, link(deployment.token.address))],
    ),
  );
}

export function showFunds(deployment: Deployment, funds: Funds | undefined, price: bigint): void {
  byId("funds").hidden = funds === undefined;
  if (funds === undefined) return;
  byId("deposited").textContent = formatAmount(funds.deposited, deployment.token);
  byId("held").textContent = formatAmount(funds.held, deployment.token);
  byId("faucet").hidden = !deployment.faucet;
  byId<HTMLButtonElement>("withdraw").disabled = funds.deposited === 0n;
  const amount = byId<HTMLInputElement>("amount");
  // What a person has written stays, even where it is nothing.
  if (amount.value === (amount.dataset.suggested ?? "")) {
    amount.value = plainAmount(suggested(funds, price), deployment.token);
    amount.dataset.suggested = amount.value;
  }
}

/** What was written has been done; the next amount may be suggested again. */
export function forgetAmount(): void {
  const amount = byId<HTMLInputElement>("amount");
  amount.dataset.suggested = amount.value;
}

/** Enough for a few readings, as far as the wallet holds it; at least for one. */
function suggested(funds: Funds, price: bigint): bigint {
  const missing = price > funds.deposited ? price - funds.deposited : 0n;
  const several = missing + (READINGS - 1n) * price;
  return several <= funds.held ? several : missing > 0n ? missing : price;
}

/** Signing needs an executor that can be reached; without one there is one way only. */
export function showWays(endpoints: readonly string[]): void {
  byId("ways").hidden = false;
  const sign = wayInput("sign");
  const wasDisabled = sign.disabled;
  sign.disabled = endpoints.length === 0;
  if (sign.disabled) wayInput("send").checked = true;
  else if (wasDisabled) sign.checked = true;
  const [first] = endpoints;
  byId("sign-to").textContent = first === undefined ? "no executor names an address" : `handed to ${new URL(first).host}`;
}

export function chosenWay(): "sign" | "send" {
  return wayInput("send").checked ? "send" : "sign";
}

export function chooseWay(way: "sign" | "send"): void {
  wayInput(way).checked = true;
}

function wayInput(way: "sign" | "send"): HTMLInputElement {
  const found = document.querySelector<HTMLInputElement>(`input[name=way][value=${way}]`);
  if (found === null) throw new Error(`index.html has no way ${way}`);
  return found;
}
