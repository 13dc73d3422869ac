// The page: which person, which conversation, which thread; everything else is drawn from the store.

import { h, plain, toast } from "./dom.js";
import { icon } from "./icons.js";
import { Store, tell, isTop, direct } from "./store.js";
import { Reads } from "./reads.js";
import { List } from "./list.js";
import { Composer } from "./composer.js";
import { Modals } from "./modal.js";
import { count, fresh } from "./message.js";
import { home, about } from "./home.js";
import { theme } from "./theme.js";
import * as sidebar from "./sidebar.js";

const $ = (id) => document.getElementById(id);

/** at is where the person is. It lives in the address, so that a reload comes back to the same place. */
const at = readAddress();
const store = new Store(heard);
const list = new List($("messages"));
const threadList = new List($("thread-messages"));
const composer = new Composer($("composer"), { store, placeholder: "", send: (text) => say(text, "") });
const threadComposer = new Composer($("thread-composer"), { store, placeholder: "Reply…", send: (text) => say(text, at.thread) });
const modals = new Modals(store, {
  act: actInView,
  tell: (what, body) => tell(what, { user: at.user, ...body }),
});
let reads = new Reads("");
let newFrom = ""; // the ts of the first message that was new when the person came

start();

async function start() {
  theme($("theme"));
  $("thread-close").append(icon("close"));
  $("thread-close").addEventListener("click", () => openThread(""));
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape" && !$("thread").hidden && !document.querySelector("dialog[open], [popover]:popover-open")) openThread("");
  });
  const people = (await (await fetch("/lab/state")).json()).people.filter((p) => !p.is_bot && p.id !== "USLACKBOT");
  become((people.find((p) => p.id === at.user || p.name === at.user) ?? people[0]).id);
}

function readAddress() {
  const query = new URLSearchParams(location.search);
  const archive = /^\/archives\/([^/]+)\/p(\d+)(\d{6})$/.exec(location.pathname);
  return {
    user: query.get("user") ?? localStorage.getItem("user") ?? "",
    channel: archive?.[1] ?? query.get("channel") ?? "",
    tab: query.get("tab") ?? "messages",
    thread: query.get("thread") ?? query.get("thread_ts") ?? "",
    highlight: archive ? `${archive[2]}.${archive[3]}` : "",
  };
}

function writeAddress() {
  const query = new URLSearchParams({ user: store.person(at.user).name ?? at.user, channel: at.channel === direct ? direct : here().name });
  if (at.channel === direct) query.set("tab", at.tab);
  if (at.thread) query.set("thread", at.thread);
  history.replaceState(null, "", `/?${query}`);
}

function become(user) {
  at.user = user;
  newFrom = "";
  reads = new Reads(user);
  localStorage.setItem("user", user);
  store.follow(user);
}

/** here is the conversation one is in. */
function here() {
  return store.conversation(at.channel);
}

/** id is what the server calls the conversation one is in. */
function id() {
  if (at.channel !== direct) return at.channel;
  return store.directMessages?.id ?? `@${store.person(store.app.user_id).name}`;
}

/** heard is the store telling of a change. */
function heard(kind, channel, m) {
  const does = {
    online: () => { $("offline").hidden = channel; },
    link: () => drawSides(),
    views: () => modals.show(store.views),
    home: () => drawAppView(),
    channel: () => arrive(),
    person: () => drawAll(),
    all: () => arrive(),
    removed: () => drawAll(),
    message: () => changed(channel, m),
  };
  does[kind]();
}

/** arrive finds the conversation that the address names, then draws everything. */
function arrive() {
  reads.begin(store.channels.values());
  const wanted = at.channel === direct || store.channels.get(at.channel)?.is_im ? { id: direct }
    : store.listed.find((c) => c.id === at.channel || c.name === at.channel) ?? store.listed[0];
  if (wanted.id === direct && at.channel !== direct) at.channel = direct;
  if (wanted.id !== at.channel) enter(wanted.id);
  if (at.thread && !here().messages.has(at.thread)) at.thread = "";
  drawAll();
  modals.show(store.views);
  if (at.channel === direct && at.tab === "home" && !at.opened) openTab("home");
  if (at.highlight) highlight();
}

