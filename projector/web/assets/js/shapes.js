// The geometry of the chart, apart from the document.

const gap = 60_000; // milliseconds without a sample after which nothing is known

// runs cuts samples where some are missing: a line across would claim what nobody
// has seen.
export function runs(samples) {
  const all = [];
  for (const sample of samples) {
    const last = all.at(-1);
    if (last && sample.at - last.at(-1).at <= gap) last.push(sample);
    else all.push([sample]);
  }
  return all;
}

// steps is a line that stays until it changes, as the numbers do.
export function steps(pieces, units, x, y) {
  return pieces.map((run) => line(run, units, x, y, "M")).join("");
}

function line(run, units, x, y, begin) {
  let path = `${begin}${round(x(run[0].at))} ${round(y(units(run[0])))}`;
  for (let i = 1; i < run.length; i++) {
    path += `H${round(x(run[i].at))}`;
    if (units(run[i]) !== units(run[i - 1])) path += `V${round(y(units(run[i])))}`;
  }
  return path;
}

// areas are the services' shapes, one on the other in the given order.
export function areas(pieces, names, x, y) {
  return names.map((name, place) => {
    const below = (s) => names.slice(0, place).reduce((total, other) => total + (s.services[other] ?? 0), 0);
    const top = (s) => below(s) + (s.services[name] ?? 0);
    const path = pieces.map((run) => line(run, top, x, y, "M") + back(run, below, x, y) + "Z").join("");
    return { name, path };
  });
}

// back is the same kind of line, from right to left.
function back(run, units, x, y) {
  let path = `V${round(y(units(run.at(-1))))}`;
  for (let i = run.length - 1; i > 0; i--) {
    if (units(run[i]) !== units(run[i - 1])) path += `H${round(x(run[i].at))}V${round(y(units(run[i - 1])))}`;
  }
  return path + `H${round(x(run[0].at))}`;
}

const round = (n) => Math.round(10 * n) / 10;

// levels are the numbers at the grid, four or five of them.
export function levels(most) {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, power * [1, 2, 2.5, 5, 10].find((f) => f * power >= rough));
  const all = [];
  for (let level = 0; level <= most; level += step) if (Number.isInteger(level)) all.push(level);
  return all;
}

const widest = 84; // pixels that a time needs around it
const lengths = [15, 30, 60, 120, 300, 600, 900, 1800].map((s) => 1000 * s);

// hours are the times under the chart: whole minutes, as many as fit.
export function hours(begin, end, width) {
  const fits = Math.max(1, Math.floor(width / widest));
  const step = lengths.find((length) => (end - begin) / length <= fits && length >= 60_000) ?? lengths.at(-1);
  const all = [];
  const side = (end - begin) * 18 / width; // so that no text leaves the picture
  for (let at = Math.ceil((begin + side) / step) * step; at <= end - side; at += step) all.push(at);
  return all;
}
