// The limit as one bar: what each service is charged, what is free, what others
// have taken, and what is kept back.

import { byId, el, list, set, value, write } from "./dom.js";
import { inOrder, paint } from "./colors.js";
import { number } from "./format.js";

// parts are the pieces of the bar from left to right.
function parts(status) {
  const services = inOrder(status.services)
    .filter((name) => status.services[name].count > 0 || status.services[name].total_connections > 0)
    .map((name) => ({ id: `service ${name}`, service: name, label: name, units: status.services[name].total_connections, look: paint(name) }));
  return [
    ...services,
    { id: "remaining", label: "free", units: status.remaining, look: "free" },
    { id: "external", label: "external to Conncord", units: status.external, look: "taken" },
    { id: "reserved", label: "reserve", units: status.reserved, look: "held-back" },
  ];
}

const key = (part) => part.id;
const long = 8; // characters; longer names need a wider piece to stand in

function makeSegment() {
  return el("div", {}, el("span", { class: "label" }), el("b", { class: "count" }));
}

function updateSegment(node, part) {
  set(node, "class", `segment ${part.look}`);
  set(node, "data-units", part.units);
  set(node, "title", `${part.label}: ${number(part.units)}`);
  node.style.flexGrow = part.units;
  write(node.firstChild, part.label);
  set(node.firstChild, "class", part.label.length > long ? "label long" : "label");
  write(node.lastChild, number(part.units));
}

function makeEntry(part) {
  const names = part.service ? { "data-service": part.service } : {};
  return el("li", names,
    el("span", { class: `swatch ${part.look}`, "aria-hidden": "true" }),
    el("span", { class: "label" }, part.label),
    el("b", { "data-value": part.service ? "total_connections" : part.id }));
}

function updateEntry(node, part) {
  value(node, part.service ? "total_connections" : part.id, number(part.units));
}

export function showLimit(status) {
  const all = parts(status);
  const bar = byId("bar");
  list(bar, all, { key, make: makeSegment, update: updateSegment });
  set(bar, "aria-label", `Of the limit of ${number(status.max_connections)} connections: ` +
    all.map((part) => `${part.label} ${number(part.units)}`).join(", "));
  list(byId("legend"), all, { key, make: makeEntry, update: updateEntry });
}
