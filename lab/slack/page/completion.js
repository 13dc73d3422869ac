// What the composer offers while one types: commands, people, user groups, channels, emoji.

import { h } from "./dom.js";
import { draw, search } from "./emoji.js";
import { avatar, badges } from "./people.js";
import { icon } from "./icons.js";

const most = { commands: 16, others: 8 };

/** suggest returns {from, choices, first} for what stands before the caret: choices replace the text from there on,
 * each {text, label, note, picture}; first says that the first is chosen already. */
export function suggest(before, store) {
  if (before.startsWith("/")) return { from: 0, choices: commands(before, store).slice(0, most.commands), first: false };
  const word = /(?:^|[\s(])([@#:])([\w.+-]*)$/.exec(before);
  if (!word) return { from: 0, choices: [], first: false };
  const [, sign, typed] = word;
  const choices = { "@": names, "#": channels, ":": emoji }[sign](typed.toLowerCase(), store);
  return { from: before.length - typed.length - 1, choices: choices.slice(0, most.others), first: true };
}

/** commands offers the app's commands, then their words one at a time, then whole lines. */
function commands(before, store) {
  const picture = () => h("img", { class: "avatar tiny", src: "/page/icon.svg", alt: "" });
  return (store.app.commands ?? []).flatMap((c) => {
    const whole = [{ text: `${c.name} `, label: c.name, hint: c.usage_hint, note: c.description, picture: picture() }];
    return before.includes(" ") ? lines(c, before, picture) : whole;
  }).filter((c) => c.text.startsWith(before) && c.text.trimEnd() !== before.trimEnd());
}

/** lines turns suggestions, each a line with its description after " — ", into choices. With only the command typed,
 * lines that begin with the same word are one choice. */
function lines(c, before, picture) {
  const all = (c.suggestions ?? []).map((s) => s.split(" — ")).map(([line, note]) => ({ text: `${c.name} ${line}`, note }));
  const typed = before.split(" ").length;
  if (typed > 2 || before.split(" ")[1]?.length > 2) return all.map((s) => ({ ...s, label: s.text, picture: picture() }));
  const words = Map.groupBy(all, (s) => s.text.split(" ")[1]);
  return [...words].map(([word, with_]) => {
    const rest = with_.map((s) => s.text.split(" ").slice(2).join(" ")).filter(Boolean);
    return {
      text: `${c.name} ${word}${rest.length ? " " : ""}`, label: `${c.name} ${word}`, hint: rest.length ? rest.join(" | ") : "",
      note: with_.find((s) => s.note)?.note, picture: picture(),
    };
  });
}

function names(typed, store) {
  const people = [...store.people.values()].filter((p) => !p.deleted && p.id !== "USLACKBOT")
    .filter((p) => p.name.startsWith(typed) || p.real_name.toLowerCase().split(" ").some((w) => w.startsWith(typed)))
    .map((p) => ({ text: `@${p.name} `, label: p.real_name, note: `@${p.name}`, picture: tiny(avatar(p, store)), marks: badges(p, store.team) }));
  const groups = [...store.groups.values()].filter((g) => g.handle.startsWith(typed))
    .map((g) => ({ text: `@${g.handle} `, label: `@${g.handle}`, note: `${g.name ?? ""} · ${(g.users ?? []).length} members`, picture: icon("thread") }));
  return [...people, ...groups];
}

function tiny(face) {
  face.classList.add("tiny");
  return face;
}

function channels(typed, store) {
  return store.listed.filter((c) => c.name.startsWith(typed) && !c.is_archived)
    .map((c) => ({ text: `#${c.name} `, label: `#${c.name}`, note: c.topic }));
}

function emoji(typed) {
  if (typed.length < 2) return [];
  return search(typed).map((n) => ({ text: `:${n}: `, label: `:${n}:`, picture: h("span", { class: "emoji" }, draw(n)) }));
}
