// The only way this page makes elements. Text is always set as text, never parsed as markup: messages are untrusted.

/** h makes an element. Keys with "on" are listeners, "data" is a dataset, all others attributes; null and false are left out. */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "data") Object.assign(element.dataset, value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return element;
}

/** link makes a link to an address of the web; anything else becomes plain text. */
export function link(address, label) {
  let url;
  try {
    url = new URL(address);
  } catch {
    return document.createTextNode(label);
  }
  if (!["http:", "https:", "mailto:"].includes(url.protocol)) return document.createTextNode(label);
  return h("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, label);
}

/** unescape undoes the three entities of Slack's text. */
export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** clock is the time of day of a ts, and full the whole date. */
export function clock(ts) {
  return date(ts).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

export function full(ts) {
  return date(ts).toLocaleString([], { dateStyle: "full", timeStyle: "medium" });
}

export function date(ts) {
  return new Date(Number(ts) * 1000);
}

/** toast shows one line for a while. */
export function toast(text) {
  const box = document.getElementById("toast");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => { box.hidden = true; }, 6000);
}
