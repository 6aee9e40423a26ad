// Reading one moment of the chart, with the pointer or the arrow keys.

import { byId, el, vector, write } from "./dom.js";
import { paint } from "./colors.js";
import { clock, number } from "./format.js";

// startPoint returns a function that shows the chosen moment again after the chart
// was drawn anew.
export function startPoint(chart, place) {
  const box = el("div", { class: "point", hidden: "" });
  chart.append(box);
  let chosen = null; // the time
  let cross = null;

  function show() {
    cross?.remove();
    const sample = nearest();
    box.hidden = sample === null;
    if (sample === null) return;
    const { plot, picture } = place;
    const x = place.x(sample.at);
    cross = vector("line", { class: "cross", x1: x, x2: x, y1: plot.top, y2: plot.bottom });
    picture.append(cross);
    fill(box, sample, place.names);
    const room = box.offsetWidth;
    const left = x + 14 + room > plot.right ? x - 14 - room : x + 14;
    box.style.left = `${Math.max(0, left)}px`;
  }

  function nearest() {
    if (chosen === null || place.samples.length === 0) return null;
    return place.samples.reduce((best, s) => (Math.abs(s.at - chosen) < Math.abs(best.at - chosen) ? s : best));
  }

  function choose(at) {
    chosen = at;
    show();
  }

  chart.addEventListener("pointermove", ({ clientX }) => {
    if (place.samples.length === 0) return;
    const { plot, samples } = place;
    const begin = samples[0].at;
    const part = (clientX - chart.getBoundingClientRect().left - place.x(begin)) / (plot.right - place.x(begin));
    choose(begin + Math.min(1, Math.max(0, part)) * (samples.at(-1).at - begin));
  });
  chart.addEventListener("pointerleave", () => choose(null));
  chart.addEventListener("blur", () => choose(null));
  chart.addEventListener("keydown", (event) => {
    const { samples } = place;
    if (samples.length === 0) return;
    const here = chosen === null ? samples.length : samples.indexOf(nearest());
    const big = Math.max(1, Math.round(samples.length / 20));
    const next = { ArrowLeft: here - 1, ArrowRight: here + 1, PageUp: here - big, PageDown: here + big, Home: 0, End: samples.length - 1 }[event.key];
    if (event.key === "Escape") choose(null);
    if (next === undefined) return;
    event.preventDefault();
    choose(samples[Math.min(samples.length - 1, Math.max(0, next))].at);
    write(byId("chart-point"), [...box.querySelectorAll("p, li")].map((line) => line.innerText.replace(/\s+/g, " ")).join(", "));
  });
  return show;
}

function fill(box, sample, names) {
  const total = Object.values(sample.services).reduce((sum, n) => sum + n, 0);
  const rows = names.filter((name) => sample.services[name] > 0).reverse(); // as the areas lie
  box.replaceChildren(
    el("p", { class: "when" }, clock(sample.at)),
    el("ul", {}, ...rows.map((name) =>
      el("li", {}, el("span", { class: `swatch ${paint(name)}` }), el("span", { class: "label" }, name), el("b", {}, number(sample.services[name])))),
      el("li", { class: rows.length ? "sum" : "" }, el("span", { class: "label" }, "allocated"), el("b", {}, `${number(total)} of ${number(sample.available)}`))));
}
