// The chart of the last hour: areas by service on each other, under the limit.

import { now } from "./clock.js";
import { byId, vector, write } from "./dom.js";
import { colour, inOrder, meet } from "./colors.js";
import { minute, number, span } from "./format.js";
import { history, sampleOf } from "./history.js";
import { areas, hours, levels, runs, steps } from "./shapes.js";
import { startPoint } from "./point.js";

const margin = { top: 18, right: 4, bottom: 24, left: 34 };
const hour = 3_600_000;
const shortest = 60_000; // milliseconds: less would draw one second as wide as the page
const often = 1000; // milliseconds between two drawings

let newest = null;
let drawn = -often;
let timer;
const place = { x: null, plot: null, samples: [], names: [] };
let showPoint = () => {};

export function startChart() {
  showPoint = startPoint(byId("chart"), place);
  new ResizeObserver(() => draw()).observe(byId("chart"));
}

// showChart draws soon: once a second is enough for an hour.
export function showChart(status) {
  newest = status;
  clearTimeout(timer);
  timer = setTimeout(draw, Math.max(0, drawn + often - performance.now()));
}

function draw() {
  const node = byId("chart");
  const { width, height } = node.getBoundingClientRect();
  if (!newest || width < 50) return;
  drawn = performance.now();

  const end = now();
  const samples = [...history.samples.filter((s) => s.at >= end - hour && s.at < end), sampleOf(newest, end)];
  const begin = Math.min(samples[0].at, end - shortest);
  const names = inOrder(newest.services);
  meet(names);
  const gone = new Set(samples.flatMap((s) => Object.keys(s.services)).filter((name) => !(name in newest.services)));
  names.push(...[...gone].sort());

  const plot = { left: margin.left, right: width - margin.right, top: margin.top, bottom: height - margin.bottom };
  const most = Math.max(1, ...samples.map((s) => Math.max(s.max_connections, sum(s.services))));
  const x = (at) => plot.left + (plot.right - plot.left) * (at - begin) / (end - begin);
  const y = (units) => plot.bottom - (plot.bottom - plot.top) * units / most;

  const picture = vector("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  for (const level of levels(most)) {
    picture.append(
      vector("line", { class: "grid", x1: plot.left, x2: plot.right, y1: y(level), y2: y(level) }),
      vector("text", { x: plot.left - 8, y: y(level) + 4, "text-anchor": "end" }, number(level)));
  }
  for (const at of hours(begin, end, plot.right - plot.left)) {
    picture.append(vector("text", { x: x(at), y: height - 6, "text-anchor": "middle" }, minute(at)));
  }
  const pieces = runs(samples);
  for (const { name, path } of areas(pieces, names, x, y)) {
    picture.append(vector("path", { class: `area ${colour(name)}`, d: path }));
  }
  picture.append(
    vector("path", { class: "available-line", d: steps(pieces, (s) => s.available, x, y) }),
    vector("path", { class: "limit-line", d: steps(pieces, (s) => s.max_connections, x, y) }),
    label("limit", newest.max_connections, -6, ""));
  if (y(newest.available) - y(newest.max_connections) > 12) picture.append(label("available", newest.available, -6, "soft"));

  function label(what, units, above, look) {
    return vector("text", { class: `name ${look}`, x: plot.right - 4, y: y(units) + above, "text-anchor": "end" }, `${what} ${number(units)}`);
  }

  node.querySelector("svg")?.remove();
  node.prepend(picture);
  Object.assign(place, { x, plot, samples, names, picture });
  showPoint();
  describe(samples, begin, end);
}

const sum = (services) => Object.values(services).reduce((total, n) => total + n, 0);

function describe(samples, begin, end) {
  const all = samples.map((s) => sum(s.services));
  const whole = end - begin > hour - 120_000;
  write(byId("chart-since"), whole ? "the last hour" : `since ${minute(samples[0].at)}`);
  write(byId("chart-text"), `Allocated connections over the last ${span(end - samples[0].at)}: at least ${number(Math.min(...all))}, ` +
    `at most ${number(Math.max(...all))}, now ${number(all.at(-1))}. Use the left and right arrow keys to read single moments.`);
}
