// The page's own small drawings, in the colour of the text around them.

import { svg } from "./dom.js";

const shapes = {
  more: ["M10 4.5v.01M10 10v.01M10 15.5v.01"],
  reply: ["M4 4.5h12a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1H9l-4 3.2v-3.2H4a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1z"],
  smile: ["M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14z", "M7.2 11.6c1.4 2 4.2 2 5.6 0M7.6 8v.01M12.4 8v.01"],
  eye: ["M2.5 10s2.7-5 7.5-5 7.5 5 7.5 5-2.7 5-7.5 5-7.5-5-7.5-5z", "M10 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4z"],
  lock: ["M5 9h10v7.5H5z", "M7 9V6.5a3 3 0 0 1 6 0V9"],
  close: ["M5 5l10 10M15 5L5 15"],
  back: ["M12 4.5L6.5 10l5.5 5.5"],
  send: ["M4 16.5l13-6.5L4 3.5l1.6 5.2L11 10l-5.4 1.3z"],
  down: ["M5 8l5 5 5-5"],
  right: ["M8 5l5 5-5 5"],
  check: ["M4.5 10.5l3.5 3.5 7.5-8"],
  warning: ["M10 3.2L18 16.8H2z", "M10 8.3v3.6M10 14.2v.01"],
  file: ["M5 2.8h6.5L15.5 7v10.2H5z", "M11.5 2.8V7h4"],
  link: ["M8.5 11.5l3-3M9.5 6.2l1.8-1.8a3 3 0 0 1 4.3 4.3l-1.8 1.8M10.5 13.8l-1.8 1.8a3 3 0 0 1-4.3-4.3l1.8-1.8"],
  archive: ["M3 4.5h14v3.5H3z", "M4.5 8v8h11V8M8.5 11h3"],
  shared: ["M7.5 6.5L4 10l3.5 3.5M12.5 6.5L16 10l-3.5 3.5M4 10h12"],
  sun: ["M10 13.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4z", "M10 2.5v1.8M10 15.7v1.8M2.5 10h1.8M15.7 10h1.8M4.7 4.7L6 6M14 14l1.3 1.3M4.7 15.3L6 14M14 6l1.3-1.3"],
  moon: ["M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z"],
  half: ["M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14z", "M10 3.5v13M12 4.5v11M14 6v8"],
  thread: ["M4 6h12M4 10h9M4 14h6"],
  bolt: ["M11 2.8L4.5 11.5h5L9 17.2l6.5-8.7h-5z"],
  image: ["M3.5 4.5h13v11h-13z", "M4 14l4-4 3 3 2-2 3 3M12.5 8v.01"],
};

/** icon draws a shape by its name. */
export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true" }, shapes[name].map((d) => svg("path", { d })));
}
