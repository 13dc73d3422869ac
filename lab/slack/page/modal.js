// The modals that the app opened for this person: a stack, of which the topmost is seen.

import { h, iconButton } from "./dom.js";
import { icon } from "./icons.js";
import { blocks } from "./blocks.js";
import { Form } from "./form.js";

/** Modals keeps the dialog in step with the stack. act(view, element, value, values) and tell(what, body) speak to the server. */
export class Modals {
  constructor(store, speak) {
    this.store = store;
    this.speak = speak;
    this.forms = new Map();
    this.busy = false;
    this.trouble = "";
  }

  /** show draws the stack; nothing moves when it is the same as before. */
  show(stack) {
    const top = stack.at(-1);
    for (const id of this.forms.keys()) {
      if (!stack.some((v) => v.id === id)) this.forms.delete(id);
    }
    if (!top) return this.gone();
    const mark = `${top.id}/${top.hash}/${stack.length}`;
    if (mark === this.mark) return;
    this.mark = mark;
    this.stack = stack;
    this.trouble = "";
    this.draw(top);
  }

  gone() {
    this.mark = "";
    this.dialog?.close();
    this.dialog?.remove();
    this.dialog = null;
  }

  form(view) {
    if (!this.forms.has(view.id)) this.forms.set(view.id, new Form());
    return this.forms.get(view.id);
  }

  draw(view) {
    if (!this.dialog) this.open();
    if (!this.dialog.open) this.dialog.showModal(); // a browser may close it whatever the page says to an Escape
    const focused = document.activeElement?.id;
    const scroll = this.dialog.querySelector(".modal-body")?.scrollTop ?? 0;
    const fresh = this.drawn !== view.id;
    this.drawn = view.id;
    this.dialog.replaceChildren(this.head(view), this.body(view), this.foot(view));
    this.dialog.querySelector(".modal-body").scrollTop = fresh ? 0 : scroll;
    const next = (!fresh && focused && document.getElementById(focused)) || this.first();
    next.focus();
  }

  open() {
    this.dialog = h("dialog", {
      class: "modal", "aria-labelledby": "modal-title",
      oncancel: (e) => { e.preventDefault(); this.close(this.stack.at(-1)); },
    });
    document.body.append(this.dialog);
  }

  first() {
    return this.dialog.querySelector(".input.wrong :is(input, textarea, select, button), .modal-body :is([autofocus], input, textarea, select)")
      ?? this.dialog.querySelector(".modal-foot .primary, .modal-foot .button, .modal-close");
  }

  head(view) {
    return h("header", { class: "modal-head" },
      this.stack.length > 1 ? iconButton(icon("back"), "Back", () => this.close(view), { class: "modal-close" }) : h("img", { class: "avatar", src: "/page/icon.svg", alt: "" }),
      h("h2", { id: "modal-title" }, view.title?.text ?? ""),
      iconButton(icon("close"), "Close", () => this.closeAll(), { class: "modal-close" }));
  }

  body(view) {
    const form = this.form(view);
    const at = {
      names: this.store.names, store: this.store, key: view.id, expanded: this.store.expanded,
      act: (e, value) => this.speak.act(view, e, value, form.filled(view.blocks)), values: (b, e) => form.value(b, e),
      input: (b) => form.input(b, at, () => this.submit(view)),
    };
    return h("div", { class: "modal-body", tabindex: "-1" }, this.trouble && h("p", { class: "alert", role: "alert" }, icon("warning"), this.trouble), blocks(view.blocks, at));
  }

  foot(view) {
    const submit = view.submit && h("button", {
      type: "button", class: `button primary${this.busy ? " busy" : ""}`, "aria-busy": String(this.busy), onclick: () => this.submit(view),
    }, view.submit.text);
    return h("footer", { class: "modal-foot" },
      h("span", { class: "soft" }, this.store.app.name),
      h("button", { type: "button", class: "button", onclick: () => this.close(view) }, view.close?.text ?? (view.submit ? "Cancel" : "Close")), submit);
  }

  async submit(view) {
    if (this.busy) return;
    const form = this.form(view);
    if (!form.check(view.blocks)) {
      this.draw(view);
      return;
    }
    this.busy = true;
    this.trouble = "";
    this.draw(view);
    const outcome = await this.speak.tell("submit", { view_id: view.id, values: form.filled(view.blocks) });
    this.busy = false;
    form.errors = outcome.errors ?? {};
    if (outcome.error) this.trouble = "We had some trouble connecting. Try again?";
    const top = this.stack?.at(-1);
    if (this.dialog && top) this.draw(top);
  }

  close(view) {
    return this.speak.tell("close", { view_id: view.id });
  }

  closeAll() {
    return this.speak.tell("close", { view_id: this.stack.at(-1).id, all: true });
  }
}
