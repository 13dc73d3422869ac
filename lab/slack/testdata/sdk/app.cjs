// A small app of the official SDK, as its documentation teaches it. Each thing it hears is one JSON line on stdout; its
// log is on stderr. It ends when stdin closes.
const { App, LogLevel } = require("@slack/bolt");

const tell = (step, more) => process.stdout.write(`${JSON.stringify({ step, ...more })}\n`);
const over = process.env.SLACK_OVER; // "socket" or "http"
const log = (...words) => process.stderr.write(`${words.join(" ")}\n`);
const logger = { debug() {}, info: log, warn: log, error: log, setLevel() {}, getLevel: () => LogLevel.INFO, setName() {} };

const app = new App({
  token: process.env.SLACK_BOT_TOKEN,
  appToken: process.env.SLACK_APP_TOKEN,
  signingSecret: process.env.SLACK_SIGNING_SECRET,
  socketMode: over === "socket",
  logger,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL },
});

const card = [
  { type: "section", text: { type: "mrkdwn", text: "*worker* is fine" } },
  { type: "actions", elements: [{ type: "button", action_id: "again", text: { type: "plain_text", text: "Run again" }, value: "worker" }] },
];

const form = {
  type: "modal",
  callback_id: "form",
  title: { type: "plain_text", text: "Diagnose" },
  submit: { type: "plain_text", text: "Go" },
  blocks: [{ type: "input", block_id: "service", label: { type: "plain_text", text: "Service" }, element: { type: "plain_text_input", action_id: "name" } }],
};

app.command("/vault", async ({ command, ack, respond, client }) => {
  await ack();
  tell("command", { text: command.text, user: command.user_id, channel: command.channel_name });
  if (command.text === "form") await client.views.open({ trigger_id: command.trigger_id, view: form });
  else await respond({ response_type: "in_channel", text: "worker is fine", blocks: card });
});

app.action("again", async ({ body, action, ack, respond }) => {
  await ack();
  tell("action", { value: action.value, user: body.user.id });
  await respond({ replace_original: true, text: "worker is still fine" });
});

app.view("form", async ({ ack, body, view, client }) => {
  const { value } = view.state.values.service.name;
  if (value === "nothing") {
    await ack({ response_action: "errors", errors: { service: "No such service" } });
    return;
  }
  await ack();
  tell("view", { value, user: body.user.id });
  await client.chat.postEphemeral({ channel: process.env.SLACK_CHANNEL, user: body.user.id, text: `Diagnosing ${value}` });
});

app.shortcut("diagnose_this", async ({ shortcut, ack, client }) => {
  await ack();
  tell("shortcut", { text: shortcut.message.text, user: shortcut.user.id });
  await client.chat.postMessage({ channel: shortcut.channel.id, thread_ts: shortcut.message.ts, text: "On it" });
});

app.event("app_mention", async ({ event, say }) => {
  tell("mention", { text: event.text, thread: event.thread_ts ?? "" });
  await say({ text: "You called?", thread_ts: event.thread_ts ?? event.ts });
});

app.event("reaction_added", async ({ event }) => tell("reaction", { reaction: event.reaction, user: event.user }));

app.event("app_home_opened", async ({ event, client }) => {
  tell("home", { tab: event.tab, user: event.user });
  await client.views.publish({ user_id: event.user, view: { type: "home", blocks: card } });
});

app.message("ping", async ({ message, say }) => {
  tell("message", { text: message.text, kind: message.channel_type });
  await say("pong");
});

app.error(async (error) => tell("error", { message: String(error) }));

(async () => {
  const server = await app.start(0);
  tell("ready", { port: over === "http" ? server.address().port : 0 });
  process.stdin.resume();
  process.stdin.on("end", async () => {
    await app.stop();
    process.exit(0);
  });
})();
