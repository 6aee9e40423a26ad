// The page: what comes from the stream goes into the document.

import { eachSecond, setServerTime } from "./clock.js";
import { byId, set, write } from "./dom.js";
import { clock } from "./format.js";
import { meet, inOrder } from "./colors.js";
import { follow } from "./stream.js";
import { say } from "./say.js";
import { showNumbers } from "./numbers.js";
import { showLimit } from "./limitbar.js";
import { showNotices } from "./notices.js";
import { showAlerts } from "./alerts.js";
import { showServices } from "./services.js";
import { offerServices, refreshContainers, startContainers } from "./containers.js";
import { showWaiters, startWaiters } from "./waiters.js";
import { history, loadHistory, remember } from "./history.js";
import { showChart, startChart } from "./chart.js";
import { showLeaders } from "./leaders.js";

const root = document.documentElement;
const link = { state: "opening", since: Date.now(), next: 0, why: "" };
let status = null;

function showStatus(next) {
  const led = leadership(status);
  status = next;
  meet(inOrder(status.services));
  set(root, "data-view", "full");
  byId("view").hidden = false;
  showNumbers(status);
  showLimit(status);
  showAlerts(status);
  showServices(status);
  offerServices(status);
  showWaiters(status);
  showLink();
  remember(status);
  showChart(status);
  refreshContainers();
  if (led !== leadership(status)) askHistory();
  showLeaders(history.leaders, status);
  set(root, "data-sequence", status.sequence);
  set(root, "data-updated-at", status.updated_at);
}

const leadership = (s) => s && `${s.incarnation} ${s.epoch} ${s.leader}`;

async function askHistory() {
  if (!(await loadHistory()) || !status) return;
  showChart(status);
  showLeaders(history.leaders, status);
}

// showEmpty says why there is nothing to see yet.
function showEmpty(title, why) {
  if (status) return;
  write(byId("empty-title"), title);
  write(byId("empty-why"), why);
}

function showLink() {
  set(root, "data-link", link.state);
  write(byId("link"), { opening: "Connecting…", live: "Live", lost: "Not connected" }[link.state]);
  showNotices(status, link);
  if (link.state === "lost") showEmpty("The arbiter cannot be reached", `${link.why} It is tried again by itself.`.trim());
}

follow("api/events", {
  open(headers) {
    setServerTime(headers.get("Date"));
    if (link.state === "lost") say("The connection to the arbiter is back.");
    Object.assign(link, { state: "live", why: "" });
    showLink();
    askHistory();
  },
  event(name, data) {
    if (name === "status") showStatus(JSON.parse(data));
    if (name === "none") showEmpty("No status yet: the arbiter has not read the history", JSON.parse(data).why);
  },
  lost({ at, why, next }) {
    if (link.state !== "lost") {
      link.since = at ?? Date.now();
      if (status) say(`The connection to the arbiter was lost at ${clock(link.since)}.`);
    }
    Object.assign(link, { state: "lost", why, next });
    showLink();
  },
});

startContainers();
startWaiters();
startChart();
eachSecond(showLink);
