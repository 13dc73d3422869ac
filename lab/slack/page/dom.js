// The only way this page makes elements. Text is always set as text, never parsed as markup: messages are untrusted.

/** h makes an element. Keys with "on" are listeners, "data" is a dataset, all others attributes; null and false are left out. */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** svg makes an element of a drawing. */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

function fill(element, props, children) {
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(element.dataset, value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

/** button makes a button that shows an icon and says its label to those who cannot see it. */
export function iconButton(picture, label, onclick, props = {}) {
  return h("button", { type: "button", title: label, "aria-label": label, onclick, ...props }, picture);
}

/** address is an address of the web, or undefined: no other kind is ever followed. */
export function address(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return undefined;
  }
  return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : undefined;
}

/** link makes a link to an address of the web; anything else becomes plain text. */
export function link(target, label) {
  const href = address(target);
  if (!href) return document.createTextNode(label);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, label);
}

/** unescape undoes the three entities of Slack's text. */
export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** clock is the time of day of a ts, and full the whole date. */
export function clock(ts) {
  return date(ts).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
}

export function full(ts) {
  return date(ts).toLocaleString([], { dateStyle: "full", timeStyle: "medium" });
}

export function date(ts) {
  return new Date(Number(ts) * 1000);
}

/** day is what people call the day of d: Today, Yesterday, or its date. */
export function day(d) {
  const ago = Math.round((midnight(new Date()) - midnight(d)) / 86400e3);
  if (ago === 0) return "Today";
  if (ago === 1) return "Yesterday";
  return d.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

function midnight(d) {
  return new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
}

/** plain draws text with its line breaks. */
export function plain(value) {
  return value.split("\n").flatMap((l, i) => (i ? [h("br"), l] : [l]));
}

/** toast shows one line for a while. */
export function toast(text) {
  const box = document.getElementById("toast");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.hidden = true; }, 6000);
}
