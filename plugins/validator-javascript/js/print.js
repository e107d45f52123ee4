'use strict';
// How values are shown to learners. What lives on the other side prints there.
const util = require('node:util');

let remote = { is: () => false, text: () => '' };
const { inspect } = util;

// print is a value as JavaScript would write it, at most some lines long.
function print(v, { depth = 6, limit = 4000 } = {}) {
  let text;
  try {
    text = inspect(v === undefined ? v : hidden(v, 0, new Map()), { depth, breakLength: 80, maxArrayLength: 200, maxStringLength: 4000, sorted: false });
  } catch (e) {
    text = `<${e?.name ?? 'error'} while it was printed>`;
  }
  return text.length > limit ? `${text.slice(0, limit)} …` : text;
}

// hidden puts texts in the place of what can't be looked into from here.
function hidden(v, depth, seen) {
  if ((typeof v !== 'object' && typeof v !== 'function') || v === null) return v;
  if (remote.is(v)) {
    const text = String(remote.text(v)).slice(0, 4000);
    return { [inspect.custom]: () => text };
  }
  if (util.types.isNativeError(v)) { // without its stack, which says where the judge is
    const text = `[${String(v.name)}: ${String(v.message)}]`;
    return { [inspect.custom]: () => text };
  }
  if (typeof v === 'function' || depth > 5) return v;
  if (seen.has(v)) return seen.get(v);
  const proto = Object.getPrototypeOf(v);
  if (Array.isArray(v) && proto === Array.prototype) {
    const out = new Array(v.length);
    seen.set(v, out);
    for (const k of Object.keys(v)) out[k] = hidden(v[k], depth + 1, seen);
    return out;
  }
  if (proto === Object.prototype || proto === null) {
    const out = Object.create(proto);
    seen.set(v, out);
    for (const k of Reflect.ownKeys(v)) {
      const d = Object.getOwnPropertyDescriptor(v, k);
      if ('value' in d && d.enumerable) Object.defineProperty(out, k, { ...d, configurable: true, value: hidden(d.value, depth + 1, seen) });
    }
    return out;
  }
  return v;
}

const lookInto = (r) => { remote = r; };

module.exports = { print, lookInto };