function highlight() {
  const found = document.querySelector(`[data-ts="${at.highlight}"]`);
  found?.scrollIntoView({ block: "center" });
  found?.classList.add("highlight");
  at.highlight = "";
}

/** enter comes into a conversation: what is new in it is marked, and read from then on. */
function enter(channel) {
  at.channel = channel;
  newFrom = reads.unread(here(), at.user)[0]?.ts ?? "";
  reads.read(here());
}

function goTo(channel) {
  enter(channel);
  at.thread = "";
  at.opened = false;
  list.newest = true;
  drawAll();
  if (channel === direct) openTab(at.tab);
  else composer.focus();
}

function drawAll() {
  document.title = `${title()} · ${store.team.name}`;
  $("team").textContent = store.team.name;
  drawSides();
  drawHead();
  drawAppView();
  list.draw(store.top(at.channel), view(false), [intro()], (m) => m.ts === newFrom && fresh());
  drawThread();
  writeAddress();
}

function title() {
  return here().is_im ? store.app.name : `#${here().name}`;
}

function drawSides() {
  const unread = (c) => reads.unread(c, at.user);
  $("channels").replaceChildren(...sidebar.channels(store, at.channel, goTo, unread));
  $("apps").replaceChildren(sidebar.apps(store, at.channel, goTo, unread));
  $("who").replaceChildren(sidebar.who(store, become));
}

function drawHead() {
  const c = here();
  $("channel-name").replaceChildren(...(c.is_im ? [h("img", { class: "avatar small", src: "/page/icon.svg", alt: "" }), store.app.name]
    : [h("span", { class: "hash" }, sidebar.channelSign(c)), c.name]));
  $("channel-topic").textContent = c.is_im ? "" : c.topic ?? "";
  $("channel-members").replaceChildren(...(c.is_im ? [] : [c.is_ext_shared && h("span", { class: "badge external" }, "shared with another organisation"),
    h("span", { class: "soft" }, `${(c.members ?? []).length} members`)].filter(Boolean)));
  const closed = forbidden(c);
  composer.place(c.is_im ? `Message ${store.app.name}` : `Message #${c.name}`);
  composer.forbid(closed);
  threadComposer.place("Reply…");
  threadComposer.forbid(closed);
}

/** forbidden is why this person cannot write here, or nothing. */
function forbidden(c) {
  const me = store.person(at.user);
  if (me.deleted) return "This account is deactivated: it can only look.";
  if (c.is_archived) return `You are viewing #${c.name}, an archived channel.`;
  if (!c.is_im && !c.members?.includes(me.id)) return `You are not in #${c.name}: you can only look.`;
  return c.is_im && store.app.app_home?.messages_tab_read_only_enabled ? "Sending messages to this app has been turned off." : "";
}

/** drawAppView draws the app's tabs, and the one that is open. */
function drawAppView() {
  const inApp = at.channel === direct;
  const tab = inApp ? at.tab : "messages";
  $("tabs").hidden = !inApp;
  const tabs = [["home", "Home", store.app.app_home?.home_tab_enabled ?? true], ["messages", "Messages", store.app.app_home?.messages_tab_enabled ?? true], ["about", "About", true]];
  $("tabs").replaceChildren(...tabs.filter(([, , there]) => there).map(([name, label]) => h("button", {
    type: "button", role: "tab", id: `tab-${name}`, "aria-selected": String(tab === name), data: { tab: name }, onclick: () => openTab(name),
  }, label)));
  $("app-view").hidden = tab === "messages";
  $("messages").hidden = $("composer").hidden = tab !== "messages";
  if (tab === "home") $("app-view").replaceChildren(home(store, actInView));
  if (tab === "about") $("app-view").replaceChildren(about(store));
}

