/** Faults, where nobody can miss them. */
import type { Fault, Remedy } from "../faults";
import { button, byId, element } from "./dom";

const LABELS: Record<Remedy, string> = {
  connect: "Connect a wallet",
  "switch-chain": "Switch chain",
  deposit: "Deposit",
  "send-instead": "Send by a transaction",
  retry: "Try again",
};

export function showFault(fault: Fault, remedies: Partial<Record<Remedy, () => void>>): void {
  const act = fault.remedy === undefined ? undefined : remedies[fault.remedy];
  const notice = byId("notice");
  notice.replaceChildren(
    element(
      "div",
      { className: "notice" },
      element("p", {}, element("span", { className: "strong", textContent: fault.title }), ` ${fault.message}`),
      fault.hint === "" ? undefined : element("p", { className: "small", textContent: fault.hint }),
      element(
        "div",
        { className: "row" },
        fault.remedy !== undefined && act !== undefined ? button(LABELS[fault.remedy], "second", act) : undefined,
        button("Dismiss", "plain", hideFault),
      ),
    ),
  );
  notice.hidden = false;
}

export function hideFault(): void {
  byId("notice").hidden = true;
}
