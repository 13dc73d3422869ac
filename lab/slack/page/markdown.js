// Standard Markdown, as the "markdown" block holds it: headings, lists, code, quotes, tables, emphasis and links.

import { h, link } from "./dom.js";
import { emojiNode } from "./mrkdwn.js";

const inlinePattern = new RegExp([
  "`(?<code>[^`]+)`",
  "\\*\\*(?<bold>.+?)\\*\\*",
  "(?<![\\w*])\\*(?=\\S)(?<em>[^*]+?)\\*(?!\\w)",
  "(?<![\\w_])_(?=\\S)(?<em2>[^_]+?)_(?!\\w)",
  "~~(?<strike>.+?)~~",
  "\\[(?<label>[^\\]]+)\\]\\((?<url>[^)\\s]+)\\)",
  "(?<bare>https?://[^\\s<>)]+)",
  ":(?<emoji>[a-z0-9_+-]+):",
].join("|"), "g");

/** markdown draws a whole text. */
export function markdown(text) {
  const rest = text.split("\n");
  const out = [];
  while (rest.length) {
    const shape = shapes.find((s) => s.starts.test(rest[0]));
    out.push(...shape.draw(rest));
  }
  return out;
}

/** Each shape takes its lines off the front and returns what it draws. The last one takes anything. */
const shapes = [
  { starts: /^\s*$/, draw: (rest) => (rest.shift(), []) },
  { starts: /^```/, draw: fence },
  { starts: /^#{1,6} /, draw: (rest) => [h("p", { class: "md-heading" }, h("b", {}, inline(rest.shift().replace(/^#+ /, ""))))] },
  { starts: /^ {0,3}([-*_])( *\1){2,} *$/, draw: (rest) => (rest.shift(), [h("hr")]) },
  { starts: /^> ?/, draw: (rest) => [h("blockquote", {}, markdown(take(rest, /^> ?/).map((l) => l.replace(/^> ?/, "")).join("\n")))] },
  { starts: /^\s*[-*+] /, draw: (rest) => [listOf("ul", take(rest, /^\s*[-*+] /), /^\s*[-*+] /)] },
  { starts: /^\s*\d+[.)] /, draw: (rest) => [listOf("ol", take(rest, /^\s*\d+[.)] /), /^\s*\d+[.)] /)] },
  { starts: /^\|.*\|\s*$/, draw: (rest) => [table(take(rest, /^\|/))] },
  { starts: /^/, draw: paragraph },
];

function take(rest, pattern) {
  const taken = [];
  while (rest.length && pattern.test(rest[0])) taken.push(rest.shift());
  return taken;
}

function fence(rest) {
  rest.shift();
  const body = [];
  while (rest.length && !rest[0].startsWith("```")) body.push(rest.shift());
  rest.shift();
  return [h("pre", { class: "code" }, body.join("\n"))];
}

function listOf(tag, items, marker) {
  return h(tag, {}, items.map((l) => h("li", {}, inline(l.replace(marker, "")))));
}

function table(rows) {
  const cells = rows.filter((r) => !/^\|[\s:|-]+\|\s*$/.test(r))
    .map((r) => r.trim().replace(/^\||\|$/g, "").split("|").map((c) => c.trim()));
  return h("div", { class: "table" }, h("table", {}, cells.map((row, i) =>
    h("tr", {}, row.map((c) => h(i ? "td" : "th", {}, inline(c)))))));
}

function paragraph(rest) {
  const taken = [rest.shift()];
  while (rest.length && shapes.find((s) => s.starts.test(rest[0])).draw === paragraph) taken.push(rest.shift());
  return [h("p", {}, taken.flatMap((l, i) => (i ? [h("br"), ...inline(l)] : inline(l))))];
}

function inline(text) {
  const out = [];
  let last = 0;
  for (const match of text.matchAll(inlinePattern)) {
    if (match.index > last) out.push(text.slice(last, match.index));
    out.push(drawMatch(match.groups));
    last = match.index + match[0].length;
  }
  if (last < text.length) out.push(text.slice(last));
  return out;
}

function drawMatch(found) {
  if (found.code !== undefined) return h("code", {}, found.code);
  if (found.bold !== undefined) return h("b", {}, inline(found.bold));
  if (found.em !== undefined) return h("i", {}, inline(found.em));
  if (found.em2 !== undefined) return h("i", {}, inline(found.em2));
  if (found.strike !== undefined) return h("s", {}, inline(found.strike));
  if (found.url !== undefined) return link(found.url, found.label);
  if (found.bare !== undefined) return link(found.bare, found.bare);
  return emojiNode(found.emoji);
}
