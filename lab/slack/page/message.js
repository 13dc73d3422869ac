// One message, drawn: who, when, what, its files, its reactions and its thread.

import { h, clock, full, date } from "./dom.js";
import { draw, quick, picker } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";
import { blocks } from "./blocks.js";

/** message draws m. before is the message above it, for grouping; view is {store, channel, inThread, react, act, open}. */
export function message(m, before, view) {
  const grouped = sameHand(m, before);
  const author = view.store.people.get(m.user) ?? { id: m.user, real_name: m.user };
  return h("article", {
    class: ["message", grouped && "grouped", m.is_ephemeral && "ephemeral"].filter(Boolean).join(" "),
    data: { ts: m.ts, user: m.user }, "aria-label": `${author.real_name}, ${clock(m.ts)}`,
  },
  h("div", { class: "gutter" }, grouped ? time(m) : avatar(author, view)),
  h("div", { class: "content" },
    m.is_ephemeral && h("p", { class: "only-you" }, "👁 Only visible to you"),
    !grouped && h("p", { class: "head" }, h("b", { class: "name" }, author.real_name), author.is_bot && h("span", { class: "app" }, "APP"), " ", time(m)),
    body(m, view),
    (m.files ?? []).map(file),
    reactions(m, view),
    replies(m, view)),
  !m.is_ephemeral && m.subtype !== "tombstone" && tools(m, view));
}

/** divider is the line with the day, when m begins a new one. */
export function divider(m, before) {
  const day = (x) => date(x.ts).toDateString();
  if (before && day(m) === day(before)) return null;
  return h("div", { class: "day" }, h("span", {}, date(m.ts).toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" })));
}

function sameHand(m, before) {
  return Boolean(before) && before.user === m.user && !m.is_ephemeral && !before.is_ephemeral && !before.reply_count
    && Number(m.ts) - Number(before.ts) < 300 && date(m.ts).toDateString() === date(before.ts).toDateString();
}

export function avatar(person, view) {
  if (person.id === view.store.app.user_id) return h("img", { class: "avatar", src: "/page/icon.svg", alt: "" });
  const initials = person.real_name.split(/\s+/).map((w) => w[0]).slice(0, 2).join("").toUpperCase();
  const hue = [...person.id].reduce((sum, c) => sum + c.charCodeAt(0), 0) % 6;
  return h("span", { class: `avatar hue-${hue}`, "aria-hidden": "true" }, initials);
}

function time(m) {
  return h("time", { title: full(m.ts) }, clock(m.ts));
}

function body(m, view) {
  const at = { names: view.store.names, act: (action, value) => view.act(m, action, value) };
  const edited = m.edited && h("span", { class: "edited", title: full(m.edited.ts) }, "(edited)");
  if (m.subtype === "tombstone") return h("p", { class: "edited" }, m.text);
  const parts = m.blocks?.length ? blocks(m.blocks, at) : [h("div", { class: "block-text" }, mrkdwn(m.text ?? "", view.store.names))];
  for (const a of m.attachments ?? []) parts.push(attachment(a, at));
  return h("div", { class: "body" }, parts, edited);
}

function attachment(a, at) {
  return h("div", { class: "attachment" },
    a.blocks?.length ? blocks(a.blocks, at) : [a.title && h("b", {}, a.title), h("div", { class: "block-text" }, mrkdwn(a.text ?? a.fallback ?? "", at.names))]);
}

function file(f) {
  return h("div", { class: "file" },
    h("a", { class: "file-name", href: f.url_private, download: f.name }, `📄 ${f.title || f.name}`),
    h("span", { class: "file-size" }, `${f.name} · ${size(f.size)}`),
    f.preview && h("pre", { class: "code" }, f.preview));
}

function size(n) {
  if (n < 1024) return `${n} B`;
  return n < 1024 * 1024 ? `${(n / 1024).toFixed(1)} kB` : `${(n / 1024 / 1024).toFixed(1)} MB`;
}

function reactions(m, view) {
  if (!m.reactions?.length) return null;
  const chips = m.reactions.map((r) => {
    const mine = r.users.includes(view.store.me);
    const who = r.users.map((u) => view.store.people.get(u)?.real_name ?? u).join(", ");
    return h("button", {
      type: "button", class: mine ? "reaction mine" : "reaction", "aria-pressed": String(mine), title: `${who} reacted with :${r.name}:`,
      data: { reaction: r.name }, onclick: () => view.react(m, r.name, mine),
    }, h("span", { class: "emoji" }, draw(r.name)), " ", String(r.count));
  });
  return h("div", { class: "reactions" }, chips);
}

function replies(m, view) {
  if (view.inThread || !m.reply_count) return null;
  const faces = (m.reply_users ?? []).slice(0, 3).map((u) => avatar(view.store.people.get(u) ?? { id: u, real_name: u }, view));
  return h("button", { type: "button", class: "replies", onclick: () => view.open(m.ts) }, faces,
    h("b", {}, m.reply_count === 1 ? "1 reply" : `${m.reply_count} replies`),
    h("span", {}, `Last reply at ${clock(m.latest_reply)}`));
}

function tools(m, view) {
  const add = (name) => h("button", {
    type: "button", title: `React with :${name}:`, "aria-label": `React with ${name.replaceAll("_", " ")}`, data: { add: name },
    onclick: (e) => {
      e.currentTarget.closest("details")?.removeAttribute("open");
      view.react(m, name, m.reactions?.some((r) => r.name === name && r.users.includes(view.store.me)));
    },
  }, draw(name));
  return h("div", { class: "tools" },
    quick.map(add),
    h("details", { class: "picker" }, h("summary", { title: "Find another reaction", "aria-label": "Find another reaction" }, "☺"), h("div", {}, picker.map(add))),
    !view.inThread && h("button", { type: "button", title: "Reply in thread", "aria-label": "Reply in thread", class: "reply", onclick: () => view.open(m.thread_ts ?? m.ts) }, "💬"));
}
