// The alerts, the gravest first.

import { since } from "./clock.js";
import { byId, el, list, set, value, write } from "./dom.js";
import { number } from "./format.js";
import { say } from "./say.js";

const levels = { warning: "Warning", critical: "Critical" };
const key = (alert) => `${alert.name} ${alert.service ?? ""}`;
let told = null; // the summaries of what was read out, by key; null before the first status

export function showAlerts(status) {
  list(byId("alerts"), status.alerts, { key, make, update });
  byId("alerts-none").hidden = status.alerts.length > 0;
  value(document, "alerts", status.alerts.length ? number(status.alerts.length) : "");
  tell(status.alerts);
}

function make(alert) {
  return el("li", { "data-alert": alert.name, "data-service": alert.service },
    el("p", {}, el("span", { class: "level" }), el("span", { "data-value": "summary" })),
    el("p", { class: "since" }));
}

function update(node, alert) {
  set(node, "class", `alert ${alert.severity}`);
  write(node.querySelector(".level"), levels[alert.severity] ?? alert.severity);
  value(node, "summary", alert.summary);
  since(node.lastChild, alert.since);
}

// tell reads out what is new and what is over, not what changes in between.
function tell(alerts) {
  const before = told ?? new Map();
  told = new Map(alerts.map((alert) => [`${alert.severity} ${key(alert)}`, alert.summary]));
  for (const alert of alerts) {
    if (!before.has(`${alert.severity} ${key(alert)}`)) say(`${levels[alert.severity] ?? "Alert"}: ${alert.summary}`);
  }
  if (before.size > 0 && told.size === 0) say("All alerts are over.");
}
