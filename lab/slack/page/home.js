// The app's own tabs beside its messages: Home, which the app publishes for each person, and About.

import { h } from "./dom.js";
import { blocks } from "./blocks.js";
import { Form } from "./form.js";

const form = new Form();

/** home draws the view that the app published for this person. */
export function home(store, act) {
  const view = store.home;
  if (!view) {
    return h("div", { class: "home empty" }, h("h3", {}, `This is ${store.app.name}'s Home`),
      h("p", {}, "The app has published nothing here yet."));
  }
  const at = {
    names: store.names, store, key: view.id, expanded: store.expanded, act: (e, value) => act(view, e, value, form.filled(view.blocks)),
    values: (b, e) => form.value(b, e), input: (b) => form.input(b, at, () => {}),
  };
  return h("div", { class: "home body" }, blocks(view.blocks, at));
}

/** about says what the app can do here. */
export function about(store) {
  const { app } = store;
  const shortcuts = store.shortcuts.map((s) => h("li", {}, h("b", {}, s.name), " ", h("span", { class: "soft" }, s.type === "message" ? "on a message" : "anywhere")));
  return h("div", { class: "home about" },
    h("div", { class: "card-head" }, h("img", { class: "avatar big", src: "/page/icon.svg", alt: "" }), h("div", {}, h("h3", {}, app.name), app.description && h("p", {}, app.description),
      h("p", { class: "soft" }, store.reached ? "Connected" : "Not connected"))),
    h("h4", {}, "Commands"),
    h("ul", {}, (app.commands ?? []).map((c) => h("li", {}, h("code", {}, c.name), " ", h("span", { class: "soft" }, c.usage_hint), h("p", {}, c.description)))),
    shortcuts.length > 0 && [h("h4", {}, "Shortcuts"), h("ul", {}, shortcuts)]);
}
