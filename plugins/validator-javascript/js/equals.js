'use strict';
// Equality as Jest has it. Only matchers made here match asymmetrically: an
// object of the learner's that claims to match anything does not.
const { types } = require('node:util');
const { home } = require('./intrinsics.js');

const asymmetric = new WeakMap(); // matcher → (value) => boolean

// equals compares deeply; strict also minds undefined properties, holes and classes.
function equals(a, b, { strict = false, custom = [] } = {}) {
  return same(a, b, strict, new Map(), custom);
}

function same(a, b, strict, seen, custom) {
  const ma = isObject(a) ? asymmetric.get(a) : undefined;
  const mb = isObject(b) ? asymmetric.get(b) : undefined;
  if (mb) return mb(a);
  if (ma) return ma(b);
  for (const c of custom) {
    const r = c(a, b);
    if (r !== undefined) return r;
  }
  if (identical(a, b)) return true;
  if (!isObject(a) || !isObject(b)) return false;
  if (typeof a === 'function' || typeof b === 'function') return false;
  if (isError(a) && isError(b)) {
    return a.message === b.message && a.name === b.name && (!strict || Object.getPrototypeOf(a) === Object.getPrototypeOf(b));
  }
  const kind = tag(a);
  if (kind !== tag(b)) return false;
  switch (kind) {
    case '[object Date]': return Object.is(+a, +b);
    case '[object RegExp]': return a.source === b.source && a.flags === b.flags;
    case '[object Number]': case '[object String]': case '[object Boolean]':
      if (!Object.is(a.valueOf(), b.valueOf())) return false;
      break;
  }
  if (strict && Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  let partners = seen.get(a);
  if (partners?.has(b)) return true;
  if (!partners) seen.set(a, partners = new Set());
  partners.add(b);
  const inner = (x, y) => same(x, y, strict, seen, custom);
  if (a instanceof Map && b instanceof Map) return a.size === b.size && members([...a], [...b], inner) && properties(a, b, strict, inner);
  if (a instanceof Set && b instanceof Set) return a.size === b.size && members([...a], [...b], inner) && properties(a, b, strict, inner);
  if (ArrayBuffer.isView(a) || types.isAnyArrayBuffer(a)) return Buffer.compare(bytes(a), bytes(b)) === 0;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  // What says of itself that it is a Set, URL or the like has nothing inside to compare.
  if (types.isProxy(a) !== types.isProxy(b) && !/^\[object (Object|Array)\]$/.test(kind)) return false;
  if (Array.isArray(a) && a.length !== b.length) return false;
  if (typeof a[Symbol.iterator] === 'function' && typeof b[Symbol.iterator] === 'function' && !Array.isArray(a) && !types.isProxy(a) && !types.isProxy(b) && kind === '[object Object]') {
    return members([...a], [...b], inner, true) && properties(a, b, strict, inner);
  }
  return properties(a, b, strict, inner);
}

// identical minds that the other side's Function and its like are no others.
const identical = (a, b) => Object.is(home(a), home(b));
const isObject = (v) => (typeof v === 'object' || typeof v === 'function') && v !== null;
const tag = (v) => Object.prototype.toString.call(v);
const isError = (v) => types.isNativeError(v) || v instanceof Error;
const bytes = (v) => (ArrayBuffer.isView(v) ? Buffer.from(v.buffer, v.byteOffset, v.byteLength) : Buffer.from(v));

function properties(a, b, strict, inner) {
  const ka = keys(a, strict);
  const kb = keys(b, strict);
  if (strict && ka.size !== kb.size) return false;
  // Only keys that are there are asked for: a stand-in learns nothing of the other's.
  for (const [k, x] of ka) {
    if (kb.has(k) ? !inner(x, kb.get(k)) : x !== undefined || strict) return false;
  }
  for (const [k, y] of kb) if (!ka.has(k) && (y !== undefined || strict)) return false;
  return true;
}

function keys(v, strict) {
  const out = new Map();
  const list = Array.isArray(v);
  for (const k of Reflect.ownKeys(v)) {
    const d = Reflect.getOwnPropertyDescriptor(v, k);
    if (d?.enumerable) out.set(k, 'value' in d ? d.value : v[k]);
  }
  if (list && !strict) for (let i = 0; i < v.length; i++) if (!out.has(String(i))) out.set(String(i), undefined);
  return out;
}

// members pairs entries off, in any order unless ordered.
function members(a, b, inner, ordered = false) {
  if (a.length !== b.length) return false;
  if (ordered) return a.every((x, i) => inner(x, b[i]));
  const left = [...b];
  for (const x of a) {
    let i = left.findIndex((y) => Object.is(x, y));
    if (i < 0) i = left.findIndex((y) => inner(x, y));
    if (i < 0) return false;
    left.splice(i, 1);
  }
  return true;
}

// subset says whether an object has all that a pattern has, deeply.
function subset(a, pattern) {
  if (isObject(pattern) && asymmetric.has(pattern)) return equals(a, pattern);
  if (!isObject(a) || !isObject(pattern) || typeof pattern === 'function') return equals(a, pattern);
  if (Array.isArray(pattern)) return Array.isArray(a) && a.length === pattern.length && pattern.every((p, i) => subset(a[i], p));
  if (types.isProxy(a) && !/^\[object (Object|Array)\]$/.test(tag(pattern))) return equals(a, pattern);
  if (pattern instanceof Date || pattern instanceof RegExp || pattern instanceof Map || pattern instanceof Set || isError(pattern)) return equals(a, pattern);
  for (const k of Reflect.ownKeys(pattern)) {
    if (!Object.prototype.propertyIsEnumerable.call(pattern, k)) continue;
    if (!(k in a) || !subset(a[k], pattern[k])) return false;
  }
  return true;
}

module.exports = { equals, identical, subset, asymmetric, isObject, isError };
