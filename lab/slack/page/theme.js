// Light or dark: as the system says, until the person chooses.

import { icon } from "./icons.js";

const next = { auto: "light", light: "dark", dark: "auto" };
const pictures = { auto: "half", light: "sun", dark: "moon" };

/** theme makes the button that goes round: as the system, light, dark. */
export function theme(button) {
  let chosen = localStorage.getItem("theme") ?? "auto";
  const draw = () => {
    if (chosen === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = chosen;
    button.title = `Colours: ${chosen === "auto" ? "as the system" : chosen}`;
    button.setAttribute("aria-label", button.title);
    button.replaceChildren(icon(pictures[chosen]));
  };
  button.addEventListener("click", () => {
    chosen = next[chosen];
    localStorage.setItem("theme", chosen);
    draw();
  });
  draw();
}
