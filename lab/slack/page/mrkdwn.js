// Slack's mrkdwn, drawn as elements: *bold*, _italic_, ~strike~, `code`, ```code```, quotes, bullets, <links|labels>,
// mentions, dates and :emoji:. The input is escaped text (&amp; &lt; &gt;), as Slack sends it.

import { h, link, unescape, date } from "./dom.js";
import { draw } from "./emoji.js";

const inlinePattern = new RegExp([
  "`(?<code>[^`\\n]+)`",
  "<(?<angle>[^<>\\n]+)>",
  ":(?<emoji>[a-z0-9_+'-]+(?:::skin-tone-[2-6])?):",
  "(?<![\\w*])\\*(?=\\S)(?<bold>[^*\\n]+?)(?<=\\S)\\*(?![\\w*])",
  "(?<![\\w_])_(?=\\S)(?<italic>[^_\\n]+?)(?<=\\S)_(?![\\w_])",
  "(?<![\\w~])~(?=\\S)(?<strike>[^~\\n]+?)(?<=\\S)~(?![\\w~])",
].join("|"), "g");

/** mrkdwn draws a whole text; names tells what ids are called: {user(id), channel(id)}. */
export function mrkdwn(text, names) {
  return text.split(/```\n?([\s\S]+?)\n?```/).flatMap((part, i) =>
    i % 2 ? [codeBlock(part)] : lines(part, names));
}

export function codeBlock(text) {
  return h("pre", { class: "code" }, unescape(text.replace(/<([^<>|]+\|)?([^<>]+)>/g, "$2")));
}

/** lines groups the lines of a text into quotes, bullets and the rest. */
function lines(text, names) {
  const out = [];
  let run = { kind: "plain", lines: [] };
  const close = () => {
    if (run.lines.length) out.push(...drawRun(run, names));
  };
  for (const line of text.split("\n")) {
    const { kind, rest } = kindOf(line);
    if (kind !== run.kind) {
      close();
      run = { kind, lines: [] };
    }
    run.lines.push(rest);
  }
  close();
  return out;
}

function kindOf(line) {
  const quote = /^(?:&gt;|>) ?(.*)$/.exec(line);
  if (quote) return { kind: "quote", rest: quote[1] };
  const bullet = /^\s*[•◦▪-] +(.*)$/.exec(line);
  if (bullet) return { kind: "bullets", rest: bullet[1] };
  return { kind: "plain", rest: line };
}

function drawRun(run, names) {
  if (run.kind === "bullets") return [h("ul", {}, run.lines.map((l) => h("li", {}, inline(l, names))))];
  const drawn = run.lines.flatMap((l, i) => (i ? [h("br"), ...inline(l, names)] : inline(l, names)));
  return run.kind === "quote" ? [h("blockquote", {}, drawn)] : drawn;
}

/** inline draws one line. */
export function inline(text, names) {
  const out = [];
  let last = 0;
  for (const match of text.matchAll(inlinePattern)) {
    if (match.index > last) out.push(unescape(text.slice(last, match.index)));
    out.push(drawMatch(match.groups, names));
    last = match.index + match[0].length;
  }
  if (last < text.length) out.push(unescape(text.slice(last)));
  return out;
}

function drawMatch(found, names) {
  if (found.code !== undefined) return h("code", {}, unescape(found.code));
  if (found.angle !== undefined) return angle(found.angle, names);
  if (found.emoji !== undefined) return emojiNode(found.emoji);
  if (found.bold !== undefined) return h("b", {}, inline(found.bold, names));
  if (found.italic !== undefined) return h("i", {}, inline(found.italic, names));
  return h("s", {}, inline(found.strike, names));
}

/** emojiNode is a picture; what is no emoji's name stays the text that it was, such as the minutes of 12:34:56. */
export function emojiNode(name) {
  const picture = draw(name);
  if (picture === `:${name}:`) return document.createTextNode(picture);
  return h("span", { class: "emoji", title: `:${name}:`, role: "img", "aria-label": name.replaceAll("_", " ") }, picture);
}

/** angle draws what stands between < and >: a mention, a date or a link. */
function angle(body, names) {
  const bar = body.indexOf("|");
  const target = bar < 0 ? body : body.slice(0, bar);
  const label = bar < 0 ? "" : unescape(body.slice(bar + 1));
  switch (target[0]) {
    case "@": return mention(`@${names.user(target.slice(1)) ?? (label || target.slice(1))}`, names.me === target.slice(1));
    case "#": return mention(`#${names.channel(target.slice(1)) ?? (label || target.slice(1))}`);
    case "!": return special(target.slice(1), label);
  }
  const address = unescape(target);
  return link(address, label || address.replace(/^mailto:/, ""));
}

export function mention(text, me = false) {
  return h("span", { class: me ? "mention me" : "mention" }, text);
}

function special(command, label) {
  const stamp = /^date\^(\d+)\^/.exec(command);
  if (stamp) return h("time", { title: label }, date(stamp[1]).toLocaleString([], { dateStyle: "medium", timeStyle: "short" }));
  return mention(label || `@${command.split("^")[0]}`);
}
