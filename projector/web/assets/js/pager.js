// One page of containers from the server, again when the status has changed: never
// more than four times a second, one request at a time, and none while nobody
// looks.

const gap = 250; // milliseconds between the beginnings of two requests
const patience = 10_000;

// pager returns a function that asks for a page of what ask() describes. Calls
// while it asks are one call afterwards.
export function pager(ask, show) {
  let busy = false;
  let again = false;
  let began = -gap;
  let timer;

  async function fetchPage() {
    busy = true;
    again = false;
    began = performance.now();
    try {
      const asked = ask();
      if (asked) {
        const answer = await fetch(`api/containers?${new URLSearchParams(asked)}`, { cache: "no-store", signal: AbortSignal.timeout(patience) });
        if (answer.ok) show(await answer.json(), asked);
      }
    } catch (error) {
      // The stream says that the connection is lost, and its return asks again.
      if (!(error instanceof TypeError || error.name === "TimeoutError" || error.name === "AbortError")) throw error;
    } finally {
      busy = false;
      if (again) refresh();
    }
  }

  function refresh() {
    if (busy || document.hidden) {
      again = true;
      return;
    }
    clearTimeout(timer);
    timer = setTimeout(fetchPage, Math.max(0, began + gap - performance.now()));
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && again && !busy) refresh();
  });
  return refresh;
}
