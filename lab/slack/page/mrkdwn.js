// Slack's mrkdwn, drawn as elements: *bold*, _italic_, ~strike~, `code`, ```code```, quotes, <links|labels>, mentions,
// dates and :emoji:. The input is escaped text (&amp; &lt; &gt;), as Slack sends it. It has no lists: a "•" is a letter.

import { h, link, unescape } from "./dom.js";
import { written } from "./dates.js";
import { draw } from "./emoji.js";

const inlinePattern = new RegExp([
  "`(?<code>[^`\\n]+)`",
  "<(?<angle>[^<>\\n]+)>",
  "(?<bare>https?://[^\\s<>]*[^\\s<>.,;:!?)'\"])",
  ":(?<emoji>[a-z0-9_+'-]+(?:::skin-tone-[2-6])?):",
  "(?<![\\w*])\\*(?=\\S)(?<bold>[^*\\n]+?)(?<=\\S)\\*(?![\\w*])",
  "(?<![\\w_])_(?=\\S)(?<italic>[^_\\n]+?)(?<=\\S)_(?![\\w_])",
  "(?<![\\w~])~(?=\\S)(?<strike>[^~\\n]+?)(?<=\\S)~(?![\\w~])",
].join("|"), "g");

/** mrkdwn draws a whole text; names tells what ids are called, and who reads:
 * {me, locale, groups, user(id), channel(id), group(id)}. */
export function mrkdwn(text, names) {
  // The line ends beside a block of code are its own.
  return text.split(/\n?```\n?([\s\S]+?)\n?```\n?/).flatMap((part, i) => {
    if (i % 2) return [codeBlock(part)];
    return part === "" ? [] : lines(part, names);
  });
}

export function codeBlock(text) {
  return h("pre", { class: "code" }, unescape(text.replace(/<([^<>|]+\|)?([^<>]+)>/g, "$2")));
}

/** lines groups the lines of a text into quotes and the rest. */
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
  return { kind: "plain", rest: line };
}

function drawRun(run, names) {
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
  if (found.bare !== undefined) return link(unescape(found.bare), unescape(found.bare));
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
    case "!": return special(unescape(target.slice(1)), label, names);
  }
  const address = unescape(target);
  return link(address, label || address.replace(/^mailto:/, ""));
}

export function mention(text, me = false) {
  return h("span", { class: me ? "mention me" : "mention" }, text);
}

/** groupMention draws the handle of a user group; one that I am in stands out, as my own name does. */
export function groupMention(id, label, names) {
  const handle = names.group?.(id);
  return mention(`@${handle ?? (label.replace(/^@/, "") || id)}`, Boolean(names.groups?.includes(id)));
}

/** special draws what stands after "<!": a date, a user group, or everybody. */
function special(command, label, names) {
  const [kind, ...rest] = command.split("^");
  if (kind === "date") return dated(rest, label, names);
  if (kind === "subteam") return groupMention(rest[0], label, names);
  return mention(label ? `@${label.replace(/^@/, "")}` : `@${kind}`, true);
}

function dated([stamp, pattern = "{date_short} {time}", target], label, names) {
  const text = /^\d+$/.test(stamp) ? written(Number(stamp), pattern, names.locale) : label;
  return h("time", { class: "date", title: label }, target ? link(unescape(target), text) : text);
}
