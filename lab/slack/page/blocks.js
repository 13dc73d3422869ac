// Block Kit, drawn. One function a block; what this page does not know it says so, instead of hiding it.

import { h } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";
import { markdown } from "./markdown.js";
import { richText } from "./richtext.js";
import { element } from "./elements.js";

const drawers = {
  header: (b) => h("h3", { class: "block-header" }, b.text.text),
  divider: () => h("hr"),
  section,
  context,
  actions: (b, at) => h("div", { class: "block-actions" }, b.elements.map((e) => element(e, b, at))),
  markdown: (b) => h("div", { class: "block-markdown" }, markdown(b.text)),
  table,
  rich_text: (b, at) => h("div", { class: "block-rich" }, richText(b.elements, at.names)),
  image: (b) => h("p", { class: "block-image" }, `🖼 ${b.alt_text}`),
};

/** blocks draws the blocks of a message; at is {names, act(element, block, value)}. */
export function blocks(list, at) {
  return list.map((b) => {
    const draw = drawers[b.type];
    return draw ? draw(b, at) : h("p", { class: "unknown" }, `(a block of type ${b.type})`);
  });
}

/** text draws a text object. */
export function text(object, names) {
  return object.type === "mrkdwn" ? mrkdwn(object.text, names) : plain(object.text);
}

function plain(value) {
  return value.split("\n").flatMap((l, i) => (i ? [h("br"), l] : [l]));
}

function section(b, at) {
  return h("div", { class: "block-section" },
    h("div", { class: "block-section-main" },
      b.text && h("div", { class: "block-text" }, text(b.text, at.names)),
      b.fields && h("div", { class: "block-fields" }, b.fields.map((f) => h("div", {}, text(f, at.names))))),
    b.accessory && h("div", { class: "block-accessory" }, element(b.accessory, b, at)));
}

function context(b, at) {
  return h("div", { class: "block-context" }, b.elements.map((e) =>
    h("span", {}, e.type === "image" ? `🖼 ${e.alt_text}` : text(e, at.names))));
}

function table(b, at) {
  const settings = b.column_settings ?? [];
  const cell = (c, row, column) => {
    const align = settings[column]?.align ?? "left";
    const nowrap = settings[column]?.is_wrapped ? "" : " nowrap";
    const drawn = c?.type === "rich_text" ? richText(c.elements, at.names) : c?.text ?? "";
    return h(row ? "td" : "th", { class: `align-${align}${nowrap}` }, drawn);
  };
  return h("div", { class: "table" }, h("table", {}, b.rows.map((row, i) =>
    h("tr", {}, row.map((c, j) => cell(c, i, j))))));
}
