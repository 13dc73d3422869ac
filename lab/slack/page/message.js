// One message, drawn: who, when, what, its files, its reactions and its thread.

import { h, clock, full, date, day, iconButton, plain } from "./dom.js";
import { draw, quick, picker } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";
import { blocks, folding } from "./blocks.js";
import { file } from "./files.js";
import { icon } from "./icons.js";
import { menu, panel } from "./menu.js";
import { avatar, badges, name } from "./people.js";

/** message draws m. before is the message above it, for grouping; view is {store, inThread, act, react, open, shortcut, copy}. */
export function message(m, before, view) {
  const grouped = sameHand(m, before);
  const author = view.store.person(m.user);
  return h("article", {
    class: ["message", grouped && "grouped", m.is_ephemeral && "ephemeral", m.subtype === "tombstone" && "tombstone"].filter(Boolean).join(" "),
    data: { ts: m.ts, user: m.user }, "aria-label": `${author.real_name}, ${clock(m.ts)}`,
  },
  m.is_ephemeral && h("p", { class: "only-you" }, icon("eye"), "Only visible to you"),
  h("div", { class: "gutter" }, grouped ? time(m) : face(m, author, view)),
  h("div", { class: "content" },
    !grouped && m.subtype !== "tombstone" && h("p", { class: "head" }, name(author, view.store), badges(author, view.store.team), time(m)),
    body(m, view),
    (m.files ?? []).map((f) => file(f, view.store)),
    reactions(m, view),
    replies(m, view)),
  m.subtype !== "tombstone" && tools(m, view));
}

function face(m, author, view) {
  return m.subtype === "tombstone" ? h("span", { class: "avatar bin" }, icon("archive")) : avatar(author, view.store);
}

/** divider is the line with the day, when m begins a new one. */
export function divider(m, before) {
  const of = (x) => date(x.ts).toDateString();
  if (before && of(m) === of(before)) return null;
  return h("div", { class: "day" }, h("span", {}, day(date(m.ts))));
}

/** fresh is the line above the first message that the person has not read. */
export function fresh() {
  return h("div", { class: "fresh", role: "separator" }, h("span", {}, "New"));
}

/** count is the line between a thread's first message and its replies. */
export function count(n) {
  return h("div", { class: "count" }, h("span", {}, n === 1 ? "1 reply" : `${n} replies`));
}

function sameHand(m, before) {
  return Boolean(before) && before.user === m.user && !m.is_ephemeral && !before.is_ephemeral && !before.reply_count
    && before.subtype !== "tombstone" && Number(m.ts) - Number(before.ts) < 300 && date(m.ts).toDateString() === date(before.ts).toDateString();
}

function time(m) {
  return h("time", { title: full(m.ts) }, clock(m.ts));
}

function body(m, view) {
  const { store } = view;
  const at = { names: store.names, store, key: m.ts, expanded: store.expanded, act: (e, value) => view.act(m, e, value), input: () => null };
  const edited = m.edited && h("span", { class: "edited", title: full(m.edited.ts) }, "(edited)");
  if (m.subtype === "tombstone") return h("p", { class: "soft" }, m.text);
  const parts = m.blocks?.length ? blocks(m.blocks, at) : words(m, at);
  for (const a of m.attachments ?? []) parts.push(attachment(a, at));
  return h("div", { class: "body" }, parts, edited);
}

function words(m, at) {
  if (!m.text) return [];
  const jumbo = /^(\s*:[a-z0-9_+'-]+:){1,20}\s*$/.test(m.text);
  return [folding(m.ts, m.text, at, h("div", { class: jumbo ? "block-text jumbo" : "block-text" }, mrkdwn(m.text, at.names)))];
}

function attachment(a, at) {
  const colours = { good: "good", warning: "middling", danger: "bad" };
  return h("div", { class: `attachment ${colours[a.color] ?? ""}` },
    a.blocks?.length ? blocks(a.blocks, at) : [a.title && h("b", {}, plain(a.title)), h("div", { class: "block-text" }, mrkdwn(a.text ?? a.fallback ?? "", at.names))]);
}

function reactions(m, view) {
  if (!m.reactions?.length) return null;
  const chips = m.reactions.map((r) => {
    const mine = r.users.includes(view.store.me);
    return h("button", {
      type: "button", class: mine ? "reaction mine" : "reaction", "aria-pressed": String(mine), title: `${who(r, view.store)} reacted with :${r.name}:`,
      data: { reaction: r.name }, onclick: () => view.react(m, r.name, mine),
    }, h("span", { class: "emoji" }, draw(r.name)), h("span", {}, String(r.count)));
  });
  return h("div", { class: "reactions" }, chips, iconButton(icon("smile"), "Add reaction", (e) => pick(e.currentTarget, m, view), { class: "reaction add" }));
}

function who(r, store) {
  const names = r.users.map((u) => (u === store.me ? "You" : store.person(u).real_name));
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function replies(m, view) {
  if (view.inThread || !m.reply_count) return null;
  const faces = (m.reply_users ?? []).slice(0, 5).map((u) => avatar(view.store.person(u), view.store));
  return h("button", { type: "button", class: "replies", onclick: () => view.open(m.ts) }, faces,
    h("b", {}, m.reply_count === 1 ? "1 reply" : `${m.reply_count} replies`),
    h("span", { class: "soft" }, `Last reply ${day(date(m.latest_reply)).toLowerCase()} at ${clock(m.latest_reply)}`), icon("right"));
}

function add(name, m, view) {
  return h("button", {
    type: "button", title: `React with :${name}:`, "aria-label": `React with ${name.replaceAll("_", " ")}`, data: { add: name }, class: "emoji",
    onclick: () => view.react(m, name, m.reactions?.some((r) => r.name === name && r.users.includes(view.store.me))),
  }, draw(name));
}

function pick(anchor, m, view) {
  const close = panel(anchor, h("div", { class: "picker", onclick: (e) => e.target.closest("button") && close() }, picker.map((n) => add(n, m, view))), { label: "Pick a reaction" });
}

/** tools are what one can do with a message. Slack keeps no ephemeral message, so that there is nothing to do with one. */
function tools(m, view) {
  if (m.is_ephemeral) return null;
  const more = iconButton(icon("more"), "More actions", () => menu(more, "More actions", actions(m, view)), { class: "more", "aria-haspopup": "menu" });
  return h("div", { class: "tools", role: "group", "aria-label": "Message actions" },
    quick.map((n) => add(n, m, view)),
    iconButton(icon("smile"), "Find another reaction", (e) => pick(e.currentTarget, m, view)),
    !view.inThread && iconButton(icon("reply"), "Reply in thread", () => view.open(m.thread_ts ?? m.ts), { class: "reply" }),
    more);
}

function actions(m, view) {
  const mine = view.store.shortcuts.filter((s) => s.type === "message").map((s) => ({
    label: s.name, note: view.store.app.name, picture: h("img", { class: "avatar tiny", src: "/page/icon.svg", alt: "" }), name: s.callback_id, run: () => view.shortcut(m, s.callback_id),
  }));
  return [
    !view.inThread && { label: "Reply in thread", picture: icon("reply"), name: "reply", run: () => view.open(m.thread_ts ?? m.ts) },
    { label: "Copy link", picture: icon("link"), name: "copy-link", run: () => view.copy(m) },
    mine.length > 0 && "-", ...mine,
  ].filter(Boolean);
}
