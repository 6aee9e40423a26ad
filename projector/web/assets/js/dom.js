// Small hands for the document. What comes from the system is only ever set as
// text here: no name of a container is ever read as markup.

export const byId = (id) => document.getElementById(id);

// el makes an element. Attributes that are false or null are left out.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) set(node, name, value);
  node.append(...children);
  return node;
}

const vectors = "http://www.w3.org/2000/svg";

// vector makes an element of a drawing.
export function vector(tag, attributes = {}, text = null) {
  const node = document.createElementNS(vectors, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== null) node.textContent = text;
  return node;
}

// set changes an attribute only where it differs, so that nothing is laid out or
// read out again for no reason.
export function set(node, name, value) {
  if (value === false || value === null || value === undefined) {
    node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value)) {
    node.setAttribute(name, value);
  }
}

// write changes a text only where it differs.
export function write(node, text) {
  text = String(text);
  if (node.textContent !== text) node.textContent = text;
}

// value writes one named value inside a node.
export function value(node, name, text) {
  const place = node.querySelector(`[data-value="${name}"]`);
  if (place) write(place, text);
  return place;
}

// list makes the children of a node match the items: by key, in their order. A
// child stays the same element while its item stays, and keeps the focus.
export function list(parent, items, { key, make, update, head = 0 }) {
  const before = parent.listed ?? new Map();
  const after = new Map();
  const focused = document.activeElement;
  const inside = parent.contains(focused);
  let next = parent.children[head] ?? null;
  for (const item of items) {
    const k = key(item);
    const node = before.get(k) ?? make(item);
    before.delete(k);
    after.set(k, node);
    update(node, item);
    if (node === next) {
      next = node.nextElementSibling;
    } else {
      parent.insertBefore(node, next);
    }
  }
  for (const node of before.values()) node.remove();
  parent.listed = after;
  if (inside && document.activeElement !== focused && focused.isConnected) {
    focused.focus({ preventScroll: true });
  }
}
