// rich_text blocks and cells: sections, lists, quotes and preformatted text.

import { h, link } from "./dom.js";
import { emojiNode, mention, groupMention } from "./mrkdwn.js";
import { written } from "./dates.js";

/** richText draws the elements of a rich_text block. */
export function richText(elements, names) {
  return (elements ?? []).map((e) => part(e, names));
}

function part(e, names) {
  switch (e.type) {
    case "rich_text_list": return list(e, names);
    case "rich_text_quote": return h("blockquote", {}, leaves(e, names));
    case "rich_text_preformatted": return h("pre", { class: "code" }, leaves(e, names));
  }
  return h("span", { class: "rich" }, leaves(e, names));
}

/** list draws one run of items. Slack nests by an indent on the run, not by a list inside a list. */
function list(e, names) {
  const ordered = e.style === "ordered";
  return h(ordered ? "ol" : "ul", { class: `indent-${Math.min(Number(e.indent ?? 0), 4)}`, start: ordered ? Number(e.offset ?? 0) + 1 : null },
    (e.elements ?? []).map((item) => h("li", {}, part(item, names))));
}

function leaves(e, names) {
  return (e.elements ?? []).map((c) => leaf(c, names));
}

function leaf(e, names) {
  switch (e.type) {
    case "emoji": return emojiNode(e.name ?? "");
    case "user": return mention(`@${names.user(e.user_id) ?? e.user_id}`, names.me === e.user_id);
    case "usergroup": return groupMention(e.usergroup_id ?? "", "", names);
    case "channel": return mention(`#${names.channel(e.channel_id) ?? e.channel_id}`);
    case "broadcast": return mention(`@${e.range}`, true);
    case "date": return h("time", { class: "date" }, written(Number(e.timestamp), e.format ?? "{date_short} {time}", names.locale));
    case "link": return styled(link(e.url ?? "", e.text || e.url || ""), e.style);
  }
  return styled(document.createTextNode(e.text ?? ""), e.style);
}

function styled(node, style = {}) {
  for (const [key, tag] of [["code", "code"], ["strike", "s"], ["italic", "i"], ["bold", "b"], ["underline", "u"]]) {
    if (style[key]) node = h(tag, {}, node);
  }
  return node;
}
