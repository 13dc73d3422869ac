// What a person has read: the ts of the newest message seen in each channel. It outlives a reload.

import { isTop } from "./store.js";

export class Reads {
  constructor(user) {
    this.key = `read:${user}`;
    this.seen = JSON.parse(localStorage.getItem(this.key) ?? "{}");
  }

  /** begin takes everything that was there before the first visit as read. */
  begin(channels) {
    for (const c of channels) this.seen[c.id] ??= newest(c);
    this.keep();
  }

  read(channel) {
    this.seen[channel.id] = newest(channel);
    this.keep();
  }

  keep() {
    localStorage.setItem(this.key, JSON.stringify(this.seen));
  }

  /** unread are the channel's messages that others wrote since. */
  unread(channel, me) {
    const since = this.seen[channel.id] ?? "0";
    return [...channel.messages.values()].filter((m) => isTop(m) && m.ts > since && m.user !== me);
  }
}

function newest(channel) {
  return [...channel.messages.keys()].reduce((a, b) => (a > b ? a : b), "0");
}
