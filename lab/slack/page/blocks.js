// Block Kit, drawn. One function a block; what this page does not know it says so, instead of hiding it.
//
// at is the surface the blocks stand on: {names, store, key, act(element, value), input(block), expanded}.

import { h, plain } from "./dom.js";
import { mrkdwn } from "./mrkdwn.js";
import { markdown } from "./markdown.js";
import { richText } from "./richtext.js";
import { element } from "./elements.js";
import { picture } from "./files.js";
import { chart } from "./chart.js";
import { icon } from "./icons.js";
import { emojiText } from "./emojitext.js";

const drawers = {
  header: (b) => h("h3", { class: "block-header" }, emojiText(b.text)),
  divider: () => h("hr"),
  section,
  context,
  actions: (b, at) => h("div", { class: "block-actions" }, b.elements.map((e) => element(e, b, at))),
  context_actions: (b, at) => h("div", { class: "block-actions small" }, b.elements.map((e) => element(e, b, at))),
  markdown: (b, at) => folding(`${at.key}/${b.block_id}`, b.text, at, h("div", { class: "block-markdown" }, markdown(b.text))),
  table,
  rich_text: (b, at) => h("div", { class: "block-rich" }, richText(b.elements, at.names)),
  image: (b, at) => h("figure", { class: "block-image" }, b.title && h("figcaption", {}, emojiText(b.title)), picture(b, at)),
  file: (b) => h("p", { class: "soft" }, icon("file"), ` ${b.external_id}`),
  input: (b, at) => at.input(b),
  data_visualization: chart,
  alert: (b, at) => h("div", { class: `alert ${b.level ?? ""}` }, icon("warning"), h("div", {}, text(b.text, at.names))),
};

/** blocks draws a list of blocks. */
export function blocks(list, at) {
  return list.map((b) => {
    const draw = drawers[b.type];
    return draw ? draw(b, at) : h("p", { class: "unknown" }, `(a block of type ${b.type})`);
  });
}

/** text draws a text object. */
export function text(object, names) {
  return object.type === "mrkdwn" ? mrkdwn(object.text, names) : emojiText(object);
}

/** The length from which a text is folded, as Slack folds it, unless its section says expand. */
const foldAt = { characters: 800, lines: 16 };

/** folding draws a long text with its end hidden until one asks for it. */
export function folding(key, raw, at, node) {
  if (raw.length <= foldAt.characters && raw.split("\n").length <= foldAt.lines) return node;
  const box = h("div", { class: "folding" }, node);
  const toggle = h("button", { type: "button", class: "fold", onclick: () => show(!at.expanded.has(key)) });
  const show = (open) => {
    if (open) at.expanded.add(key);
    else at.expanded.delete(key);
    draw();
  };
  const draw = () => {
    const open = at.expanded.has(key);
    box.classList.toggle("folded", !open);
    toggle.textContent = open ? "Show less" : "Show more";
    toggle.setAttribute("aria-expanded", String(open));
  };
  draw();
  return h("div", {}, box, toggle);
}

function section(b, at) {
  const words = b.text && h("div", { class: "block-text" }, text(b.text, at.names));
  return h("div", { class: "block-section" },
    h("div", { class: "block-section-main" },
      words && (b.expand ? words : folding(`${at.key}/${b.block_id}`, b.text.text, at, words)),
      b.fields && h("div", { class: "block-fields" }, b.fields.map((f) => h("div", {}, text(f, at.names))))),
    b.accessory && h("div", { class: "block-accessory" }, element(b.accessory, b, at)));
}

function context(b, at) {
  return h("div", { class: "block-context" }, b.elements.map((e) =>
    (e.type === "image" ? picture(e, at, "inline") : h("span", {}, text(e, at.names)))));
}

function table(b, at) {
  const settings = b.column_settings ?? [];
  const cell = (c, row, column) => {
    const kind = `align-${settings[column]?.align ?? "left"}${settings[column]?.is_wrapped ? "" : " nowrap"}`;
    const drawn = c?.type === "rich_text" ? richText(c.elements, at.names) : plain(String(c?.text ?? ""));
    return row ? h("td", { class: kind }, drawn) : h("th", { class: kind, scope: "col" }, drawn);
  };
  const rows = b.rows.map((row, i) => h("tr", {}, row.map((c, j) => cell(c, i, j))));
  return h("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" },
    h("table", {}, h("thead", {}, rows.slice(0, 1)), h("tbody", {}, rows.slice(1))));
}
