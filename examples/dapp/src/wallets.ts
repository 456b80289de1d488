/** Wallets in this browser: found by EIP-6963, spoken to by EIP-1193. */
import { createWalletClient, custom, getAddress, type Address, type EIP1193Provider, type WalletClient } from "viem";
import { chainOf } from "./chain";
import type { Deployment } from "./deployment";
import { Fault } from "./faults";

export interface Wallet {
  readonly id: string;
  readonly name: string;
  readonly icon: string;
  readonly provider: EIP1193Provider;
}

/** A wallet that let us see its account. */
export interface Account {
  readonly address: Address;
  readonly wallet: Wallet;
  readonly client: WalletClient;
}

interface Announcement extends Event {
  readonly detail?: { info: { uuid: string; name: string; icon: string }; provider: EIP1193Provider };
}

/** Chain unknown to the wallet, EIP-3085's companion error. */
const UNKNOWN_CHAIN = 4902;

/** Calls `changed` with all wallets found so far whenever one announces itself. */
export function discoverWallets(changed: (wallets: readonly Wallet[]) => void): void {
  const found = new Map<string, Wallet>();
  window.addEventListener("eip6963:announceProvider", (event: Announcement) => {
    if (event.detail === undefined) return;
    const { info, provider } = event.detail;
    // An icon is an image of the wallet's own, never one to be fetched.
    const icon = info.icon.startsWith("data:image/") ? info.icon : "";
    found.set(info.uuid, { id: info.uuid, name: info.name, icon, provider });
    changed([...found.values()]);
  });
  window.dispatchEvent(new Event("eip6963:requestProvider"));
  const injected = (window as { ethereum?: EIP1193Provider }).ethereum;
  if (injected !== undefined && found.size === 0) {
    changed([{ id: "injected", name: "Browser wallet", icon: "", provider: injected }]);
  }
}

/** Asks the wallet for its account. */
export async function connect(wallet: Wallet, deployment: Deployment): Promise<Account> {
  const accounts = await wallet.provider.request({ method: "eth_requestAccounts" });
  const [first] = accounts;
  if (first === undefined) throw new Fault("No account", `${wallet.name} shows no account to this page.`);
  return accountOf(wallet, first, deployment);
}

/** The account that the wallet showed us before, without asking; undefined where it shows none. */
export async function reconnect(wallet: Wallet, deployment: Deployment): Promise<Account | undefined> {
  const [first] = await wallet.provider.request({ method: "eth_accounts" });
  return first === undefined ? undefined : accountOf(wallet, first, deployment);
}

export function accountOf(wallet: Wallet, address: string, deployment: Deployment): Account {
  const client = createWalletClient({
    account: getAddress(address),
    chain: chainOf(deployment),
    transport: custom(wallet.provider, { retryCount: 0 }),
  });
  return { address: getAddress(address), wallet, client };
}

export async function walletChain(wallet: Wallet): Promise<number> {
  return Number(await wallet.provider.request({ method: "eth_chainId" }));
}

/** Refuses to go on while the wallet is on another chain: a signature for it would be worth nothing here. */
export async function requireChain(account: Account, deployment: Deployment): Promise<void> {
  const chainId = await walletChain(account.wallet);
  if (chainId !== deployment.chainId) throw wrongChain(account.wallet.name, chainId, deployment);
}

export function wrongChain(name: string, chainId: number, deployment: Deployment): Fault {
  return new Fault("Wrong chain", `${name} is on chain ${chainId}; this network is on chain ${deployment.chainId}.`, {
    hint: "Let your wallet switch; nothing is signed by that.",
    remedy: "switch-chain",
  });
}

/** Lets the wallet switch to the network's chain, and add it where it does not know it. */
export async function switchChain(account: Account, deployment: Deployment): Promise<void> {
  const chain = chainOf(deployment);
  try {
    await account.client.switchChain({ id: chain.id });
  } catch (error) {
    if (codeOf(error) !== UNKNOWN_CHAIN) throw error;
    await account.client.addChain({ chain });
    await account.client.switchChain({ id: chain.id });
  }
}

function codeOf(error: unknown): unknown {
  if (typeof error !== "object" || error === null) return undefined;
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  return code ?? codeOf(cause);
}
