// How numbers and times are written.

const integers = new Intl.NumberFormat("en");
const percents = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const clocks = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const minutes = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

export const number = (n) => integers.format(n);
export const percent = (n) => `${percents.format(n)}%`;
export const clock = (time) => clocks.format(new Date(time));
export const minute = (time) => minutes.format(new Date(time));

// moment is the time of day, with the day if it is another one; about leaves out
// the seconds.
export function moment(time, about = false) {
  const date = new Date(time);
  const text = (about ? minutes : clocks).format(date);
  return date.toDateString() === new Date().toDateString() ? text : `${days.format(date)}, ${text}`;
}

// span is a length of time in the unit that fits.
export function span(millis) {
  const seconds = Math.max(0, Math.round(millis / 1000));
  if (seconds < 90) return `${seconds} s`;
  const total = Math.round(seconds / 60);
  if (total < 120) return `${total} min`;
  const hours = Math.floor(total / 60);
  if (hours < 48) return `${hours} h${total % 60 ? ` ${total % 60} min` : ""}`;
  return `${Math.floor(hours / 24)} days`;
}

export const count = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;
