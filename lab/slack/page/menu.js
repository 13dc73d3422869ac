// What opens over the page: menus and small panels. They close by themselves when one looks elsewhere, or by Escape.

import { h } from "./dom.js";

/** panel opens content beside anchor, and returns a function that closes it. */
export function panel(anchor, content, { role = "dialog", label = "", kind = "", above = false } = {}) {
  const box = h("div", { class: `panel ${kind}`, popover: "auto", role, "aria-label": label, tabindex: "-1" }, content);
  (anchor.closest("dialog") ?? document.body).append(box);
  box.addEventListener("toggle", (e) => {
    if (e.newState !== "closed") return;
    anchor.setAttribute("aria-expanded", "false");
    box.remove();
  });
  anchor.setAttribute("aria-expanded", "true");
  box.showPopover();
  put(box, anchor.getBoundingClientRect(), above);
  return () => box.hidePopover();
}

/** put places the box under its anchor, or above it where there is more room. */
function put(box, at, above) {
  const width = Math.min(box.offsetWidth, innerWidth - 16);
  const left = at.left + width > innerWidth - 8 ? at.right - width : at.left;
  const under = !above && at.bottom + 4 + box.offsetHeight <= innerHeight - 8;
  const top = under ? at.bottom + 4 : at.top - 4 - box.offsetHeight;
  box.style.left = `${Math.max(8, left)}px`;
  box.style.top = `${Math.max(8, Math.min(top, innerHeight - box.offsetHeight - 8))}px`;
}

/** menu opens a list of items, each {label, note, icon, picture, danger, checked, name, run} or "-" for a line. */
export function menu(anchor, label, items, how = {}) {
  let close = () => {};
  const drawn = items.map((item) => (item === "-" ? h("hr") : entry(item, () => {
    if (!item.stays) close();
    item.run();
  })));
  const list = h("div", { class: "menu-list", onkeydown: (e) => walk(e, list) }, drawn);
  close = panel(anchor, list, { role: "menu", label, ...how });
  list.querySelector("button")?.focus();
  return close;
}

function entry(item, run) {
  const role = item.checked === undefined ? "menuitem" : "menuitemradio";
  return h("button", {
    type: "button", role, class: item.danger ? "danger" : null, "aria-checked": item.checked === undefined ? null : String(item.checked),
    data: item.name === undefined ? {} : { choice: item.name }, onclick: run,
  }, item.picture, h("span", { class: "menu-label" }, item.label), item.note && h("span", { class: "menu-note" }, item.note));
}

const steps = { ArrowDown: (i, n) => (i + 1) % n, ArrowUp: (i, n) => (i + n - 1) % n, Home: () => 0, End: (i, n) => n - 1 };

function walk(e, list) {
  const step = steps[e.key];
  if (!step) return;
  e.preventDefault();
  const all = [...list.querySelectorAll("button")];
  all[step(all.indexOf(document.activeElement), all.length)]?.focus();
}
