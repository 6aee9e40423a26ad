// Which colour a service has. It keeps it while the page is open: services that
// come and go do not repaint the others.

const colours = 10;
const places = new Map();

// meet gives places to services that have none, in the given order.
export function meet(names) {
  for (const name of names) if (!places.has(name)) places.set(name, places.size);
}

// colour is the class that sets a service's colour.
export function colour(name) {
  meet([name]);
  return `s${places.get(name) % colours}`;
}

// paint are the classes that fill something with it.
export function paint(name) {
  const classes = `paint ${colour(name)}`;
  return places.get(name) < colours ? classes : `${classes} again`;
}

// inOrder are the names of a status' services, the most important first.
export function inOrder(services) {
  return Object.keys(services).sort((a, b) => services[b].priority - services[a].priority || (a < b ? -1 : 1));
}
