// rich_text blocks and cells: sections, lists, quotes and preformatted text.

import { h, link } from "./dom.js";
import { emojiNode, mention } from "./mrkdwn.js";

/** richText draws the elements of a rich_text block. */
export function richText(elements, names) {
  return (elements ?? []).map((e) => part(e, names));
}

function part(e, names) {
  const inside = (e.elements ?? []).map((c) => (e.type === "rich_text_list" ? h("li", {}, part(c, names)) : leaf(c, names)));
  switch (e.type) {
    case "rich_text_list": return h(e.style === "ordered" ? "ol" : "ul", {}, inside);
    case "rich_text_quote": return h("blockquote", {}, inside);
    case "rich_text_preformatted": return h("pre", { class: "code" }, inside);
  }
  return h("span", { class: "rich" }, inside);
}

function leaf(e, names) {
  switch (e.type) {
    case "emoji": return emojiNode(e.name ?? "");
    case "user": return mention(`@${names.user(e.user_id) ?? e.user_id}`, names.me === e.user_id);
    case "channel": return mention(`#${names.channel(e.channel_id) ?? e.channel_id}`);
    case "link": return styled(link(e.url ?? "", e.text || e.url || ""), e.style);
  }
  return styled(document.createTextNode(e.text ?? ""), e.style);
}

function styled(node, style = {}) {
  for (const [key, tag] of [["code", "code"], ["strike", "s"], ["italic", "i"], ["bold", "b"]]) {
    if (style[key]) node = h(tag, {}, node);
  }
  return node;
}
