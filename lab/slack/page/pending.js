// What the app was told of and has not acknowledged yet. A button keeps its state here, because its message may be
// drawn anew while it waits.

const states = new Map();

/** worn gives a node the state of its key: busy while the app is asked, failed when it did not acknowledge. */
export function worn(key, node) {
  node.dataset.key = key;
  paint(node, states.get(key));
  return node;
}

/** during runs act and shows what becomes of it on every node of the key. */
export async function during(key, act) {
  if (states.get(key) === "busy") return;
  mark(key, "busy");
  const error = await act();
  mark(key, error ? "failed" : "");
}

function mark(key, state) {
  if (state) states.set(key, state);
  else states.delete(key);
  for (const node of document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)) paint(node, state);
}

function paint(node, state) {
  node.classList.toggle("busy", state === "busy");
  node.classList.toggle("failed", state === "failed");
  node.setAttribute("aria-busy", String(state === "busy"));
  if (state === "failed") node.title = "The app did not respond. Try again.";
  else node.removeAttribute("title");
}
