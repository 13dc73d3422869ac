// The official client calls the Web API once in each way that matters. Each finding is one JSON line on stdout.
const { WebClient, WebClientEvent, ErrorCode, LogLevel } = require("@slack/web-api");

const tell = (step, more) => process.stdout.write(`${JSON.stringify({ step, ...more })}\n`);
const channel = process.env.SLACK_CHANNEL;
const log = (...words) => process.stderr.write(`${words.join(" ")}\n`);
const logger = { debug() {}, info: log, warn: log, error: log, setLevel() {}, getLevel: () => LogLevel.INFO, setName() {} };
const client = (token, more) => new WebClient(token, { slackApiUrl: process.env.SLACK_API_URL, logger, ...more });
const web = client(process.env.SLACK_BOT_TOKEN);

/** refused tells which class of error a call ends in. */
async function refused(step, call) {
  try {
    await call;
    tell(step, { code: "none" });
  } catch (e) {
    tell(step, { code: e.code, error: e.data?.error, needed: e.data?.needed, messages: e.data?.response_metadata?.messages, wait: e.retryAfter });
  }
}

async function pages() {
  const people = [];
  for await (const page of web.paginate("users.list", { limit: 3 })) people.push(page.members.map((m) => m.id));
  tell("pages", { pages: people.length, people: people.flat() });
}

async function upload() {
  const { ts } = await web.chat.postMessage({ channel, text: "evidence" });
  const done = await web.filesUploadV2({
    channel_id: channel, thread_ts: ts, initial_comment: "the log", filename: "worker.log", title: "Log", content: "level=error\n",
  });
  tell("upload", { ok: done.ok, name: done.files[0].files[0].name, thread: ts });
}

async function limits() {
  let waits = 0;
  web.on(WebClientEvent.RATE_LIMITED, () => { waits += 1; });
  for (const text of ["one", "two", "three"]) await web.chat.postMessage({ channel, text });
  tell("waited", { waited: waits > 0 });
  const impatient = client(process.env.SLACK_BOT_TOKEN, { rejectRateLimitedCalls: true });
  await refused("limited", Promise.all(["a", "b"].map((text) => impatient.chat.postMessage({ channel, text }))));
}

(async () => {
  const me = await web.auth.test();
  tell("auth", { user: me.user_id, team: me.team_id, bot: me.bot_id });
  await pages();
  await upload();
  await refused("scope", web.conversations.history({ channel }));
  await refused("blocks", web.chat.postEphemeral({ channel, user: me.user_id, text: "a", blocks: [{ type: "header", text: { type: "plain_text", text: "x".repeat(151) } }] }));
  await refused("token", client("xoxb-of-somebody-else").auth.test());
  await refused("unknown", web.chat.postMessage({ channel: "C0NOWHERE", text: "a" }));
  await limits();
  tell("codes", { platform: ErrorCode.PlatformError, limited: ErrorCode.RateLimitedError });
})();
