// The box in which one types, with completion of commands and of people.

import { h } from "./dom.js";

/** Composer puts a box into place. ask is {placeholder, commands(), people(), send(text)}; send returns false when the
 * text should come back into the box. */
export class Composer {
  constructor(place, ask) {
    this.ask = ask;
    this.choices = [];
    this.at = -1;
    this.list = h("ul", { class: "completion", role: "listbox", hidden: true, id: `${place.id}-completion` });
    this.box = h("textarea", {
      rows: 1, "aria-label": "Message", "aria-controls": this.list.id, spellcheck: "false", autocomplete: "off",
      oninput: () => this.typed(), onkeydown: (e) => this.key(e), onblur: () => this.close(),
    });
    this.button = h("button", { type: "button", class: "send", title: "Send", "aria-label": "Send", onclick: () => this.send() }, "➤");
    place.replaceChildren(this.list, h("div", { class: "box" }, this.box, this.button),
      h("p", { class: "hint" }, h("b", {}, "Enter"), " sends, ", h("b", {}, "Shift+Enter"), " starts a new line, ", h("b", {}, "Tab"), " completes"));
    this.place(ask.placeholder);
  }

  place(placeholder) {
    this.box.placeholder = placeholder;
  }

  focus() {
    this.box.focus();
  }

  typed() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 200)}px`;
    this.button.classList.toggle("ready", this.box.value.trim() !== "");
    this.suggest();
  }

  /** suggest fills the list from what stands in the box: a command, or the beginning of a name. */
  suggest() {
    const { value } = this.box;
    const name = /(^|\s)@([a-z0-9._-]*)$/.exec(value);
    if (value.startsWith("/")) this.choices = this.ask.commands().filter((c) => c.text.startsWith(value) && c.text !== value);
    else if (name) this.choices = this.ask.people().filter((p) => p.match.startsWith(name[2])).map((p) => ({ ...p, text: `${value.slice(0, value.length - name[2].length)}${p.match} ` }));
    else this.choices = [];
    this.choices = this.choices.slice(0, 8);
    this.at = -1;
    this.drawChoices();
  }

  drawChoices() {
    this.list.hidden = this.choices.length === 0;
    this.list.replaceChildren(...this.choices.map((c, i) => h("li", {
      role: "option", "aria-selected": String(i === this.at), class: i === this.at ? "chosen" : null,
      onmousedown: (e) => { e.preventDefault(); this.take(i); },
    }, h("b", {}, c.label ?? c.text), h("span", {}, c.note ?? ""))));
    if (this.at >= 0) this.list.children[this.at].scrollIntoView({ block: "nearest" });
  }

  take(i) {
    this.box.value = this.choices[i].text;
    this.focus();
    this.typed();
  }

  close() {
    this.choices = [];
    this.at = -1;
    this.drawChoices();
  }

  key(e) {
    if (e.isComposing) return;
    const open = this.choices.length > 0;
    if (open && (e.key === "ArrowDown" || e.key === "ArrowUp")) {
      e.preventDefault();
      const n = this.choices.length;
      this.at = e.key === "ArrowDown" ? (this.at + 1) % n : (this.at + n - (this.at < 0 ? 0 : 1)) % n;
      this.drawChoices();
    } else if (open && e.key === "Tab") {
      e.preventDefault();
      this.take(Math.max(this.at, 0));
    } else if (open && e.key === "Escape") {
      this.close();
    } else if (e.key === "Enter" && !e.shiftKey) {
      e.preventDefault();
      if (this.at >= 0) this.take(this.at);
      else this.send();
    }
  }

  async send() {
    const text = this.box.value.trim();
    if (!text) return;
    this.box.value = "";
    this.typed();
    if ((await this.ask.send(text)) === false && !this.box.value) {
      this.box.value = text;
      this.typed();
    }
  }
}
