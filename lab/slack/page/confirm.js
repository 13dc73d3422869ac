// The question before something that one may regret.

import { h } from "./dom.js";
import { text } from "./blocks.js";

/** confirmed asks the person what a confirm object asks, and is true when they say yes. */
export function confirmed(c, names) {
  return new Promise((resolve) => {
    const dialog = h("dialog", {
      class: "modal confirm", "aria-label": c.title.text,
      onclose: () => { resolve(dialog.returnValue === "yes"); dialog.remove(); },
    },
    h("header", { class: "modal-head" }, h("h2", {}, c.title.text)),
    h("div", { class: "modal-body" }, h("div", { class: "block-text" }, text(c.text, names))),
    h("footer", { class: "modal-foot" },
      h("button", { type: "button", class: "button", onclick: () => dialog.close("no") }, c.deny.text),
      h("button", { type: "button", class: `button ${c.style ?? "primary"}`, onclick: () => dialog.close("yes") }, c.confirm.text)));
    document.body.append(dialog);
    dialog.showModal();
  });
}
