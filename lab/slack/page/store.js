// What this page knows: the workspace as one person sees it, kept current by the server's stream.

/** Where the direct messages with the app are written to before there are any. */
export const direct = "@app";

/** Store tells its listener what changed: ("all"), ("message", channel, message), ("removed", channel, message),
 * ("link"), ("views"), ("home"), ("channels"), ("online", yes). */
export class Store {
  constructor(listener) {
    this.listener = listener;
    this.team = {};
    this.app = { commands: [] };
    this.people = new Map();
    this.channels = new Map();
    this.groups = new Map();
    this.views = [];
    this.home = null;
    this.connections = 0;
    this.expanded = new Set();
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
    this.overHTTP = snapshot.delivery?.delivery === "http";
    this.people = new Map(snapshot.people.map((p) => [p.id, p]));
    this.groups = new Map((snapshot.user_groups ?? []).map((g) => [g.id, g]));
    this.channels = new Map(snapshot.channels.map((c) => [c.id, { ...c, messages: new Map(c.messages.map((m) => [m.ts, m])) }]));
    this.views = snapshot.views ?? [];
    this.home = snapshot.homes?.[this.me] ?? null;
    this.listener("online", true);
    this.listener("all");
  }

  change(c) {
    const apply = {
      link: () => { this.connections = c.connections ?? 0; },
      views: () => { this.views = c.views ?? []; },
      home: () => { this.home = c.home ?? null; },
      person: () => { this.people.set(c.person.id, c.person); },
      channel: () => this.changeChannel(c.conversation, c.gone),
      message: () => this.channels.get(c.channel)?.messages.set(c.message.ts, c.message),
      removed: () => this.channels.get(c.channel)?.messages.delete(c.message.ts),
    }[c.kind];
    if (!apply || (c.message && !this.channels.has(c.channel))) return;
    apply();
    this.listener(c.kind, c.channel, c.message);
  }

  changeChannel(channel, gone) {
    if (gone) this.channels.delete(channel.id);
    else this.channels.set(channel.id, { ...channel, messages: this.channels.get(channel.id)?.messages ?? new Map() });
  }

  /** reached reports whether what people do can get to the app. */
  get reached() {
    return this.overHTTP || this.connections > 0;
  }

  get shortcuts() {
    return this.app.shortcuts ?? [];
  }

  /** person is somebody by id; one whom the workspace does not know is shown by the id. */
  person(id) {
    return this.people.get(id) ?? { id, real_name: id };
  }

  /** conversation is a channel by id. The direct messages with the app are there before they are written. */
  conversation(id) {
    if (id !== direct) return this.channels.get(id);
    return this.directMessages ?? { id: direct, name: this.app.name, is_im: true, messages: new Map() };
  }

  get directMessages() {
    return [...this.channels.values()].find((c) => c.is_im && c.user === this.me);
  }

  /** listed are the channels of the sidebar: those I am in, or could look into. */
  get listed() {
    return [...this.channels.values()].filter((c) => !c.is_im);
  }

  /** names is what mrkdwn asks. */
  get names() {
    return {
      me: this.me,
      locale: this.people.get(this.me)?.locale || undefined,
      groups: [...this.groups.values()].filter((g) => g.users?.includes(this.me)).map((g) => g.id),
      user: (id) => this.people.get(id)?.real_name,
      channel: (id) => this.channels.get(id)?.name,
      group: (id) => this.groups.get(id)?.handle,
    };
  }

  /** top are the messages of the channel itself, replies those of one thread. */
  top(channel) {
    return [...this.conversation(channel).messages.values()].filter(isTop);
  }

  replies(channel, thread) {
    return [...this.conversation(channel).messages.values()].filter((m) => m.thread_ts === thread && m.ts !== thread);
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
