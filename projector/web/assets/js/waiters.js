// Who waits for connections: services with less than they want, and the first
// containers of the queue.

import { since } from "./clock.js";
import { byId, el, list, value, write } from "./dom.js";
import { inOrder, paint } from "./colors.js";
import { count, number } from "./format.js";
import { pager } from "./pager.js";
import { showWaiting } from "./containers.js";

const shown = 6;
let anybody = false;

const refreshQueue = pager(
  () => (anybody ? { waiting: true, sort: "position", limit: shown } : null),
  (page) => anybody && showQueue(page.containers, page.total),
);

export function showWaiters(status) {
  const short = inOrder(status.services)
    .map((name) => ({ name, ...status.services[name] }))
    .filter((service) => service.granted < service.want || service.waiting > 0);
  anybody = short.length > 0;
  list(byId("waiting-services"), short, { key: (s) => s.name, make, update });
  byId("waiters-none").hidden = anybody;
  if (anybody) {
    refreshQueue();
  } else {
    showQueue([], 0);
  }
}

function make(service) {
  return el("li", { class: "waits", "data-waiting-service": service.name },
    el("span", { class: `swatch ${paint(service.name)}`, "aria-hidden": "true" }),
    el("p", {}, el("b", {}, service.name), el("span", { "data-value": "has" })),
    el("p", { class: "since" }));
}

function update(node, service) {
  const callers = service.waiting > 0 ? `; ${count(service.waiting, "caller waits", "callers wait")}` : "";
  value(node, "has", ` has ${number(service.granted)} of ${number(service.want)}${callers}`);
  node.lastChild.hidden = !service.unmet_since;
  if (service.unmet_since) since(node.lastChild, service.unmet_since);
}

function showQueue(containers, total) {
  list(byId("waiters"), containers, {
    key: (c) => c.container_id,
    make: (c) => el("li", { "data-waiter": c.container_id },
      el("span", { class: "place", "data-value": "position" }),
      el("span", { class: "id", title: `${c.container_id}, ${c.service}` }, c.container_id),
      el("span", { class: "has", "data-value": "has" })),
    update: (node, c) => {
      value(node, "position", `${c.position}.`);
      value(node, "has", `${number(c.granted)} of ${number(c.want)}`);
    },
  });
  const button = byId("waiters-all");
  button.hidden = total === 0;
  write(button, total > shown ? `Show all ${number(total)} in the table` : "Show in the table");
}

export function startWaiters() {
  byId("waiters-all").addEventListener("click", showWaiting);
}
