"use strict";
/** Delta debugging: the least input of which the oracle says the same. `same(args)` runs it. */
const MOST_TRIES = 600;

async function minimise(args, same) {
  let best = args;
  let left = MOST_TRIES;
  const paths = [];
  walk(args, [], paths);
  for (const path of paths) {
    await text(get(best, path), async (shorter) => {
      if (left-- <= 0) return false;
      const next = set(best, path, shorter);
      if (!(await same(next))) return false;
      best = next;
      return true;
    });
  }
  return best;
}

async function text(value, keep) {
  if (typeof value !== "string") return;
  let current = value;
  for (let size = current.length; size >= 1; size = size >> 1) {
    for (let at = 0; at < current.length; ) {
      const shorter = current.slice(0, at) + current.slice(at + size);
      if (await keep(shorter)) current = shorter;
      else at += size;
      if (size < 8 && current.length > 256) break;
    }
  }
}

function walk(value, path, paths) {
  if (typeof value === "string") paths.push(path);
  else if (value !== null && typeof value === "object" && path.length < 6)
    for (const key of Object.keys(value).slice(0, 32)) walk(value[key], [...path, key], paths);
}

function get(value, path) {
  return path.reduce((held, key) => (Object.hasOwn(Object(held), key) ? held[key] : undefined), value);
}

function set(value, path, inner) {
  if (path.length === 0) return inner;
  const [key, ...rest] = path;
  const copy = Array.isArray(value) ? value.slice() : Object.defineProperties({}, Object.getOwnPropertyDescriptors(value));
  Object.defineProperty(copy, key, { value: set(value[key], rest, inner), enumerable: true, configurable: true, writable: true });
  return copy;
}

module.exports = { minimise, get, set };
