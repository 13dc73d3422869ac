// The box in which one types, with completion and with what was sent before.

import { h, iconButton } from "./dom.js";
import { suggest } from "./completion.js";
import { picker, draw } from "./emoji.js";
import { icon } from "./icons.js";
import { panel } from "./menu.js";

/** How many lines a box remembers. */
const remembered = 100;

/** Composer puts a box into place. ask is {store, placeholder, send(text)}; send returns false when the text should
 * come back into the box. */
export class Composer {
  constructor(place, ask) {
    this.ask = ask;
    this.offer = { choices: [] };
    this.at = -1;
    this.sent = [];
    this.back = 0; // how far back in what was sent one has gone
    this.list = h("ul", { class: "completion", role: "listbox", "aria-label": "Suggestions", hidden: true, id: `${place.id}-completion` });
    this.box = h("textarea", {
      rows: 1, "aria-label": "Message", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.list.id,
      spellcheck: "false", autocomplete: "off",
      oninput: () => { this.back = 0; this.typed(); }, onkeydown: (e) => this.key(e), onblur: () => this.close(),
    });
    this.button = iconButton(icon("send"), "Send now", () => this.send(), { class: "send" });
    const emoji = iconButton(icon("smile"), "Emoji", () => this.pick(emoji), { class: "tool", "aria-haspopup": "dialog" });
    place.replaceChildren(this.list, h("div", { class: "box" }, this.box, h("div", { class: "box-tools" },
      emoji, iconButton("@", "Mention someone", () => this.insert("@"), { class: "tool" }), iconButton("/", "Run a command", () => this.command(), { class: "tool" }),
      h("span", { class: "hint" }, h("b", {}, "Shift+Enter"), " for a new line"), this.button)));
    this.place(ask.placeholder);
  }

  place(placeholder) {
    this.box.placeholder = placeholder;
  }

  focus() {
    this.box.focus();
  }

  /** forbid closes the box with the reason why nothing can be written here; with none, it opens again. */
  forbid(reason) {
    this.box.disabled = this.button.disabled = Boolean(reason);
    if (reason) this.place(reason);
  }

  insert(text) {
    this.box.setRangeText(text, this.box.selectionStart, this.box.selectionEnd, "end");
    this.focus();
    this.typed();
  }

  command() {
    if (!this.box.value.startsWith("/")) this.box.setRangeText("/", 0, 0, "end");
    this.box.selectionStart = this.box.value.length;
    this.focus();
    this.typed();
  }

  pick(anchor) {
    const close = panel(anchor, h("div", { class: "picker" }, picker.map((n) => h("button", {
      type: "button", class: "emoji", title: `:${n}:`, "aria-label": n.replaceAll("_", " "), onclick: () => { close(); this.insert(`:${n}: `); },
    }, draw(n)))), { label: "Pick an emoji", above: true });
  }

  typed() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 240)}px`;
    this.button.classList.toggle("ready", this.box.value.trim() !== "");
    this.offer = suggest(this.box.value.slice(0, this.box.selectionStart), this.ask.store);
    this.at = this.offer.first && this.offer.choices.length ? 0 : -1;
    this.drawChoices();
  }

  drawChoices() {
    const { choices } = this.offer;
    this.list.hidden = choices.length === 0;
    this.box.setAttribute("aria-expanded", String(choices.length > 0));
    this.box.removeAttribute("aria-activedescendant");
    this.list.replaceChildren(...choices.map((c, i) => h("li", {
      role: "option", id: `${this.list.id}-${i}`, "aria-selected": String(i === this.at), class: i === this.at ? "chosen" : null,
      onmousedown: (e) => { e.preventDefault(); this.take(i); },
    }, c.picture, h("b", {}, c.label), c.marks, c.hint && h("code", {}, c.hint), h("span", { class: "soft" }, c.note ?? ""))));
    if (this.at < 0) return;
    this.box.setAttribute("aria-activedescendant", `${this.list.id}-${this.at}`);
    this.list.children[this.at].scrollIntoView({ block: "nearest" });
  }

  take(i) {
    this.box.setRangeText(this.offer.choices[i].text, this.offer.from, this.box.selectionStart, "end");
    this.focus();
    this.typed();
  }

  close() {
    this.offer = { choices: [] };
    this.at = -1;
    this.drawChoices();
  }

  key(e) {
    if (e.isComposing) return;
    const n = this.offer.choices.length;
    const does = n > 0 ? this.offering(e, n) : this.plain(e);
    if (!does) return;
    e.preventDefault();
    e.stopPropagation();
    does();
  }

  offering(e, n) {
    const move = (to) => () => { this.at = to; this.drawChoices(); };
    switch (e.key) {
      case "ArrowDown": return move((this.at + 1) % n);
      case "ArrowUp": return move((this.at < 0 ? n : this.at + n) - 1);
      case "Tab": return () => this.take(Math.max(this.at, 0));
      case "Escape": return () => this.close();
      case "Enter": if (this.at >= 0 && !e.shiftKey) return () => this.take(this.at);
    }
    return this.plain(e);
  }

  plain(e) {
    if (e.key === "Enter" && !e.shiftKey) return () => this.send();
    const old = this.back > 0 || this.box.value === "";
    if (e.key === "ArrowUp" && old && this.back < this.sent.length) return () => this.recall(this.back + 1);
    if (e.key === "ArrowDown" && this.back > 0) return () => this.recall(this.back - 1);
    return null;
  }

  recall(back) {
    this.back = back;
    this.fill(back ? this.sent.at(-back) : "");
    this.close();
  }

  fill(text) {
    this.box.value = text;
    this.typed();
  }

  async send() {
    const text = this.box.value.trim();
    if (!text) return;
    this.back = 0;
    this.fill("");
    if (this.sent.at(-1) !== text) this.sent = [...this.sent, text].slice(-remembered);
    if ((await this.ask.send(text)) !== false || this.box.value) return;
    this.fill(text);
    this.close();
  }
}
