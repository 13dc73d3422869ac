// Dates as Slack writes them for each reader, in their language: <!date^1700000000^{date_short_pretty} at {time}|fallback>.

const styles = {
  date_slash: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
  time: { hour: "numeric", minute: "2-digit" },
  time_secs: { hour: "numeric", minute: "2-digit", second: "2-digit" },
};

/** written fills a pattern with the date of a stamp in seconds, for readers of a locale, the browser's when there is
 * none; a name it does not know stays as it is. */
export function written(stamp, pattern, locale, now = new Date()) {
  const d = new Date(stamp * 1000);
  return pattern.replace(/\{(\w+)\}/g, (whole, name) => {
    const plain = name.replace(/_pretty$/, "");
    const near = name !== plain && relative(d, now, locale);
    return near || named(plain, d, now, locale) || whole;
  });
}

function named(name, d, now, locale) {
  switch (name) {
    case "date_num": return [d.getFullYear(), d.getMonth() + 1, d.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
    case "ago": return ago((d - now) / 1000, locale);
  }
  return Object.hasOwn(styles, name) && new Intl.DateTimeFormat(locale, styles[name]).format(d);
}

/** relative is yesterday, today or tomorrow, or nothing. */
function relative(d, now, locale) {
  const days = Math.round((new Date(d).setHours(0, 0, 0, 0) - new Date(now).setHours(0, 0, 0, 0)) / 86400e3);
  return Math.abs(days) < 2 && relatively(locale).format(days, "day");
}

function relatively(locale) {
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
}

const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function ago(seconds, locale) {
  const [unit, size] = units.find(([, size]) => Math.abs(seconds) >= size) ?? units.at(-1);
  return relatively(locale).format(Math.round(seconds / size), unit);
}
