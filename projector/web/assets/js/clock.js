// The server's time, and texts that grow old by themselves.

import { write } from "./dom.js";
import { moment, span } from "./format.js";

let skew = 0; // server's clock less ours, in milliseconds

// setServerTime takes the server's time from the header of an answer: pages are
// also open on machines whose clock is wrong.
export function setServerTime(header) {
  const server = Date.parse(header ?? "");
  if (!Number.isNaN(server)) skew = Math.abs(server - Date.now()) < 2000 ? 0 : server - Date.now();
}

export const now = () => Date.now() + skew;

// age is how long ago a time of the server's was.
export const age = (time) => Math.max(0, now() - new Date(time).getTime());

// since makes a node say since when, and for how long, from now on.
export function since(node, time, before = "since") {
  if (node.dataset.since !== time || node.dataset.before !== before) {
    node.dataset.since = time;
    node.dataset.before = before;
    grow(node);
  }
}

function grow(node) {
  write(node, `${node.dataset.before} ${moment(node.dataset.since)}, for ${span(age(node.dataset.since))}`);
}

const everySecond = [() => document.querySelectorAll("[data-since]").forEach(grow)];

// eachSecond has something looked at once a second.
export const eachSecond = (look) => everySecond.push(look);

setInterval(() => everySecond.forEach((look) => look()), 1000);
