// The elements that hold a value: text boxes, menus, lists of choices, dates. A value is a text, or a list of texts
// where several may be chosen.

import { h } from "./dom.js";
import { menu } from "./menu.js";
import { emojiText } from "./emojitext.js";
import { mrkdwn } from "./mrkdwn.js";

const drawers = {
  plain_text_input: words, number_input: words, url_text_input: words, email_text_input: words,
  static_select: select, users_select: select, conversations_select: select, channels_select: select,
  multi_static_select: several, multi_users_select: several, multi_conversations_select: several, multi_channels_select: several,
  checkboxes: (e, at, how) => list(e, at, how, "checkbox"),
  radio_buttons: (e, at, how) => list(e, at, how, "radio"),
  datepicker: (e, at, how) => moment(e, how, "date"),
  timepicker: (e, at, how) => moment(e, how, "time"),
  datetimepicker: (e, at, how) => moment(e, how, "datetime-local"),
};

/** knows reports whether control can draw the element. */
export function knows(e) {
  return e.type in drawers;
}

/** control draws an element; how is {value, changed(value), entered(), id, describedBy}. */
export function control(e, at, how) {
  const node = drawers[e.type](e, at, { ...how, value: how.value ?? initial(e) });
  node.dataset.action = e.action_id;
  return node;
}

/** initial is the value that an element begins with. */
export function initial(e) {
  const single = e.initial_value ?? e.initial_option?.value ?? e.initial_user ?? e.initial_conversation ?? e.initial_channel
    ?? e.initial_date ?? e.initial_time ?? e.initial_date_time;
  if (!isSeveral(e)) return single === undefined ? "" : String(single);
  return e.initial_options?.map((o) => o.value) ?? e.initial_users ?? e.initial_conversations ?? e.initial_channels ?? [];
}

export function isSeveral(e) {
  return e.type === "checkboxes" || e.type.startsWith("multi_");
}

function words(e, at, how) {
  const props = {
    id: how.id, class: "text-input", placeholder: e.placeholder?.text, maxlength: e.max_length, autocomplete: "off",
    inputmode: { number_input: "decimal", url_text_input: "url", email_text_input: "email" }[e.type],
    autofocus: e.focus_on_load, "aria-describedby": how.describedBy, oninput: () => how.changed(node.value),
    onkeydown: (ev) => {
      if (ev.key !== "Enter" || ev.isComposing || (e.multiline && !ev.ctrlKey && !ev.metaKey)) return;
      ev.preventDefault();
      how.entered?.();
    },
  };
  const node = e.multiline ? h("textarea", { ...props, rows: 4 }) : h("input", { ...props, type: "text" });
  node.value = how.value;
  return node;
}

/** groups are the choices of a menu: [{label, options: [{value, text, note}]}]. */
function groups(e, at) {
  const of = (options) => (options ?? []).map((o) => ({ value: o.value, text: o.text.text, note: o.description?.text }));
  if (e.type.endsWith("users_select")) return [{ options: people(at.store) }];
  if (e.type.endsWith("conversations_select") || e.type.endsWith("channels_select")) return [{ options: channels(at.store) }];
  if (e.option_groups) return e.option_groups.map((g) => ({ label: g.label.text, options: of(g.options) }));
  return [{ options: of(e.options) }];
}

function people(store) {
  return [...store.people.values()].filter((p) => !p.deleted && !p.is_bot && p.id !== "USLACKBOT").map((p) => ({ value: p.id, text: p.real_name, note: `@${p.name}` }));
}

function channels(store) {
  return [...store.channels.values()].filter((c) => !c.is_im && !c.is_archived).map((c) => ({ value: c.id, text: `#${c.name}` }));
}

function select(e, at, how) {
  const label = e.placeholder?.text ?? "Choose an option";
  const option = (o) => h("option", { value: o.value }, o.text);
  const node = h("select", {
    id: how.id, class: "select", "aria-label": how.id ? null : label, "aria-describedby": how.describedBy,
    onchange: () => how.changed(node.value),
  }, h("option", { value: "" }, label),
  groups(e, at).map((g) => (g.label ? h("optgroup", { label: g.label }, g.options.map(option)) : g.options.map(option))));
  node.value = how.value;
  return node;
}

/** several draws a menu in which more than one may be chosen. */
function several(e, at, how) {
  let chosen = [...how.value];
  const all = groups(e, at).flatMap((g) => g.options);
  const node = h("button", {
    type: "button", id: how.id, class: "select several", "aria-haspopup": "menu", "aria-describedby": how.describedBy,
    onclick: () => menu(node, e.placeholder?.text ?? "Choose options", all.map(item)),
  });
  const item = (o) => ({ label: o.text, note: o.note, name: o.value, checked: chosen.includes(o.value), run: () => toggle(o.value) });
  const toggle = (value) => {
    chosen = chosen.includes(value) ? chosen.filter((v) => v !== value) : [...chosen, value].slice(0, e.max_selected_items ?? 100);
    draw();
    how.changed(chosen);
  };
  const draw = () => node.replaceChildren(...(chosen.length
    ? chosen.map((v) => h("span", { class: "token" }, all.find((o) => o.value === v)?.text ?? v))
    : [h("span", { class: "soft" }, e.placeholder?.text ?? "Choose options")]));
  draw();
  return node;
}

function list(e, at, how, type) {
  let chosen = type === "radio" ? [how.value] : [...how.value];
  const name = `choice-${++list.count}`;
  const pick = (value, on) => {
    if (type === "radio") chosen = [value];
    else chosen = on ? [...chosen, value] : chosen.filter((v) => v !== value);
    how.changed(type === "radio" ? value : chosen);
  };
  const words = (t) => (t.type === "mrkdwn" ? mrkdwn(t.text, at.names) : emojiText(t));
  return h("div", { class: "choices", role: type === "radio" ? "radiogroup" : "group", "aria-describedby": how.describedBy }, e.options.map((o) => h("label", {},
    h("input", { type, name, value: o.value, checked: chosen.includes(o.value), onchange: (ev) => pick(o.value, ev.target.checked) }),
    h("span", {}, words(o.text), o.description && h("span", { class: "soft" }, words(o.description))))));
}
list.count = 0;

function moment(e, how, type) {
  const stamp = type === "datetime-local";
  const node = h("input", {
    id: how.id, type, class: "text-input moment", "aria-label": how.id ? null : e.placeholder?.text ?? "Choose", "aria-describedby": how.describedBy,
    onchange: () => how.changed(stamp && node.value ? String(new Date(node.value).getTime() / 1000) : node.value),
  });
  node.value = stamp && how.value ? local(Number(how.value)) : how.value;
  return node;
}

function local(stamp) {
  const d = new Date(stamp * 1000);
  return new Date(d.getTime() - d.getTimezoneOffset() * 60e3).toISOString().slice(0, 16);
}
