// The key numbers, and the line at the foot.

import { set, value } from "./dom.js";
import { clock, number, percent } from "./format.js";

const healths = { healthy: "Healthy", warning: "Warning", critical: "Critical", unknown: "Unknown" };

export function showNumbers(status) {
  const say = (name, text) => value(document, name, text);
  for (const name of ["max_connections", "available", "total_allocated", "remaining", "epoch", "sequence", "rejected"]) {
    say(name, number(status[name]));
  }
  say("utilization_pct", percent(status.utilization_pct));
  say("containers", number(Object.values(status.services).reduce((sum, s) => sum + s.count, 0)));
  set(say("health", healths[status.health] ?? status.health), "data-health", status.health);
  say("budget", status.budget);
  say("supabase_plan", status.supabase_plan);
  say("leader", status.leader ? status.leader + (status.leader_host ? ` on ${status.leader_host}` : "") : "nobody");
  say("lag", status.lag === 0 ? "none" : number(status.lag));
  set(say("updated_at", clock(status.updated_at)), "datetime", status.updated_at);
  document.title = `${status.total_allocated}/${status.available} · ${status.budget} · Conncord`;
}
