// Pictures and files. The page may load nothing but its own workspace's files: a picture from elsewhere is named, not fetched.

import { h, link } from "./dom.js";
import { icon } from "./icons.js";

/** picture draws an image block or element; kind "inline" is that of a context. */
export function picture(image, at, kind = "") {
  const src = source(image);
  if (src) return h("img", { class: `picture ${kind}`, src, alt: image.alt_text ?? "" });
  if (kind === "inline") return h("span", { class: "picture-name", title: image.image_url }, icon("image"), image.alt_text);
  return h("p", { class: "picture-away" }, icon("image"), h("span", {}, image.alt_text),
    image.image_url && link(image.image_url, host(image.image_url)));
}

function host(target) {
  return URL.canParse(target) ? new URL(target).host : "";
}

/** source is where the workspace itself keeps the picture, or nothing. */
function source(image) {
  const id = image.slack_file?.id ?? /\/files\/(F\w+)\//.exec(image.slack_file?.url ?? own(image.image_url))?.[1];
  return id && `/pictures/${id}`;
}

function own(target) {
  return target && URL.canParse(target) && new URL(target).origin === location.origin ? target : "";
}

/** file draws a file of a message: its name and size, and what can be seen of it. */
export function file(f, at) {
  const name = f.title || f.name;
  return h("div", { class: "file", data: { file: f.id } },
    h("div", { class: "file-head" }, h("span", { class: `file-kind ${kindOf(f)}` }, icon(kindOf(f))),
      h("div", { class: "file-words" }, h("a", { class: "file-name", href: f.url_private, download: f.name }, name),
        h("p", { class: "soft" }, [name === f.name ? "" : f.name, label(f), size(f.size)].filter(Boolean).join(" · ")))),
    kindOf(f) === "image" ? h("img", { class: "picture", src: `/pictures/${f.id}`, alt: name }) : preview(f, at));
}

function kindOf(f) {
  return /^image\/(png|jpeg|gif|webp)$/.test(f.mimetype ?? "") ? "image" : "file";
}

function label(f) {
  return { "application/json": "JSON", "image/png": "PNG", "image/jpeg": "JPEG" }[f.mimetype] ?? (f.mimetype?.startsWith("text/") ? "Plain text" : "");
}

/** The lines of a file that are seen before one asks for the rest. */
const previewLines = 6;

function preview(f, at) {
  if (!f.preview) return null;
  const all = f.preview.split("\n");
  const cut = new TextEncoder().encode(f.preview).length < f.size;
  const words = h("pre", { class: "code" });
  if (all.length <= previewLines) {
    words.textContent = f.preview;
    return words;
  }
  const toggle = h("button", { type: "button", class: "fold", onclick: () => show(!at.expanded.has(f.id)) });
  const show = (open) => {
    if (open) at.expanded.add(f.id);
    else at.expanded.delete(f.id);
    words.textContent = (open ? all : all.slice(0, previewLines)).join("\n");
    toggle.textContent = open ? "Collapse" : cut ? "Expand the beginning" : `Expand (${all.length} lines)`;
    toggle.setAttribute("aria-expanded", String(open));
  };
  show(at.expanded.has(f.id));
  return [words, toggle];
}

/** size is a number of bytes for people. */
export function size(n) {
  if (n < 1024) return `${n} B`;
  return n < 1024 * 1024 ? `${(n / 1024).toFixed(1)} kB` : `${(n / 1024 / 1024).toFixed(1)} MB`;
}
