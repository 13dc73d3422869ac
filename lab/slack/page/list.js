// A list of messages that keeps its place while it changes: it follows the newest, unless one has scrolled up.

import { message, divider } from "./message.js";

/** near is how far from its end, in pixels, a list still counts as being at it. */
const near = 80;

export class List {
  constructor(node) {
    this.node = node;
    this.newest = true;
    node.addEventListener("scroll", () => { this.newest = this.atEnd(); });
    new ResizeObserver(() => this.keep()).observe(node);
  }

  atEnd() {
    return this.node.scrollHeight - this.node.scrollTop - this.node.clientHeight < near;
  }

  keep() {
    if (this.newest) this.node.scrollTop = this.node.scrollHeight;
  }

  /** draw draws all; before is what stands above the first message, between(m) what stands above one of them. */
  draw(messages, view, before, between = () => null) {
    const top = this.node.scrollTop;
    this.node.replaceChildren(...before, ...messages.flatMap((m, i) =>
      [divider(m, messages[i - 1]), between(m, i), message(m, messages[i - 1], view)].filter(Boolean)));
    this.node.scrollTop = top;
    this.keep();
  }

  end() {
    this.newest = true;
    this.keep();
  }

  /** put draws one new or changed message; what has the focus in it keeps it. */
  put(m, messages, view) {
    const following = this.newest && this.atEnd();
    const i = messages.findIndex((x) => x.ts === m.ts);
    const drawn = message(m, messages[i - 1], view);
    const old = this.node.querySelector(`[data-ts="${m.ts}"]`);
    if (old) replace(old, drawn);
    else this.node.append(...[divider(m, messages[i - 1]), drawn].filter(Boolean));
    this.newest = following;
    this.keep();
  }
}

function replace(old, drawn) {
  const held = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(drawn);
  const kind = ["action", "reaction", "add"].find((k) => held?.dataset[k]);
  if (kind) drawn.querySelector(`[data-${kind}="${CSS.escape(held.dataset[kind])}"]`)?.focus();
}
