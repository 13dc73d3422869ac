// Dates as Slack writes them for each reader: <!date^1700000000^{date_short_pretty} at {time}|fallback>.

const patterns = {
  date_num: (d) => [d.getFullYear(), d.getMonth() + 1, d.getDate()].map((n) => String(n).padStart(2, "0")).join("-"),
  date_slash: (d) => d.toLocaleDateString([], { year: "numeric", month: "2-digit", day: "2-digit" }),
  date: (d) => d.toLocaleDateString([], { year: "numeric", month: "long", day: "numeric" }),
  date_short: (d) => d.toLocaleDateString([], { year: "numeric", month: "short", day: "numeric" }),
  date_long: (d) => d.toLocaleDateString([], { weekday: "long", year: "numeric", month: "long", day: "numeric" }),
  time: (d) => d.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" }),
  time_secs: (d) => d.toLocaleTimeString([], { hour: "numeric", minute: "2-digit", second: "2-digit" }),
  ago: (d, now) => ago((d - now) / 1000),
};

/** written fills a pattern with the date of a stamp in seconds; a name it does not know stays as it is. */
export function written(stamp, pattern, now = new Date()) {
  const d = new Date(stamp * 1000);
  return pattern.replace(/\{(\w+)\}/g, (whole, name) => {
    const plain = name.replace(/_pretty$/, "");
    const near = name !== plain && relative(d, now);
    return near || (patterns[plain]?.(d, now) ?? whole);
  });
}

function relative(d, now) {
  const days = Math.round((new Date(d).setHours(0, 0, 0, 0) - new Date(now).setHours(0, 0, 0, 0)) / 86400e3);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
}

const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function ago(seconds) {
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? units.at(-1);
  return new Intl.RelativeTimeFormat([], { numeric: "auto" }).format(Math.round(seconds / size), unit);
}
