// The page: which person, which channel, which thread; everything else is drawn from the store.

import { h, toast } from "./dom.js";
import { Store, tell, isTop } from "./store.js";
import { message, divider } from "./message.js";
import { Composer } from "./composer.js";

const $ = (id) => document.getElementById(id);

/** at is where the person is. It lives in the address, so that a reload comes back to the same place. */
const at = readAddress();
const store = new Store(heard);
const unread = new Set();
const composer = new Composer($("composer"), { ...completions(), placeholder: "", send: (text) => say(text, "") });
const threadComposer = new Composer($("thread-composer"), { ...completions(), placeholder: "Reply…", send: (text) => say(text, at.thread) });

start();

async function start() {
  $("person").addEventListener("change", (e) => become(e.target.value));
  $("thread-close").addEventListener("click", () => openThread(""));
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && !$("thread").hidden) openThread("");
  });
  follow($("messages"));
  follow($("thread-messages"));
  const people = (await (await fetch("/lab/state")).json()).people.filter((p) => !p.is_bot && !p.deleted && p.id !== "USLACKBOT");
  $("person").replaceChildren(...people.map((p) => h("option", { value: p.id }, `${p.real_name} (${p.locale ?? "no locale"})`)));
  become((people.find((p) => p.id === at.user || p.name === at.user) ?? people[0]).id);
}

function readAddress() {
  const query = new URLSearchParams(location.search);
  const archive = /^\/archives\/([^/]+)\/p(\d+)(\d{6})$/.exec(location.pathname);
  return {
    user: query.get("user") ?? localStorage.getItem("user") ?? "",
    channel: archive?.[1] ?? query.get("channel") ?? "",
    thread: query.get("thread") ?? query.get("thread_ts") ?? "",
    highlight: archive ? `${archive[2]}.${archive[3]}` : "",
  };
}

function writeAddress() {
  const query = new URLSearchParams({ user: store.people.get(at.user)?.name ?? at.user, channel: store.channels.get(at.channel)?.name ?? at.channel });
  if (at.thread) query.set("thread", at.thread);
  history.replaceState(null, "", `/?${query}`);
}

function become(user) {
  at.user = user;
  $("person").value = user;
  localStorage.setItem("user", user);
  store.follow(user);
}

/** heard is the store telling of a change. */
function heard(kind, channel, m) {
  if (kind === "online") $("offline").hidden = channel;
  else if (kind === "link") drawApps();
  else if (kind === "all") arrive();
  else if (kind === "removed" || kind === "channel") drawAll();
  else changed(channel, m);
}

/** arrive is a new snapshot: find the channel that the address names, then draw everything. */
function arrive() {
  const channels = [...store.channels.values()];
  at.channel = (channels.find((c) => c.id === at.channel || c.name === at.channel) ?? channels[0]).id;
  if (at.thread && !store.channels.get(at.channel).messages.has(at.thread)) at.thread = "";
  drawAll();
  if (at.highlight) {
    const found = document.querySelector(`[data-ts="${at.highlight}"]`);
    found?.scrollIntoView({ block: "center" });
    found?.classList.add("highlight");
    at.highlight = "";
  }
}

function drawAll() {
  document.title = `#${store.channels.get(at.channel).name} · ${store.team.name}`;
  $("team").textContent = store.team.name;
  drawChannels();
  drawApps();
  drawMessages($("messages"), store.top(at.channel), view(false));
  drawThread();
  writeAddress();
}

function drawChannels() {
  $("channels").replaceChildren(...[...store.channels.values()].map((c) => h("li", {}, h("button", {
    type: "button", class: unread.has(c.id) ? "unread" : null, "aria-current": c.id === at.channel ? "page" : null,
    data: { channel: c.name }, onclick: () => goTo(c.id),
  }, h("span", { class: "hash" }, c.is_private ? "🔒" : "#"), c.name))));
  const here = store.channels.get(at.channel);
  $("channel-name").textContent = `# ${here.name}`;
  $("channel-topic").textContent = here.topic ?? "";
  composer.place(`Message #${here.name}, or type / for commands`);
}

function drawApps() {
  const on = store.connections > 0;
  $("apps").replaceChildren(h("li", { class: "app-line", title: on ? `Connected ${store.connections} time(s)` : "No Socket Mode connection" },
    h("span", { class: on ? "dot on" : "dot" }), store.app.name, h("span", { class: "state" }, on ? "connected" : "not connected")));
}

