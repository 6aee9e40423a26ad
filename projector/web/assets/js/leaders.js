// Who has led, the newest first.

import { byId, el, list, set, write } from "./dom.js";
import { moment, number, span } from "./format.js";
import { since } from "./clock.js";

const shown = 4;
const key = (l) => `${l.incarnation} ${l.epoch}`;

// showLeaders shows leaderships, of which the last is the newest, as the status has
// them.
export function showLeaders(leaders, status) {
  const all = leaders.map((l, i) => ({
    ...l,
    until: l.resigned ?? leaders[i + 1]?.began ?? null,
    lost: i > 0 && leaders[i - 1].incarnation !== l.incarnation,
    leads: Boolean(status?.leader) && l.leader === status.leader && l.epoch === status.epoch && l.incarnation === status.incarnation,
  }));
  list(byId("leaders"), all.slice(-shown).reverse(), { key, make, update });
  byId("leaders-none").hidden = leaders.length > 0;
}

function make(l) {
  return el("li", { class: "leader", "data-epoch": l.epoch },
    el("p", {}, el("span", { class: "who" }, l.leader), el("span", { class: "now" }, "leads")),
    el("p", { class: "since" }, el("span"), el("span")),
    el("p", { class: "history" }, "A new history: the one before was lost."));
}

function update(node, l) {
  set(node, "data-leads", l.leads);
  node.querySelector(".now").hidden = !l.leads;
  node.querySelector(".history").hidden = !l.lost;
  const [where, when] = node.querySelectorAll(".since span");
  write(where, `epoch ${number(l.epoch)}${l.host ? ` on ${l.host}` : ""}, `);
  if (l.leads) {
    since(when, l.began);
    return;
  }
  delete when.dataset.since;
  const length = l.until ? `, for ${span(new Date(l.until) - new Date(l.began))}` : "";
  write(when, `${moment(l.began, true)}${length}${l.resigned ? ", handed over" : ""}`);
}
