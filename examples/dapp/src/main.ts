/** The page: draws, asks, watches. Everything it knows is in its session, account and request. */
import { keccak256, type Hex } from "viem";
import { formatAmount, parseAmount, plainAmount } from "./amounts";
import { chainTime } from "./chain";
import { explain, type Fault } from "./faults";
import { Follower } from "./following";
import { deposit, mintTestDollars, readFunds, withdraw, type Funds } from "./funds";
import { handOver, refusalOf, signedRequestFile } from "./intake";
import { findVersion } from "./models";
import { pack, quantise } from "./packing";
import { isOver, readProgress, type Progress } from "./progress";
import { recall, remember, type Remembered } from "./remembering";
import { cancel, cancelSigned, domainOf, prepare, refund, requestIdOf, send, sign } from "./requests";
import { Session, readQuery } from "./session";
import { button, byId } from "./view/dom";
import { hideFault, showFault } from "./view/notice";
import { chooseWay, chosenWay, forgetAmount, showFunds, showTerms, showWays } from "./view/order";
import { Pad } from "./view/pad";
import { showReading, type Context } from "./view/reading";
import { showWallets } from "./view/wallet-bar";
import {
  accountOf,
  connect,
  discoverWallets,
  reconnect,
  switchChain,
  walletChain,
  wrongChain,
  type Account,
  type Wallet,
} from "./wallets";

const FAUCET_DOLLARS = 100n;
const LAST_WALLET = "gateless:wallet";

