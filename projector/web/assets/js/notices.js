// The sentences above everything: what makes the numbers below untrue, old or
// unusual.

import { age, now } from "./clock.js";
import { byId, el, list, set, write } from "./dom.js";
import { clock, count, moment, span } from "./format.js";

const staleAfter = 15_000; // as status.StaleAfter
const known = 1; // as status.Version

// showNotices shows them for the newest status (null: none yet) and the state of
// the connection.
export function showNotices(status, link) {
  const all = [];
  const critical = (id, title, text) => all.push({ id, title, text, level: "critical" });
  const warning = (id, title, text) => all.push({ id, title, text, level: "warning" });

  const lost = link.state === "lost";
  if (lost && status) {
    critical("lost", "Connection to the arbiter lost",
      `since ${moment(link.since)}. What is below is from then. ${link.why} ${attempt(link)}`.replace("  ", " "));
  }
  const stale = Boolean(status) && !lost && age(status.updated_at) > staleAfter;
  set(document.documentElement, "data-stale", stale);
  if (stale) {
    critical("stale", "This is old", `The newest status was made at ${moment(status.updated_at)}, ${span(age(status.updated_at))} ago. The arbiter that this page reads from cannot see the history.`);
  }
  if (status) states(status, critical, warning);
  list(byId("notices"), all, { key: (n) => n.id, make, update });
}

function states(status, critical, warning) {
  if (!status.leader) critical("no-leader", "Nobody leads", "Nothing is granted until an arbiter does. Containers keep what they have until their leases end.");
  if (status.barrier > 0) warning("barrier", "Recovery", `The history was lost. Containers keep what they have, and nobody gains, until the recovery barrier opens in ${span(status.barrier)}.`);
  if (status.uncounted > 0) warning("drift", "Drift", `The database shows ${count(status.uncounted, "connection")} of containers that nobody was granted.`);
  if (status.degraded && status.notices.length === 0) warning("degraded", "Degraded", "The status may not be all there is.");
  status.notices.forEach((text, i) => warning(`notice ${i}`, status.degraded ? "Degraded" : "Notice", text));
  if (status.version > known) warning("version", "This page is old", "The arbiter is newer than this page: load it again.");
}

function attempt(link) {
  const left = link.next - Date.now();
  return left > 500 ? `Trying again in ${span(left)}.` : "Trying again now.";
}

function make() {
  return el("div", { class: "notice" }, el("b"), el("p"));
}

function update(node, { id, title, text, level }) {
  set(node, "class", `notice ${level}`);
  set(node, "data-notice", id);
  write(node.firstChild, title);
  write(node.lastChild, text);
}
