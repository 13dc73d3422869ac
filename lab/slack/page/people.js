// People as they are shown: a face, a name with what one must know of them, a card.

import { h } from "./dom.js";
import { panel } from "./menu.js";

/** badges are the marks beside a name. */
export function badges(person, team) {
  return marks(person, team).map(([kind, text]) => h("span", { class: `badge ${kind}` }, text));
}

function marks(person, team) {
  const all = [];
  if (person.is_bot) all.push(["app", "APP"]);
  if (person.deleted) all.push(["gone", "deactivated"]);
  if (person.is_ultra_restricted) all.push(["guest", "single-channel guest"]);
  else if (person.is_restricted) all.push(["guest", "guest"]);
  if (isExternal(person, team)) all.push(["external", "external"]);
  return all;
}

/** isExternal reports whether a person belongs to another organisation. */
export function isExternal(person, team) {
  return Boolean(person.is_stranger) || Boolean(person.team_id && team.id && person.team_id !== team.id);
}

/** avatar is the face of a person: the app's picture, or initials on a colour. */
export function avatar(person, store) {
  if (person.id === store.app.user_id) return h("img", { class: "avatar", src: "/page/icon.svg", alt: "" });
  const initials = person.real_name.split(/\s+/).map((w) => w[0]).slice(0, 2).join("").toUpperCase();
  const hue = [...person.id].reduce((sum, c) => sum + c.charCodeAt(0), 0) % 6;
  return h("span", { class: `avatar hue-${hue}${person.deleted ? " faded" : ""}`, "aria-hidden": "true" }, initials);
}

/** name is the name above a message; it opens the person's card. */
export function name(person, store) {
  const b = h("button", { type: "button", class: "name", onclick: () => card(b, person, store) }, person.real_name);
  return b;
}

function card(anchor, person, store) {
  const local = person.tz && new Date().toLocaleTimeString([], { timeZone: person.tz, hour: "numeric", minute: "2-digit" });
  const rows = [["Title", person.title], ["Local time", local && `${local} (${person.tz})`], ["Language", person.locale], ["Member ID", person.id],
    ["Organisation", isExternal(person, store.team) ? person.team_id : store.team.name]];
  panel(anchor, h("div", { class: "card" },
    h("div", { class: "card-head" }, avatar(person, store), h("div", {}, h("b", {}, person.real_name), " ", badges(person, store.team), h("p", { class: "soft" }, `@${person.name ?? ""}`))),
    h("dl", {}, rows.filter(([, v]) => v).map(([k, v]) => [h("dt", {}, k), h("dd", {}, v)]))), { label: `About ${person.real_name}` });
}
