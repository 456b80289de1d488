/** Who is connected, or which wallets could be. */
import type { Account, Wallet } from "../wallets";
import { button, byId, element, short } from "./dom";

export interface WalletBarActions {
  /** Whether something else is going on. */
  readonly busy: boolean;
  connect(wallet: Wallet): void;
  disconnect(): void;
}

export function showWallets(wallets: readonly Wallet[], account: Account | undefined, actions: WalletBarActions): void {
  byId("wallets").replaceChildren(...entries(wallets, account, actions));
}

function entries(wallets: readonly Wallet[], account: Account | undefined, actions: WalletBarActions): Node[] {
  if (account !== undefined) {
    return [
      element("span", { className: "chip", title: account.wallet.name }, icon(account.wallet), short(account.address)),
      button("Disconnect", "plain small", actions.disconnect),
    ];
  }
  if (wallets.length === 0) return [element("span", { className: "quiet small", textContent: "No wallet found" })];
  return wallets.map((wallet) =>
    element(
      "button",
      { type: "button", className: "second", disabled: actions.busy, onclick: () => actions.connect(wallet) },
      icon(wallet),
      `Connect ${wallet.name}`,
    ),
  );
}

function icon(wallet: Wallet): Node | undefined {
  return wallet.icon === "" ? undefined : element("img", { src: wallet.icon, alt: "", width: 18, height: 18 });
}
