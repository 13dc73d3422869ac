// The input blocks of a view and what a person has put into them. It outlives a redraw of the view.

import { h } from "./dom.js";
import { control, initial, isSeveral, knows } from "./controls.js";
import { emojiText } from "./emojitext.js";

/** Form holds the values of one view, {block_id: {action_id: value}}, and what is wrong with them, {block_id: text}. */
export class Form {
  constructor() {
    this.values = {};
    this.errors = {};
  }

  value(b, e) {
    return this.values[b.block_id]?.[e.action_id];
  }

  set(b, e, value) {
    (this.values[b.block_id] ??= {})[e.action_id] = value;
  }

  /** input draws an input block; act tells the app of a change where the block asks for that. */
  input(b, at, submit) {
    const e = b.element;
    if (!knows(e)) return h("p", { class: "unknown" }, `(an input of type ${e.type})`);
    const id = `input-${b.block_id}`, note = `note-${b.block_id}`;
    const told = b.dispatch_action && e.type !== "plain_text_input";
    const field = control(e, at, {
      id, value: this.value(b, e), describedBy: note,
      changed: (value) => {
        this.set(b, e, value);
        if (told) at.act(e, value, b);
      },
      entered: () => (b.dispatch_action ? at.act(e, this.value(b, e) ?? initial(e), b) : submit()),
    });
    const label = ["checkboxes", "radio_buttons"].includes(e.type) ? h("p", { class: "label" }, labelOf(b)) : h("label", { class: "label", for: id }, labelOf(b));
    if (label.tagName === "P") field.setAttribute("aria-label", b.label.text);
    return h("div", { class: this.errors[b.block_id] ? "input wrong" : "input", data: { block: b.block_id } }, label, field,
      h("div", { id: note }, this.errors[b.block_id] && h("p", { class: "input-error", role: "alert" }, this.errors[b.block_id]),
        b.hint && h("p", { class: "hint-text" }, emojiText(b.hint))));
  }

  /** check looks for what the person left out or wrote wrongly, as Slack does before it asks the app. */
  check(blocks) {
    this.errors = {};
    for (const b of blocks.filter((x) => x.type === "input")) {
      const problem = wrong(b, b.element, this.value(b, b.element) ?? initial(b.element));
      if (problem) this.errors[b.block_id] = problem;
    }
    return Object.keys(this.errors).length === 0;
  }

  /** filled are the values of all inputs of the blocks, without those left empty. */
  filled(blocks) {
    const all = {};
    for (const b of blocks.filter((x) => x.type === "input")) {
      const value = this.value(b, b.element) ?? initial(b.element);
      if (value.length > 0) all[b.block_id] = { [b.element.action_id]: value };
    }
    return all;
  }
}

function labelOf(b) {
  return [emojiText(b.label), b.optional && h("span", { class: "soft" }, " (optional)")];
}

function wrong(b, e, value) {
  if (value.length === 0) return b.optional ? "" : `Please complete this required field.`;
  if (isSeveral(e)) return "";
  if (e.min_length && value.length < e.min_length) return `Please enter at least ${e.min_length} characters.`;
  if (e.type === "email_text_input" && !/^\S+@\S+\.\S+$/.test(value)) return "Please enter a valid email address.";
  if (e.type === "url_text_input" && !URL.canParse(value)) return "Please enter a valid URL.";
  if (e.type === "number_input") return wrongNumber(e, value);
  return "";
}

function wrongNumber(e, value) {
  const n = Number(value);
  if (Number.isNaN(n) || (!e.is_decimal_allowed && !Number.isInteger(n))) return e.is_decimal_allowed ? "Please enter a number." : "Please enter a whole number.";
  if (e.min_value !== undefined && n < Number(e.min_value)) return `Please enter a number that is at least ${e.min_value}.`;
  if (e.max_value !== undefined && n > Number(e.max_value)) return `Please enter a number that is at most ${e.max_value}.`;
  return "";
}
