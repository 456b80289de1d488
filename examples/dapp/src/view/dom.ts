/** The little that this page needs of a framework. Texts are always set as texts, never as markup. */

type Child = Node | string | undefined;
type Properties<Name extends keyof HTMLElementTagNameMap> = Partial<
  Omit<HTMLElementTagNameMap[Name], "children" | "dataset" | "style">
>;

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties<Name> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter((child): child is Node | string => child !== undefined));
  return made;
}

/** An element of index.html. */
export function byId<Type extends HTMLElement = HTMLElement>(id: string): Type {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`index.html has no #${id}`);
  return found as Type;
}

/** Rows of a description list. */
export function facts(...rows: readonly (readonly [name: string, value: Child])[]): Node[] {
  return rows.map(([name, value]) =>
    element("div", {}, element("dt", { textContent: name }), element("dd", {}, value)),
  );
}

export function button(text: string, className: string, onclick: () => void): HTMLButtonElement {
  return element("button", { type: "button", textContent: text, className, onclick });
}

/** A long hexadecimal text, shortened for the eye and whole for the pointer and the clipboard. */
export function short(text: string, href?: string): HTMLElement {
  const shown = text.length > 14 ? `${text.slice(0, 8)}…${text.slice(-4)}` : text;
  if (href === undefined) return element("code", { textContent: shown, title: text });
  return element("a", { href, title: text, rel: "noreferrer noopener", target: "_blank" }, element("code", {}, shown));
}
