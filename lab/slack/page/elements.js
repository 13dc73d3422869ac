// The elements of blocks that a person uses where they stand: each use is told to the app at once.

import { h, address } from "./dom.js";
import { icon } from "./icons.js";
import { menu } from "./menu.js";
import { control, knows } from "./controls.js";
import { confirmed } from "./confirm.js";
import { emojiText } from "./emojitext.js";
import { picture } from "./files.js";
import { during, worn } from "./pending.js";

/** element draws one element of block b. */
export function element(e, b, at) {
  switch (e.type) {
    case "button": return button(e, b, at);
    case "overflow": return overflow(e, b, at);
    case "image": return picture(e, at, "accessory");
  }
  if (!knows(e)) return h("span", { class: "unknown" }, `(an element of type ${e.type})`);
  const node = control(e, at, { value: at.values?.(b, e), changed: (value) => use(e, b, at, value) });
  return worn(keyOf(e, b, at), node);
}

function keyOf(e, b, at) {
  return `${at.key}/${b.block_id}/${e.action_id}`;
}

/** use asks first when the element says so, then tells the app and shows how that goes. */
export async function use(e, b, at, value) {
  if (e.confirm && !(await confirmed(e.confirm, at.names))) return;
  await during(keyOf(e, b, at), () => at.act(e, value, b));
}

function button(e, b, at) {
  const props = {
    class: `button ${e.style ?? ""}`, data: { action: e.action_id }, "aria-label": e.accessibility_label,
    onclick: () => use(e, b, at, e.value ?? ""),
  };
  const href = e.url && !e.confirm && address(e.url);
  const node = href
    ? h("a", { ...props, href, target: "_blank", rel: "noopener noreferrer" }, emojiText(e.text))
    : h("button", { ...props, type: "button" }, emojiText(e.text));
  return worn(keyOf(e, b, at), node);
}

function overflow(e, b, at) {
  const node = h("button", {
    type: "button", class: "button overflow", "aria-label": "More", "aria-haspopup": "menu", data: { action: e.action_id },
    onclick: () => menu(node, "More", e.options.map((o) => ({
      label: emojiText(o.text), note: o.description?.text, name: o.value, run: () => choose(o),
    }))),
  }, icon("more"));
  const choose = (o) => {
    const href = o.url && address(o.url);
    if (href) h("a", { href, target: "_blank", rel: "noopener noreferrer" }).click();
    use(e, b, at, o.value);
  };
  return worn(keyOf(e, b, at), node);
}
