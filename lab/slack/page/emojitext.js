// plain_text objects: words with their line breaks, and with :emoji: unless they say that they want none.

import { plain } from "./dom.js";
import { emojiNode } from "./mrkdwn.js";

/** emojiText draws a plain_text object. */
export function emojiText(object) {
  if (object.emoji === false) return plain(object.text);
  return object.text.split(/:([a-z0-9_+'-]+):/).flatMap((part, i) => (i % 2 ? [emojiNode(part)] : plain(part)));
}
