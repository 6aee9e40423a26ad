// What is read out to those who do not see the page. Numbers change all the time
// and are not read out; that an alert comes or goes, or the connection, is.

import { byId } from "./dom.js";

const rest = 1500; // milliseconds, so that one sentence does not cut off another
let queue = [];
let busy = false;

export function say(sentence) {
  if (queue.at(-1) !== sentence) queue.push(sentence);
  queue = queue.slice(-5);
  if (!busy) speak();
}

function speak() {
  const sentence = queue.shift();
  busy = sentence !== undefined;
  if (!busy) return;
  byId("say").textContent = sentence;
  setTimeout(speak, rest);
}