class Page {
  #wallets: readonly Wallet[] = [];
  #account: Account | undefined;
  #funds: Funds | undefined;
  #session: Session | undefined;
  #busy = "";
  /** Whether the fault that is shown is one of following, which the next look may mend. */
  #isLost = false;
  readonly #follower = new Follower((error) => {
    // Shown once, however often it is met: who dismissed it has seen it.
    if (!this.#isLost) this.#fail(explain(error));
    this.#isLost = true;
  });
  readonly #pad = new Pad(() => this.#refresh());

  async start(): Promise<void> {
    const wire = (id: string, act: () => Promise<void>): void => {
      byId(id).addEventListener("click", () => void this.#run(act));
    };
    wire("ask", () => this.#ask());
    wire("withdraw", () => this.#withdraw());
    wire("faucet", () => this.#mint());
    byId("deposit-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run(() => this.#deposit());
    });
    for (const id of ["price", "lifetime", "ways"]) byId(id).addEventListener("input", () => this.#refresh());
    discoverWallets((wallets) => {
      this.#found(wallets).catch((error: unknown) => this.#fail(explain(error)));
    });
    await this.#run(() => this.#open());
  }

  async #open(): Promise<void> {
    this.#refresh();
    const session = await Session.open(readQuery(location.search));
    this.#session = session;
    const { deployment, version, able, query } = session;
    byId("network").textContent = `${deployment.name} · chain ${deployment.chainId}`;
    byId("network").hidden = false;
    showTerms(deployment, version, able, query.explorer);
    const [best] = able;
    byId<HTMLInputElement>("price").value = plainAmount(best?.price ?? 10n ** BigInt(deployment.token.decimals), deployment.token);
    const spec = version.schema.inputs[0]!;
    byId("packed-size").textContent = `${spec.count * spec.width} bytes, packed`;
    if (query.request !== undefined) this.#follow(query.request);
    await this.#found(this.#wallets);
  }

  // --- the wallet ---

  async #found(wallets: readonly Wallet[]): Promise<void> {
    this.#wallets = wallets;
    const last = wallets.find((wallet) => wallet.name === stored(LAST_WALLET));
    if (this.#session !== undefined && this.#account === undefined && last !== undefined) {
      const account = await reconnect(last, this.#session.deployment).catch(() => undefined);
      if (account !== undefined) await this.#use(account);
    }
    this.#refresh();
  }

  async #connect(wallet: Wallet): Promise<void> {
    const session = this.#require();
    const account = await connect(wallet, session.deployment);
    store(LAST_WALLET, wallet.name);
    await this.#use(account);
    const chainId = await walletChain(wallet);
    if (chainId !== session.deployment.chainId) throw wrongChain(wallet.name, chainId, session.deployment);
  }

  async #use(account: Account): Promise<void> {
    const session = this.#require();
    this.#account = account;
    account.wallet.provider.on?.("accountsChanged", (accounts) => {
      if (this.#account?.wallet !== account.wallet) return;
      const [first] = accounts;
      this.#account = first === undefined ? undefined : accountOf(account.wallet, first, session.deployment);
      void this.#run(() => this.#count());
    });
    await this.#count();
  }

  #disconnect(): void {
    this.#account = this.#funds = undefined;
    store(LAST_WALLET, "");
    this.#refresh();
  }

  async #count(): Promise<void> {
    const { client, deployment } = this.#require();
    const account = this.#account;
    this.#funds = account === undefined ? undefined : await readFunds(client, deployment, account.address);
    this.#refresh();
  }

  // --- money ---

  async #deposit(): Promise<void> {
    const { client, deployment } = this.#require();
    const amount = parseAmount(byId<HTMLInputElement>("amount").value, deployment.token);
    this.#say("Depositing: confirm in your wallet …");
    await deposit(client, deployment, this.#who(), amount);
    forgetAmount();
    await this.#count();
  }

  async #withdraw(): Promise<void> {
    const { client, deployment } = this.#require();
    const amount = parseAmount(byId<HTMLInputElement>("amount").value, deployment.token);
    const most = this.#funds?.deposited ?? 0n;
    this.#say("Withdrawing: confirm in your wallet …");
    await withdraw(client, deployment, this.#who(), amount < most ? amount : most);
    forgetAmount();
    await this.#count();
  }

  async #mint(): Promise<void> {
    const { client, deployment } = this.#require();
    this.#say("Minting test dollars: confirm in your wallet …");
    await mintTestDollars(client, deployment, this.#who(), FAUCET_DOLLARS * 10n ** BigInt(deployment.token.decimals));
    await this.#count();
  }

  // --- asking ---

  async #ask(): Promise<void> {
    const session = this.#require();
    const { client, deployment, version } = session;
    const account = this.#who();
    const image = this.#pad.image;
    if (image === undefined) return;
    const spec = version.schema.inputs[0]!;
    const packedInput = pack([quantise(image, spec)], [spec]);
    const maxPrice = parseAmount(byId<HTMLInputElement>("price").value, deployment.token);
    const lifetime = BigInt(Math.round(60 * Number(byId<HTMLInputElement>("lifetime").value)) || 0);
    this.#say("Preparing …");
    const request = await prepare(client, deployment, account.address, {
      versionId: version.id,
      packedInput,
      maxPrice,
      lifetime,
    });
    const known = { requester: account.address, versionId: version.id, packedInput, maxPrice, deadline: request.deadline };
    if (chosenWay() === "sign") {
      this.#say("Sign the request in your wallet: it costs no gas …");
      const signature = await sign(deployment, account, request);
      this.#say("Handing the signed request to an executor …");
      const file = signedRequestFile(deployment, request, signature, packedInput);
      const takenBy = await handOver(file, session.endpoints(maxPrice));
      this.#keep({ ...known, id: BigInt(requestIdOf(request, domainOf(deployment))), nonce: request.nonce, takenBy });
    } else {
      this.#say("Confirm the transaction in your wallet …");
      const id = await send(client, deployment, account, request, packedInput);
      this.#keep({ ...known, id, takenBy: "" });
    }
    await this.#count();
    byId("result").focus({ preventScroll: true });
    byId("result").scrollIntoView({ block: "nearest" });
  }

  #keep(request: Remembered): void {
    remember(this.#require().deployment, request);
    const here = new URL(location.href);
    here.searchParams.set("request", `0x${request.id.toString(16)}`);
    history.replaceState(null, "", here);
    this.#follow(request.id);
  }

  // --- watching ---

  /** Shows a request, and goes on until it has ended. */
  #follow(id: bigint): void {
    const { client, deployment } = this.#require();
    let waited = false;
    this.#follower.follow(client, deployment, id, async () => {
      const progress = await this.#look(id);
      if (progress === undefined) return false;
      if (this.#isLost) hideFault();
      this.#isLost = false;
      if (!isOver(progress)) {
        waited = true;
        return false;
      }
      if (waited) byId("result").scrollIntoView({ block: "start" });
      await this.#count();
      return true;
    });
  }

  async #look(id: bigint): Promise<Progress | undefined> {
    const session = this.#require();
    const { client, deployment } = session;
    const request = recall(deployment).find((one) => one.id === id);
    const [progress, now] = await Promise.all([readProgress(client, deployment, id, request), chainTime(client)]);
    if (this.#follower.id !== id) return undefined;
    const takenBy = request?.takenBy ?? "";
    const refusal = progress.stage === "signed" && takenBy !== "" ? await refusalOf(takenBy, id) : "";
    const asked = progress.stage === "paid" ? progress.answer.versionId : session.version.id;
    const context: Context = {
      deployment,
      version: asked === session.version.id ? session.version : await findVersion(client, deployment, String(asked)),
      labels: asked === session.version.id ? session.labels : [],
      id,
      signed: request === undefined ? id >> 64n > 0n : request.nonce !== undefined,
      takenBy,
      refusal,
      inputDigest: request === undefined ? undefined : keccak256(request.packedInput),
      explorer: session.query.explorer,
    };
    showReading(progress, context, now);
    this.#offerEnds(id, progress, request);
    return progress;
  }

  /** Ways to take the money back, where there is one. */
  #offerEnds(id: bigint, progress: Progress, request: Remembered | undefined): void {
    const { client, deployment } = this.#require();
    const account = this.#account;
    const mine = account !== undefined && request?.requester === account.address;
    const act = (label: string, text: string, end: (by: Account) => Promise<Hex>): HTMLButtonElement =>
      button(label, "second", () => {
        void this.#run(async () => {
          this.#say(text);
          await end(this.#who());
          this.#follow(id);
        });
      });
    const buttons: HTMLButtonElement[] = [];
    if ((progress.stage === "open" || progress.stage === "locked") && progress.refundable) {
      const text = `Refund ${formatAmount(progress.price, deployment.token)}`;
      buttons.push(act(text, "Refunding: confirm in your wallet …", (by) => refund(client, deployment, by, id)));
    } else if (progress.stage === "open" && mine) {
      buttons.push(act("Take it back", "Confirm in your wallet …", (by) => cancel(client, deployment, by, id)));
    } else if (progress.stage === "signed" && !progress.expired && mine && request.nonce !== undefined) {
      const { nonce } = request;
      buttons.push(
        act("Take it back", "Confirm in your wallet …", (by) => cancelSigned(client, deployment, by, nonce)),
      );
    }
    for (const one of buttons) one.disabled = account === undefined || this.#busy !== "";
    byId("result-actions").replaceChildren(...buttons);
  }

  // --- the page itself ---

  #refresh(): void {
    const session = this.#session;
    showWallets(this.#wallets, this.#account, {
      busy: this.#busy !== "" || session === undefined,
      connect: (wallet) => void this.#run(() => this.#connect(wallet)),
      disconnect: () => this.#disconnect(),
    });
    const price = this.#price() ?? 0n;
    if (session !== undefined) {
      showFunds(session.deployment, this.#funds, price);
      showWays(session.endpoints(price));
    }
    const why = this.#whyNot();
    const ask = byId<HTMLButtonElement>("ask");
    ask.disabled = why !== "" || this.#busy !== "";
    ask.textContent = chosenWay() === "sign" ? "Sign and ask" : "Send and ask";
    byId("ask-why").textContent = this.#busy === "" ? why : this.#busy;
    for (const id of ["deposit", "withdraw", "faucet"]) byId<HTMLButtonElement>(id).disabled = this.#busy !== "";
  }

  /** Why a request cannot be made yet; empty where it can. */
  #whyNot(): string {
    const session = this.#session;
    if (session === undefined) return "";
    if (this.#pad.image === undefined) return "Draw a digit first.";
    if (this.#account === undefined) {
      return this.#wallets.length === 0
        ? "No wallet was found in this browser: install one, then load this page again."
        : "Connect a wallet first.";
    }
    const price = this.#price();
    if (price === undefined || price === 0n) return "Say how much you pay at most.";
    const deposited = this.#funds?.deposited ?? 0n;
    if (deposited < price) {
      return `Deposit ${formatAmount(price - deposited, session.deployment.token)} more first.`;
    }
    return "";
  }

  #price(): bigint | undefined {
    const token = this.#session?.deployment.token;
    if (token === undefined) return undefined;
    try {
      return parseAmount(byId<HTMLInputElement>("price").value, token);
    } catch {
      return undefined;
    }
  }

  /** Does one thing at a time, and shows what went wrong. */
  async #run(act: () => Promise<void>): Promise<void> {
    if (this.#busy !== "") return;
    hideFault();
    this.#say("One moment …");
    try {
      await act();
    } catch (error) {
      this.#fail(explain(error));
    } finally {
      this.#say("");
    }
  }

  #fail(fault: Fault): void {
    const { wallet } = this.#account ?? {};
    showFault(fault, {
      "switch-chain": () => void this.#run(() => this.#switch()),
      "send-instead": () => {
        chooseWay("send");
        void this.#run(() => this.#ask());
      },
      deposit: () => byId("amount").focus(),
      retry: () => location.reload(),
      ...(wallet === undefined ? {} : { connect: () => void this.#run(() => this.#connect(wallet)) }),
    });
  }

  async #switch(): Promise<void> {
    await switchChain(this.#who(), this.#require().deployment);
    await this.#count();
  }

  #say(text: string): void {
    this.#busy = text;
    byId("busy").textContent = text;
    document.body.ariaBusy = String(text !== "");
    this.#refresh();
  }

  #require(): Session {
    if (this.#session === undefined) throw new Error("no network yet");
    return this.#session;
  }

  #who(): Account {
    if (this.#account === undefined) throw new Error("no wallet yet");
    return this.#account;
  }
}

function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The wallet has to be chosen again next time.
  }
}

await new Page().start();
