// The left side: channels, the app, and the person one is.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { menu } from "./menu.js";
import { avatar, badges } from "./people.js";
import { direct } from "./store.js";

/** channelSign is what stands before a channel's name. */
export function channelSign(c) {
  if (c.is_private) return icon("lock");
  return c.is_archived ? icon("archive") : "#";
}

/** channels draws the list; at is where the person is, open(id) goes elsewhere, unread(channel) are the new messages. */
export function channels(store, at, open, unread) {
  const order = (c) => (c.is_archived ? 1 : 0);
  return store.listed.toSorted((a, b) => order(a) - order(b)).map((c) => {
    const fresh = c.id === at ? [] : unread(c);
    return row(c.id, at, open, fresh.length > 0 && "unread", { channel: c.name }, [
      h("span", { class: "hash" }, channelSign(c)), h("span", { class: "label" }, c.name),
      c.is_ext_shared && h("span", { class: "shared", title: "Shared with another organisation" }, icon("shared")),
      count(fresh, fresh.some((m) => m.text?.includes(`<@${store.me}`)))]);
  });
}

/** apps draws the app, with its direct messages behind it. */
export function apps(store, at, open, unread) {
  const on = store.reached;
  const conversation = store.directMessages;
  const here = at === direct || at === conversation?.id;
  const fresh = conversation && !here ? unread(conversation) : [];
  return row(direct, here ? direct : at, open, fresh.length > 0 && "unread", { channel: "@app" }, [
    h("img", { class: "avatar tiny", src: "/page/icon.svg", alt: "" }), h("span", { class: "label" }, store.app.name),
    h("span", { class: on ? "dot on" : "dot", title: on ? "The app is connected" : "The app is not connected" }),
    h("span", { class: "state" }, store.overHTTP ? "by HTTP" : on ? "connected" : "not connected"), count(fresh, true)]);
}

function row(id, at, open, kind, data, inside) {
  return h("li", {}, h("button", { type: "button", class: kind || null, "aria-current": id === at ? "page" : null, data, onclick: () => open(id) }, inside));
}

function count(fresh, loud) {
  if (fresh.length === 0) return null;
  return h("span", { class: loud ? "count-badge loud" : "count-badge", "aria-label": `${fresh.length} unread` }, String(fresh.length));
}

/** who draws the person one is, and opens the list of those one can be. */
export function who(store, become) {
  const me = store.person(store.me);
  const button = h("button", {
    type: "button", id: "person", "aria-haspopup": "menu", "aria-label": `You are ${me.real_name}. Be somebody else`, data: { user: me.name ?? "" },
    onclick: () => menu(button, "Be somebody else", candidates(store).map((p) => ({
      label: [p.real_name, " ", badges(p, store.team)], note: p.locale ?? "no locale", name: p.name, checked: p.id === store.me,
      picture: small(avatar(p, store)), run: () => become(p.id),
    })), { above: true }),
  }, small(avatar(me, store)), h("span", { class: "label" }, h("b", {}, me.real_name), h("span", {}, [me.title, me.locale].filter(Boolean).join(" · "))), icon("down"));
  return button;
}

/** candidates are the people one can be: those who could use Slack with their own hands. */
export function candidates(store) {
  return [...store.people.values()].filter((p) => !p.is_bot && p.id !== "USLACKBOT");
}

function small(face) {
  face.classList.add("small");
  return face;
}
