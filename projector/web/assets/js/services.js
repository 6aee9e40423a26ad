// The table of services.

import { byId, el, list, set, value } from "./dom.js";
import { colour, inOrder, paint } from "./colors.js";
import { number, percent } from "./format.js";
import { showService } from "./containers.js";

export function showServices(status) {
  const names = inOrder(status.services);
  const rows = names.map((name) => ({ name, available: status.available, ...status.services[name] }));
  list(byId("services").tBodies[0], rows, { key: (row) => row.name, make, update });
  byId("services-none").hidden = rows.length > 0;
}

function cell(name, label, attributes = {}) {
  return el("td", { role: "cell", class: "n", "data-label": label, "data-value": name, ...attributes });
}

function make(row) {
  const button = el("button", { type: "button", class: "service", title: "Show its containers" },
    el("span", { class: `swatch ${paint(row.name)}`, "aria-hidden": "true" }), el("span", { class: "label" }, row.name));
  button.addEventListener("click", () => showService(row.name));
  return el("tr", { role: "row", class: `row ${colour(row.name)}`, "data-service": row.name },
    el("td", { role: "cell", class: "full" }, button, el("span", { class: "unlisted", hidden: "" }, "not in the policy")),
    cell("priority", "Priority", { class: "n spare" }),
    cell("count", "Containers"),
    el("td", { role: "cell", class: "full" },
      el("div", { class: "amount" },
        el("b", { "data-value": "total_connections" }),
        el("span", { class: "meter", "aria-hidden": "true" }, el("i", { class: "granted" }), el("i", { class: "used" })))),
    cell("pct", "Share"),
    cell("in_use", "In use"),
    cell("want", "Wants"),
    cell("waiting", "Callers waiting"),
    cell("range", "Min – max"));
}

function update(node, row) {
  for (const name of ["priority", "count", "total_connections", "in_use", "want"]) value(node, name, number(row[name]));
  set(value(node, "waiting", number(row.waiting)), "data-empty", row.waiting === 0);
  value(node, "pct", percent(row.pct));
  value(node, "range", `${number(row.minimum)} – ${row.maximum > 0 ? number(row.maximum) : "any"}`);
  node.querySelector(".unlisted").hidden = row.listed;
  const whole = Math.max(1, row.available);
  node.querySelector(".granted").style.width = `${Math.min(100, 100 * row.total_connections / whole)}%`;
  node.querySelector(".used").style.width = `${Math.min(100, 100 * row.in_use / whole)}%`;
}
