// The stream of events. It is read with fetch and not with EventSource, which
// hides the sentence of a refusal and the heartbeats that show that a quiet
// connection lives.

const firstDelay = 300; // milliseconds; then twice as long each time
const longestDelay = 10_000;
const silence = 40_000; // two heartbeats and a half
const largestEvent = 4 << 20; // characters; a status has some thousand

// follow reads the stream for ever: open(headers) when it is connected,
// event(name, data) for each event, lost({at, why, next}) when it has ended, with
// the times of the last sign of life and of the next attempt.
export function follow(url, { open, event, lost }) {
  let delay = firstDelay;
  let wake = () => {};

  async function read() {
    const abort = new AbortController();
    let watchdog;
    let at = null;
    const alive = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => abort.abort(), silence);
    };
    alive();
    try {
      const answer = await fetch(url, { headers: { Accept: "text/event-stream" }, cache: "no-store", signal: abort.signal });
      if (!answer.ok) return { at, why: await refusal(answer) };
      open(answer.headers);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return { at, why: "" };
        alive();
        at = Date.now();
        rest += value;
        if (rest.length > largestEvent) return { at, why: "It sent an event that is too large." };
        const frames = rest.split("\n\n");
        rest = frames.pop();
        for (const frame of frames) {
          const { name, data } = parse(frame);
          if (data === null) continue;
          delay = firstDelay;
          event(name, data);
        }
      }
    } catch (error) {
      if (error instanceof TypeError || error.name === "AbortError") return { at, why: "" };
      throw error; // a mistake of this page, which should be seen
    } finally {
      clearTimeout(watchdog);
      abort.abort();
    }
  }

  async function run() {
    for (;;) {
      const end = await read();
      const wait = delay * (0.8 + 0.4 * Math.random()); // so that many pages do not come back at once
      delay = Math.min(2 * delay, longestDelay);
      lost({ ...end, next: Date.now() + wait });
      await new Promise((done) => {
        const timer = setTimeout(done, wait);
        wake = () => {
          clearTimeout(timer);
          delay = firstDelay;
          done();
        };
      });
    }
  }

  run();
  const retry = () => wake();
  addEventListener("online", retry);
  document.addEventListener("visibilitychange", () => document.hidden || retry());
}

function parse(frame) {
  let name = "message";
  let data = null;
  for (const line of frame.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (line.startsWith("data: ")) data = (data === null ? "" : `${data}\n`) + line.slice(6);
  }
  return { name, data };
}

// refusal is the sentence with which the server refused.
async function refusal(answer) {
  try {
    const { error } = await answer.json();
    return String(error);
  } catch {
    return `It answered with status ${answer.status}.`;
  }
}
