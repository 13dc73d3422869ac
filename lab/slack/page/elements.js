// The elements of blocks that a person uses: buttons and menus, with their confirmation.

import { h, link } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";

/** element draws an interactive element; at.act(action_id, value) tells the app. */
export function element(e, block, at) {
  switch (e.type) {
    case "button": return button(e, at);
    case "static_select": return menu(e, at, e.placeholder?.text ?? "Choose…");
    case "overflow": return menu(e, at, "⋯");
    case "image": return h("span", {}, `🖼 ${e.alt_text}`);
  }
  return h("span", { class: "unknown" }, `(an element of type ${e.type})`);
}

function button(e, at) {
  const node = h("button", {
    type: "button", class: `button ${e.style ?? ""}`, data: { action: e.action_id },
    onclick: async () => {
      if (e.confirm && !(await confirmed(e.confirm, at.names))) return;
      if (e.url) link(e.url, "").click?.();
      node.disabled = true;
      await at.act(e.action_id, e.value ?? "");
      node.disabled = false;
    },
  }, e.text.text);
  return node;
}

function menu(e, at, label) {
  const node = h("select", {
    class: "menu", "aria-label": label, data: { action: e.action_id },
    onchange: async () => {
      const { value } = node;
      node.selectedIndex = 0;
      if (e.confirm && !(await confirmed(e.confirm, at.names))) return;
      await at.act(e.action_id, value);
    },
  }, h("option", { value: "" }, label), e.options.map((o) => h("option", { value: o.value }, o.text.text)));
  return node;
}

/** confirmed asks the person, and is true when they say yes. */
function confirmed(c, names) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { class: "confirm", onclose: () => { resolve(dialog.returnValue === "yes"); dialog.remove(); } },
      h("h3", {}, c.title.text),
      h("div", {}, c.text.type === "mrkdwn" ? mrkdwn(c.text.text, names) : c.text.text),
      h("div", { class: "block-actions" },
        h("button", { type: "button", class: "button", onclick: () => dialog.close("no") }, c.deny.text),
        h("button", { type: "button", class: `button ${c.style ?? "primary"}`, onclick: () => dialog.close("yes") }, c.confirm.text)));
    document.body.append(dialog);
    dialog.showModal();
  });
}
