// The table of containers: one page of them, filtered, searched and sorted by the
// server.

import { byId, el, list, set, value, write } from "./dom.js";
import { count, number } from "./format.js";
import { inOrder } from "./colors.js";
import { pager } from "./pager.js";
import { close, make, update } from "./container.js";

const limit = 50;
const typing = 150; // milliseconds after the last key

const columns = [
  { sort: "container_id", label: "Container", look: "c-id" },
  { sort: "service", label: "Service", look: "c-service" },
  { sort: "state", label: "State", look: "c-state", falls: true },
  { sort: "connections", label: "Connections", look: "n", falls: true },
  { sort: "in_use", label: "In use", look: "n", falls: true },
  { sort: "want", label: "Wants", look: "n", falls: true },
  { sort: "waiting", label: "Callers", look: "n", falls: true },
  { sort: "position", label: "Place", look: "n" },
  { sort: "reserved_at", label: "Lease since", look: "n" },
];

const asked = { sort: "service", order: "asc", service: "", q: "", waiting: false, offset: 0 };

// refreshContainers asks for the page again.
export const refreshContainers = pager(
  () => ({ ...asked, limit }),
  (page, { service, q, waiting }) => show(page, Boolean(service || q || waiting)),
);

function change(changes) {
  Object.assign(asked, { offset: 0 }, changes);
  refreshContainers();
}

// showService shows the containers of one service.
export function showService(name) {
  clearFilters();
  byId("filter-service").value = name;
  change({ service: name });
  goTo();
}

// showWaiting shows those that wait, in the order of the queue.
export function showWaiting() {
  clearFilters();
  byId("filter-waiting").checked = true;
  change({ waiting: true, sort: "position", order: "asc" });
  markSorted();
  goTo();
}

function clearFilters() {
  byId("filter-service").value = "";
  byId("filter-search").value = "";
  byId("filter-waiting").checked = false;
  Object.assign(asked, { service: "", q: "", waiting: false });
}

function goTo() {
  byId("containers-title").scrollIntoView({ block: "start" });
  byId("filter-service").focus({ preventScroll: true });
}

// offerServices fills the filter.
export function offerServices(status) {
  const select = byId("filter-service");
  list(select, inOrder(status.services), {
    key: (name) => name,
    make: (name) => el("option", { value: name }, name),
    update: () => {},
    head: 1,
  });
  if (asked.service && !(asked.service in status.services)) change({ service: "" });
}

function show(page, filtered) {
  if (page.containers.length === 0 && page.total > 0) {
    change({ offset: Math.floor((page.total - 1) / limit) * limit }); // there were more when it was asked for
    return;
  }
  const table = byId("containers");
  close(page.containers);
  list(table, page.containers, { key: (c) => c.container_id, make, update, head: 1 });
  set(table, "data-sequence", page.sequence);
  const none = byId("containers-none");
  none.hidden = page.total > 0;
  write(none, filtered ? "No container matches." : "No container has registered yet.");
  const { offset, total } = page;
  const last = offset + page.containers.length;
  write(byId("pages-text"), total <= limit ? count(total, "container") : `${number(offset + 1)} to ${number(last)} of ${count(total, "container")}`);
  byId("page-first").disabled = byId("page-back").disabled = offset === 0;
  byId("page-next").disabled = last >= total;
  byId("pages").querySelector(".buttons").hidden = total <= limit;
}

// startContainers makes the headers and connects the controls.
export function startContainers() {
  byId("containers").tHead.rows[0].append(...columns.map(({ sort, label, look }) =>
    el("th", { role: "columnheader", scope: "col", class: look }, el("button", { type: "button", class: "sort", "data-sort": sort }, label))));
  byId("containers").tHead.addEventListener("click", ({ target }) => {
    const column = columns.find(({ sort }) => sort === target.dataset.sort);
    if (!column) return;
    const turned = asked.order === "asc" ? "desc" : "asc";
    change({ sort: column.sort, order: asked.sort === column.sort ? turned : column.falls ? "desc" : "asc" });
    markSorted();
  });
  markSorted();

  byId("filter-service").addEventListener("change", ({ target }) => change({ service: target.value }));
  byId("filter-waiting").addEventListener("change", ({ target }) => change({ waiting: target.checked }));
  let timer;
  byId("filter-search").addEventListener("input", ({ target }) => {
    clearTimeout(timer);
    timer = setTimeout(() => change({ q: target.value.trim() }), typing);
  });
  byId("page-first").addEventListener("click", () => change({ offset: 0 }));
  byId("page-back").addEventListener("click", () => change({ offset: Math.max(0, asked.offset - limit) }));
  byId("page-next").addEventListener("click", () => change({ offset: asked.offset + limit }));
}

function markSorted() {
  for (const button of byId("containers").tHead.querySelectorAll("button")) {
    const sorted = button.dataset.sort === asked.sort;
    set(button.parentNode, "aria-sort", sorted ? (asked.order === "asc" ? "ascending" : "descending") : null);
  }
}
