/** Amounts of the token, as people write them. */
import { formatUnits, parseUnits } from "viem";
import type { Token } from "./deployment";
import { Fault } from "./faults";

export function formatAmount(amount: bigint, token: Token): string {
  return `${plainAmount(amount, token)} ${token.symbol}`;
}

/** Without the symbol; at least two decimals where the token has them. */
export function plainAmount(amount: bigint, token: Token): string {
  const [whole = "0", fraction = ""] = formatUnits(amount, token.decimals).split(".");
  const shown = fraction.padEnd(Math.min(2, token.decimals), "0");
  return shown === "" ? whole : `${whole}.${shown}`;
}

export function parseAmount(text: string, token: Token): bigint {
  const plain = text.trim().replace(",", ".");
  const [, fraction = ""] = plain.split(".");
  if (!/^\d{1,30}(\.\d*)?$/.test(plain) || fraction.length > token.decimals) {
    throw new Fault("No amount", `“${text}” is no amount of ${token.symbol}.`, {
      hint: `Write a number with at most ${token.decimals} decimals.`,
    });
  }
  return parseUnits(plain, token.decimals);
}