function goTo(channel) {
  unread.delete(channel);
  at.channel = channel;
  at.thread = "";
  drawAll();
  composer.focus();
}

function view(inThread) {
  return {
    store, inThread, open: openThread,
    react: (m, reaction, remove) => report(tell("react", { user: at.user, channel: at.channel, ts: m.ts, reaction, remove: Boolean(remove) })),
    act: (m, action_id, value) => report(tell("click", { user: at.user, channel: at.channel, ts: m.ts, action_id, value })),
  };
}

function intro() {
  const { name } = store.channels.get(at.channel);
  return h("div", { class: "intro" }, h("h3", {}, `This is the beginning of #${name}`),
    h("p", {}, "Type ", h("code", {}, "/"), " for commands, or mention ", h("b", {}, store.app.name), " to ask it something."));
}

function drawMessages(list, messages, how) {
  list.replaceChildren(...(how.inThread ? [] : [intro()]), ...messages.flatMap((m, i) => [divider(m, messages[i - 1]), message(m, messages[i - 1], how)].filter(Boolean)));
  list.scrollTop = list.scrollHeight;
}

function drawThread() {
  const open = at.thread !== "";
  $("thread").hidden = !open;
  if (!open) return;
  $("thread-channel").textContent = `#${store.channels.get(at.channel).name}`;
  const parent = store.channels.get(at.channel).messages.get(at.thread);
  drawMessages($("thread-messages"), [parent, ...store.replies(at.channel, at.thread)].filter(Boolean), view(true));
}

function openThread(ts) {
  at.thread = ts;
  drawThread();
  writeAddress();
  (ts ? threadComposer : composer).focus();
}

/** follow keeps the newest message in sight while the list changes its size, if it was in sight before. */
function follow(list) {
  let newest = true;
  list.addEventListener("scroll", () => { newest = atNewest(list); });
  new ResizeObserver(() => {
    if (newest) list.scrollTop = list.scrollHeight;
  }).observe(list);
}

function atNewest(list) {
  return list.scrollHeight - list.scrollTop - list.clientHeight < 80;
}

/** changed puts one new or changed message in its places. */
function changed(channel, m) {
  if (channel !== at.channel) {
    unread.add(channel);
    drawChannels();
    return;
  }
  if (isTop(m)) upsert($("messages"), m, store.top(channel), view(false));
  if (at.thread && (m.ts === at.thread || m.thread_ts === at.thread)) {
    const parent = store.channels.get(channel).messages.get(at.thread);
    upsert($("thread-messages"), m, [parent, ...store.replies(channel, at.thread)], view(true));
  }
}

/** upsert keeps the scroll position, unless the person reads the newest message: then it follows. */
function upsert(list, m, messages, how) {
  const following = atNewest(list);
  const i = messages.findIndex((x) => x.ts === m.ts);
  const drawn = message(m, messages[i - 1], how);
  const old = list.querySelector(`[data-ts="${m.ts}"]`);
  if (old) old.replaceWith(drawn);
  else list.append(...[divider(m, messages[i - 1]), drawn].filter(Boolean));
  if (following) list.scrollTop = list.scrollHeight;
}

/** told are the errors that a person already reads in the channel. */
const told = ["dispatch_failed", "operation_timeout", "unknown_command", "not_supported_in_threads", "already_reacted", "no_reaction"];

async function report(outcome) {
  const { error } = await outcome;
  if (error && !told.includes(error)) toast(error === "unreachable" ? "The workspace does not answer." : `That did not work: ${error}`);
  return error;
}

async function say(text, thread_ts) {
  const error = await report(tell("say", { user: at.user, channel: at.channel, text, thread_ts: thread_ts }));
  return !error || told.includes(error);
}

function completions() {
  return {
    commands: () => store.app.commands.flatMap((c) => [
      { text: `${c.name} `, label: `${c.name} ${c.usage_hint}`, note: c.description },
      ...(c.suggestions ?? []).map((s) => ({ text: `${c.name} ${s}` })),
    ]),
    people: () => [...store.people.values()].filter((p) => p.id !== "USLACKBOT").map((p) => ({ match: p.name, label: `@${p.name}`, note: p.real_name })),
  };
}
