// What this page knows: the workspace as one person sees it, kept current by the server's stream.

/** Store tells its listener what changed: ("all"), ("message", channel, message), ("removed", channel, message),
 * ("link"), ("online", yes). */
export class Store {
  constructor(listener) {
    this.listener = listener;
    this.team = {};
    this.app = { commands: [] };
    this.people = new Map();
    this.channels = new Map();
    this.connections = 0;
  }

  /** follow opens the stream as user, and closes the one before. */
  follow(user) {
    this.source?.close();
    this.me = user;
    this.source = new EventSource(`/lab/stream?user=${encodeURIComponent(user)}`);
    this.source.addEventListener("snapshot", (e) => this.replace(JSON.parse(e.data)));
    this.source.addEventListener("change", (e) => this.change(JSON.parse(e.data)));
    this.source.addEventListener("error", () => this.listener("online", false));
  }

  replace(snapshot) {
    this.team = snapshot.team;
    this.app = snapshot.app;
    this.connections = snapshot.connections;
    this.people = new Map(snapshot.people.map((p) => [p.id, p]));
    this.channels = new Map(snapshot.channels.map((c) => [c.id, { ...c, messages: new Map(c.messages.map((m) => [m.ts, m])) }]));
    this.listener("online", true);
    this.listener("all");
  }

  change(c) {
    if (c.kind === "link") {
      this.connections = c.connections ?? 0;
      this.listener("link");
      return;
    }
    if (c.kind === "channel") {
      const messages = this.channels.get(c.channel)?.messages ?? new Map();
      this.channels.set(c.channel, { ...c.conversation, messages });
      this.listener("channel", c.channel);
      return;
    }
    const { messages } = this.channels.get(c.channel);
    if (c.kind === "removed") messages.delete(c.message.ts);
    else messages.set(c.message.ts, c.message);
    this.listener(c.kind, c.channel, c.message);
  }

  /** names is what mrkdwn asks. */
  get names() {
    return {
      me: this.me,
      user: (id) => this.people.get(id)?.real_name,
      channel: (id) => this.channels.get(id)?.name,
    };
  }

  /** top are the messages of the channel itself, replies those of one thread. */
  top(channel) {
    return [...this.channels.get(channel).messages.values()].filter((m) => isTop(m));
  }

  replies(channel, thread) {
    return [...this.channels.get(channel).messages.values()].filter((m) => m.thread_ts === thread && m.ts !== thread);
  }
}

export function isTop(m) {
  return !m.thread_ts || m.thread_ts === m.ts || m.subtype === "thread_broadcast";
}

/** tell posts what the person does, and returns the outcome. */
export async function tell(what, body) {
  try {
    const answer = await fetch(`/lab/${what}`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
    });
    return await answer.json();
  } catch {
    return { error: "unreachable" };
  }
}
