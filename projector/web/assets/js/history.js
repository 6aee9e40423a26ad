// The last hour: what the server remembers, and what has happened since the page
// was opened.

import { now } from "./clock.js";

const hour = 3_600_000;
const step = 5_000; // milliseconds between two samples
const patience = 10_000;

export const history = { samples: [], leaders: [] };

// loadHistory asks the server, and reports whether it answered.
export async function loadHistory() {
  try {
    const answer = await fetch("api/history", { cache: "no-store", signal: AbortSignal.timeout(patience) });
    if (!answer.ok) return false;
    const { samples, leaders } = await answer.json();
    history.samples = samples.map((s) => ({ ...s, at: new Date(s.at).getTime() }));
    history.leaders = leaders;
    return true;
  } catch (error) {
    if (error instanceof TypeError || error.name === "TimeoutError" || error.name === "AbortError") return false;
    throw error;
  }
}

// sampleOf is what the chart needs of a status.
export function sampleOf(status, at) {
  const services = {};
  for (const [name, service] of Object.entries(status.services)) services[name] = service.total_connections;
  const { max_connections, reserved, external, available } = status;
  return { at, max_connections, reserved, external, available, services };
}

// remember adds a status, one every few seconds, and forgets what is older than an
// hour.
export function remember(status) {
  const at = new Date(status.updated_at).getTime();
  const { samples } = history;
  if (samples.length > 0 && at - samples.at(-1).at < step) return;
  samples.push(sampleOf(status, at));
  const first = samples.findIndex((s) => s.at >= now() - hour);
  if (first > 0) samples.splice(0, first);
}
