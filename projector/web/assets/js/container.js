// One container: its row, and why it has what it has.

import { el, set, value } from "./dom.js";
import { age } from "./clock.js";
import { colour, paint } from "./colors.js";
import { moment, number, span } from "./format.js";

const states = { active: "active", waiting: "waiting", recalling: "giving back", silent: "silent", lost: "lease expired" };
const opened = new Set(); // the ids of those whose explanation is open

// close forgets those that are not on the page any more.
export function close(shown) {
  const ids = new Set(shown.map((c) => c.container_id));
  for (const id of opened) if (!ids.has(id)) opened.delete(id);
}

function cell(name, label, look = "n") {
  return el("td", { role: "cell", class: look, "data-label": label, "data-value": name });
}

// make returns the rows of a container, in a body of their own.
export function make(container) {
  const id = container.container_id;
  const button = el("button", { type: "button", class: "open-why", "aria-expanded": "false", "aria-controls": `why-${id}`, title: id },
    el("span", { class: "id" }, id), el("span", { class: "unseen" }, " why"));
  const row = el("tr", { role: "row", class: "row" },
    el("td", { role: "cell", class: "full c-id" }, button),
    el("td", { role: "cell", class: "two c-service" },
      el("span", { class: "of-service" },
        el("span", { class: `swatch ${paint(container.service)}`, "aria-hidden": "true" }),
        el("span", { class: "label", title: container.service }, container.service))),
    el("td", { role: "cell", class: "c-state" }, el("span", { class: "state", "data-value": "state" })),
    cell("connections", "Connections"),
    cell("in_use", "In use"),
    cell("want", "Wants"),
    cell("waiting", "Callers waiting"),
    cell("position", "Place"),
    cell("reserved_at", "Lease since", "n spare"));
  const body = el("tbody", { role: "rowgroup", class: colour(container.service), "data-container": id }, row);
  row.addEventListener("click", (event) => {
    if (getSelection().isCollapsed || event.target.closest("button")) turn(body, id);
  });
  return body;
}

function turn(body, id) {
  if (!opened.delete(id)) opened.add(id);
  update(body, body.container);
}

// update writes what may have changed.
export function update(body, container) {
  body.container = container;
  for (const name of ["connections", "in_use", "want"]) value(body, name, number(container[name]));
  set(value(body, "waiting", number(container.waiting)), "data-empty", container.waiting === 0);
  set(value(body, "position", container.position ? number(container.position) : "–"), "data-empty", !container.position);
  value(body, "reserved_at", container.reserved_at ? moment(container.reserved_at) : "–");
  set(value(body, "state", states[container.state] ?? container.state), "data-state", container.state);

  const open = opened.has(container.container_id);
  set(body.querySelector(".open-why"), "aria-expanded", String(open));
  let why = body.rows[1];
  if (open && !why) {
    why = makeWhy(container);
    body.append(why);
  } else if (!open && why) {
    why.remove();
    return;
  }
  if (open) updateWhy(why, container);
}

const facts = [
  ["host", "Host", (c) => c.host || "unknown"],
  ["granted", "May use", (c) => number(c.granted)],
  ["held", "Open", (c) => number(c.held)],
  ["backends", "In the database", (c) => (c.backends === undefined || c.backends === null ? "not seen" : number(c.backends))],
  ["heard_at", "Last heard", (c) => (c.heard_at ? `${span(age(c.heard_at))} ago` : "–")],
  ["reserved_at", "Lease since", (c) => (c.reserved_at ? moment(c.reserved_at) : "–")],
  ["lease", "Lease", (c) => c.lease || "none"],
  ["reason", "Reason", (c) => c.reason || "none"],
];

function makeWhy(container) {
  return el("tr", { role: "row", class: "why", id: `why-${container.container_id}` },
    el("td", { role: "cell", colspan: "9" },
      el("div", { class: "box" },
        el("p", { class: "text", "data-value": "why" }),
        el("dl", {}, ...facts.map(([name, label]) => el("div", {}, el("dt", {}, label), el("dd", { "data-value": name })))))));
}

function updateWhy(node, container) {
  value(node, "why", container.why);
  for (const [name, , text] of facts) value(node, name, text(container));
}
