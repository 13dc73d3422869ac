// data_visualization blocks: bars, lines, areas and pies, drawn simply.

import { h, svg } from "./dom.js";

const width = 560, height = 220, left = 52, bottom = 34, top = 10;

/** chart draws the block with its title and the names of its series. */
export function chart(b) {
  const c = b.chart ?? {};
  const names = (c.segments ?? c.series ?? []).map((s) => s.label ?? s.name);
  const words = `${b.title}: ${summary(c)}`;
  return h("figure", { class: "chart" }, h("figcaption", {}, b.title),
    svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words }, c.type === "pie" ? pie(c.segments ?? []) : plot(c)),
    h("ul", { class: "legend" }, names.map((n, i) => h("li", {}, svg("svg", { viewBox: "0 0 10 10" }, svg("rect", { class: `series-${i}`, width: 10, height: 10, rx: 2 })), n))));
}

function summary(c) {
  const point = (p) => `${p.label} ${p.value}`;
  if (c.segments) return c.segments.map(point).join(", ");
  return (c.series ?? []).map((s) => `${s.name}: ${s.data.map(point).join(", ")}`).join("; ");
}

function plot(c) {
  const series = c.series ?? [];
  const categories = c.axis_config?.categories ?? series[0]?.data.map((p) => p.label) ?? [];
  const values = series.flatMap((s) => s.data.map((p) => p.value));
  const high = Math.max(...values, 0), low = Math.min(...values, 0);
  const frame = {
    step: (width - left - 8) / Math.max(categories.length, 1),
    y: (v) => top + (height - top - bottom) * (1 - (v - low) / ((high - low) || 1)),
  };
  const draw = c.type === "bar" ? bars : (s, i) => line(s, i, frame, categories, c.type === "area");
  return [grid(frame, low, high), ...series.map((s, i) => draw(s, i, frame, categories, series.length)),
    categories.map((name, i) => svg("text", { class: "axis", x: left + frame.step * (i + 0.5), y: height - bottom + 16, "text-anchor": "middle" }, name)),
    c.axis_config?.x_label && svg("text", { class: "axis", x: (width + left) / 2, y: height - 3, "text-anchor": "middle" }, c.axis_config.x_label)];
}

function grid(frame, low, high) {
  return [0, 1, 2, 3, 4].map((i) => {
    const v = low + ((high - low) * i) / 4;
    return [svg("line", { class: "grid", x1: left, x2: width - 8, y1: frame.y(v), y2: frame.y(v) }),
      svg("text", { class: "axis", x: left - 6, y: frame.y(v) + 4, "text-anchor": "end" }, short(v))];
  });
}

function short(v) {
  return new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 }).format(v);
}

function bars(s, i, frame, categories, count) {
  const wide = (frame.step * 0.7) / count;
  return s.data.map((p) => {
    const x = left + frame.step * (categories.indexOf(p.label) + 0.15) + wide * i;
    const y = frame.y(Math.max(p.value, 0));
    return svg("rect", { class: `series-${i}`, x, y, width: Math.max(wide - 1, 1), height: Math.abs(frame.y(p.value) - frame.y(0)), rx: 2 });
  });
}

function line(s, i, frame, categories, filled) {
  const at = s.data.map((p) => [left + frame.step * (categories.indexOf(p.label) + 0.5), frame.y(p.value)]);
  const path = at.map((p) => p.join(",")).join(" ");
  const ground = frame.y(0);
  return [filled && at.length > 0 && svg("polygon", { class: `series-${i} under`, points: `${at[0][0]},${ground} ${path} ${at.at(-1)[0]},${ground}` }),
    svg("polyline", { class: `series-${i} line`, points: path }), at.map(([x, y]) => svg("circle", { class: `series-${i}`, cx: x, cy: y, r: 3 }))]
    .flat().filter(Boolean);
}

function pie(segments) {
  const total = segments.reduce((sum, s) => sum + s.value, 0) || 1;
  const r = height / 2 - 12, cx = width / 2, cy = height / 2;
  if (segments.length === 1) return [svg("circle", { class: "series-0", cx, cy, r })];
  let from = -Math.PI / 2;
  return segments.map((s, i) => {
    const to = from + (s.value / total) * 2 * Math.PI;
    const point = (a) => `${cx + r * Math.cos(a)} ${cy + r * Math.sin(a)}`;
    const d = `M${cx} ${cy}L${point(from)}A${r} ${r} 0 ${to - from > Math.PI ? 1 : 0} 1 ${point(to)}Z`;
    from = to;
    return svg("path", { class: `series-${i}`, d });
  });
}