/** openTab shows a tab of the app, and tells the app that it was opened. */
function openTab(tab) {
  at.tab = tab;
  at.opened = true;
  drawAppView();
  writeAddress();
  if (tab === "messages") {
    list.end();
    composer.focus();
  }
  if (tab !== "about") tell("home", { user: at.user, tab });
}

function view(inThread) {
  const doing = (what, m, more) => tell(what, { user: at.user, channel: id(), ts: m.ts, ...more });
  return {
    store, inThread, open: openThread,
    react: (m, reaction, remove) => report(doing("react", m, { reaction, remove: Boolean(remove) })),
    act: (m, e, value) => failure(doing("click", m, { action_id: e.action_id, value })),
    shortcut: (m, callback_id) => report(doing("shortcut", m, { callback_id })),
    copy: (m) => copy(m),
  };
}

async function copy(m) {
  const link = `${location.origin}/archives/${id()}/p${m.ts.replace(".", "")}`;
  try {
    await navigator.clipboard.writeText(link);
    toast("Link copied.");
  } catch {
    toast(link);
  }
}

function actInView(v, e, value, values) {
  return failure(tell("click", { user: at.user, view_id: v.id, action_id: e.action_id, value, values }));
}

function intro() {
  const c = here();
  if (c.is_im) {
    return h("div", { class: "intro" }, h("img", { class: "avatar big", src: "/page/icon.svg", alt: "" }), h("h3", {}, store.app.name),
      h("p", {}, "This is the very beginning of your direct messages with ", h("b", {}, store.app.name), "."));
  }
  return h("div", { class: "intro" }, h("h3", {}, h("span", { class: "hash" }, sidebar.channelSign(c)), c.name),
    h("p", {}, plain(`This is the very beginning of the #${c.name} channel. Type `), h("code", {}, "/"), " for commands, or mention ", h("b", {}, `@${store.person(store.app.user_id).name}`), "."));
}

function drawThread() {
  const open = at.thread !== "";
  $("thread").hidden = !open;
  if (!open) return;
  $("thread-channel").textContent = title();
  const parent = here().messages.get(at.thread);
  const replies = store.replies(at.channel, at.thread);
  threadList.draw([parent, ...replies].filter(Boolean), view(true), [], (m, i) => i === 1 && count(replies.filter((r) => !r.is_ephemeral).length));
}

function openThread(ts) {
  at.thread = ts;
  threadList.newest = true;
  drawThread();
  writeAddress();
  (ts ? threadComposer : composer).focus();
}

/** changed puts one new or changed message in its places. */
function changed(channel, m) {
  const open = store.channels.get(channel) === here();
  if (!open) {
    drawSides();
    return;
  }
  reads.read(here());
  if (isTop(m)) list.put(m, store.top(at.channel), view(false));
  if (at.thread && (m.ts === at.thread || m.thread_ts === at.thread)) inThread(m);
}

/** inThread puts a message of the open thread in its place; one that is new changes their count, too. */
function inThread(m) {
  if (!$("thread-messages").querySelector(`[data-ts="${m.ts}"]`)) drawThread();
  else threadList.put(m, [here().messages.get(at.thread), ...store.replies(at.channel, at.thread)], view(true));
}

/** told are the errors that a person already reads in the channel. */
const told = ["dispatch_failed", "operation_timeout", "unknown_command", "not_supported_in_threads", "already_reacted", "no_reaction"];

/** kept are those after which the text stays in the box, for the person to mend. */
const kept = ["unknown_command", "not_supported_in_threads"];

async function report(outcome) {
  const { error } = await outcome;
  if (error && !told.includes(error)) toast(error === "unreachable" ? "The workspace does not answer." : `That did not work: ${error}`);
  return error;
}

/** failure is report for what shows by itself that it failed. */
async function failure(outcome) {
  const { error } = await outcome;
  return error;
}

async function say(text, thread_ts) {
  const error = await report(tell("say", { user: at.user, channel: id(), text, thread_ts }));
  return !error || (told.includes(error) && !kept.includes(error));
}
