'use strict';
// How values cross. Plain data (objects, arrays, Map, Set, Date, RegExp, bytes)
// is copied, rebuilt as exact built-ins, and kept in step: each message carries
// what has changed in copies that both sides know, so that a list sorted in
// place is sorted for both. All else (functions, classes, instances, iterators)
// stays where it is and is used through a stand-in.
const util = require('node:util');
const { names, values, apart, homes, symbols, wellKnown } = require('./intrinsics.js');

const { types } = util;
const BYTES = ['Uint8Array', 'Int8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array',
  'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'];
const KEEP = 100; // copies kept in step
const KEEP_SIZE = 4000; // and what they weigh, in 16 bytes of JSON
const LONGEST = 5_000_000; // of a list

class Uncarriable extends Error {} // a value that an honest program has
class Malformed extends Error {} // a message that none sends

class Wire {
  // side is "t" or "s"; standIn(key, meta) makes a stand-in, settled(key, ok, value) hears of promises.
  constructor(side, hooks) {
    this.side = side;
    this.other = side === 't' ? 's' : 't';
    this.hooks = hooks;
    this.next = 1;
    this.keys = new WeakMap(); // object → key
    this.objects = new Map(); // key → object
    this.lent = false; // something went by reference
    this.copies = new Map(); // key → what both sides know of it
    this.symbolKeys = new Map();
    this.symbolValues = new Map();
    this.abroad = new Map(); // name of an intrinsic → its stand-in
    this.moved = 0; // bytes of copies that were looked through
    this.promises = new Map(); // key → resolvers of the other's promises
    this.settled = []; // of ours, to be told
  }

  own(v, key = this.side + this.next++) {
    this.keys.set(v, key);
    this.objects.set(key, v);
    return key;
  }

  encode(v) {
    switch (typeof v) {
      case 'undefined': return ['u'];
      case 'boolean': case 'string': return v;
      case 'number': return Number.isFinite(v) && !Object.is(v, -0) ? v : ['n', Object.is(v, -0) ? '-0' : String(v)];
      case 'bigint': return ['b', v.toString()];
      case 'symbol': return this.symbol(v);
    }
    if (v === null) return null;
    if (names.has(v)) return ['i', names.get(v)];
    if (homes.has(v)) return ['i', homes.get(v)];
    const key = this.keys.get(v);
    if (key !== undefined) return this.copies.has(key) ? ['o', key] : ['r', key];
    if (types.isProxy(v)) return this.reference(v);
    if (kindOf(v)) {
      this.copies.set(this.own(v), undefined);
      return ['o', this.keys.get(v)];
    }
    if (types.isPromise(v)) return this.promise(v);
    if (types.isNativeError(v)) return this.error(v);
    return this.reference(v);
  }

  symbol(v) {
    if (symbols.has(v)) return ['s', 'w', symbols.get(v)];
    if (Symbol.keyFor(v) !== undefined) return ['s', 'f', Symbol.keyFor(v)];
    let key = this.symbolKeys.get(v);
    if (key === undefined) {
      this.symbolKeys.set(v, key = this.side + this.next++);
      this.symbolValues.set(key, v);
    }
    return ['s', 'l', key, v.description ?? ''];
  }

  reference(v) {
    this.lent = true;
    if (typeof v === 'function') {
      const name = own(v, 'name');
      const length = own(v, 'length');
      return ['f', this.own(v), typeof name === 'string' ? name : '', typeof length === 'number' ? length : 0, isClass(v)];
    }
    return ['x', this.own(v), !types.isProxy(v) && Array.isArray(v)];
  }

  promise(v) {
    const key = this.own(v);
    const tell = (ok) => (value) => {
      this.settled.push([key, ok, value]);
      this.hooks.woke?.();
    };
    Promise.prototype.then.call(v, tell(true), tell(false));
    return ['p', key];
  }

  error(v) {
    const key = this.own(v);
    const props = [];
    for (const k of Reflect.ownKeys(v)) {
      const d = Reflect.getOwnPropertyDescriptor(v, k);
      if (k !== 'stack' && 'value' in d) props.push([this.encode(k), this.encode(d.value), d.enumerable]);
    }
    let stack = '';
    try { stack = String(v.stack); } catch { /* a learner's getter */ }
    return ['e', key, this.encode(Reflect.getPrototypeOf(v)), props, stack.slice(0, 8000)];
  }

  decode(e) {
    if (e === null || typeof e === 'string' || typeof e === 'boolean' || typeof e === 'number') return e;
    if (!Array.isArray(e)) throw new Malformed('a malformed value');
    switch (e[0]) {
      case 'u': return undefined;
      case 'n': return Number(e[1]);
      case 'b': return BigInt(e[1]);
      case 's': return this.decodeSymbol(e);
      case 'i': return this.intrinsic(e[1]);
      case 'o': case 'r': {
        const v = this.objects.get(e[1]);
        if (v === undefined) throw new Malformed('an unknown reference');
        return v;
      }
      case 'f': case 'x': return this.take(e[1], () => this.hooks.standIn(e));
      case 'p': return this.take(e[1], () => new Promise((ok, bad) => this.promises.set(e[1], [ok, bad])));
      case 'e': return this.take(e[1], () => this.decodeError(e));
    }
    throw new Malformed('a malformed value');
  }

  intrinsic(name) {
    if (!values.has(name)) throw new Malformed(`an unknown intrinsic ${name}`);
    const v = values.get(name);
    if (this.side === 's' || !apart.has(name)) return v;
    if (!this.abroad.has(name)) {
      const standIn = this.hooks.standIn(typeof v === 'function' ? ['f', name, v.name, v.length, false] : ['x', name, false]);
      this.abroad.set(name, standIn);
      homes.set(standIn, name);
    }
    return this.abroad.get(name);
  }

  // take makes what the other side names for the first time. Only its own names
  // are its to give.
  take(key, make) {
    if (typeof key !== 'string' || key[0] !== this.other || this.objects.has(key)) throw new Malformed('a malformed name');
    const v = make();
    this.own(v, key);
    return v;
  }

  decodeSymbol(e) {
    if (e[1] === 'w') return wellKnown.get(String(e[2]));
    if (e[1] === 'f') return Symbol.for(String(e[2]));
    let v = this.symbolValues.get(e[2]);
    if (v === undefined) {
      v = Symbol(String(e[3]));
      this.symbolValues.set(e[2], v);
      this.symbolKeys.set(v, e[2]);
    }
    return v;
  }

  decodeError(e) {
    const err = new Error('');
    delete err.message;
    const proto = this.decode(e[2]);
    for (const [k, v, enumerable] of e[3]) {
      Object.defineProperty(err, this.decode(k), { value: this.decode(v), enumerable: Boolean(enumerable), writable: true, configurable: true });
    }
    Object.defineProperty(err, 'stack', { value: String(e[4]), enumerable: false, writable: true, configurable: true });
    Object.setPrototypeOf(err, proto);
    return err;
  }

  // flush adds to a message what has changed in the copies since the last one.
  flush(message) {
    const settled = this.settled.splice(0).map(([key, ok, v]) => [key, ok, this.encode(v)]);
    const changes = [];
    let size = 0;
    for (const key of this.copies.keys()) { // grows while it runs
      const content = this.content(this.objects.get(key));
      const text = JSON.stringify(content);
      const weight = 1 + (text.length >> 4);
      size += weight;
      const before = this.copies.get(key);
      if (before === undefined || before.text !== text) {
        changes.push([key, ...content]);
        this.copies.set(key, { text, size: weight });
      }
    }
    this.moved += size << 4;
    if (settled.length) message.p = settled;
    if (changes.length) message.d = changes;
    // The oldest are let go, on both sides.
    let left = this.copies.size;
    for (const [key, { size: n }] of this.copies) {
      if (left <= KEEP && size <= KEEP_SIZE) break;
      if (changes.some((c) => c[0] === key)) break;
      (message.x ??= []).push(key);
      left--;
      size -= n;
    }
    return message;
  }

  // sent forgets what the message has told the other side to forget.
  sent(message) {
    for (const key of message.x ?? []) this.forget(key);
  }

  forget(key) {
    const v = this.objects.get(key);
    if (v === undefined || !this.copies.has(key)) return;
    this.keys.delete(v);
    this.objects.delete(key);
    this.copies.delete(key);
  }

  // absorb applies what a message says about copies and promises.
  absorb(message) {
    const fresh = [];
    for (const [key, kind, proto, , ...entries] of message.d ?? []) {
      if (!this.objects.has(key)) {
        this.take(key, () => make(kind, proto, entries));
        this.copies.set(key, undefined);
        fresh.push(key);
      } else if (!this.copies.has(key)) throw new Malformed('a malformed change');
    }
    const freeze = [];
    for (const [key, kind, proto, frozen, ...entries] of message.d ?? []) {
      const v = this.objects.get(key);
      if (!fresh.includes(key) && kindOf(v) !== kind) throw new Malformed('a copy has become another kind');
      fill(this, v, kind, entries);
      if (frozen) freeze.push([v, frozen]);
      this.copies.set(key, { text: null, size: 1 });
    }
    for (const [v, how] of freeze) [Object.preventExtensions, Object.seal, Object.freeze][how - 1](v);
    for (const [key] of message.d ?? []) {
      const text = JSON.stringify(this.content(this.objects.get(key)));
      this.copies.set(key, { text, size: 1 + (text.length >> 4) });
    }
    for (const [key, ok, v] of message.p ?? []) {
      const p = this.promises.get(key);
      if (!p) continue;
      this.promises.delete(key);
      p[ok ? 0 : 1](this.decode(v));
    }
    for (const key of message.x ?? []) this.forget(key);
  }

  // content is [kind, prototype, frozen, ...entries].
  content(v) {
    const kind = kindOf(v) ?? 'object';
    const frozen = Object.isExtensible(v) ? 0 : Object.isFrozen(v) ? 3 : Object.isSealed(v) ? 2 : 1;
    const out = [kind, Reflect.getPrototypeOf(v) === null ? 1 : 0, frozen];
    switch (kind) {
      case 'Date': out.push(this.encode(Date.prototype.getTime.call(v))); break;
      case 'RegExp': out.push(v.source, v.flags, v.lastIndex); return out;
      case 'Map': {
        const list = [];
        for (const [k, x] of Map.prototype.entries.call(v)) list.push([this.encode(k), this.encode(x)]);
        out.push(list);
        break;
      }
      case 'Set': {
        const list = [];
        for (const x of Set.prototype.values.call(v)) list.push(this.encode(x));
        out.push(list);
        break;
      }
      case 'array': {
        const list = new Array(v.length);
        for (let i = 0; i < v.length; i++) list[i] = Object.hasOwn(v, i) ? this.encode(v[i]) : ['hole'];
        out.push(list);
        break;
      }
      case 'Number': case 'String': case 'Boolean': out.push(v.valueOf()); return out;
      case 'ArrayBuffer': out.push(Buffer.from(v).toString('base64')); return out;
      default:
        if (kind !== 'object') {
          out.push(Buffer.from(v.buffer, v.byteOffset, v.byteLength).toString('base64'));
          return out;
        }
    }
    for (const key of Reflect.ownKeys(v)) {
      if (kind === 'array' && (key === 'length' || isIndex(key))) continue;
      const d = Reflect.getOwnPropertyDescriptor(v, key);
      out.push([this.encode(key), this.encode('value' in d ? d.value : v[key]), (d.enumerable ? 1 : 0) | (d.writable !== false ? 2 : 0) | (d.configurable ? 4 : 0)]);
    }
    return out;
  }
}

const own = (v, key) => {
  try { return Reflect.getOwnPropertyDescriptor(v, key)?.value; } catch { return undefined; }
};
const isIndex = (key) => typeof key === 'string' && /^(0|[1-9]\d{0,9})$/.test(key);
const isClass = (f) => !types.isProxy(f) && /^class\b/.test(Function.prototype.toString.call(f));

// kindOf says as what plain data travels; undefined for all else.
function kindOf(v) {
  if (typeof v !== 'object' || v === null || types.isProxy(v)) return undefined;
  const proto = Reflect.getPrototypeOf(v);
  switch (proto) {
    case Object.prototype: case null:
      if (types.isModuleNamespaceObject(v) || types.isArgumentsObject(v)) return undefined;
      if (types.isNativeError(v) || types.isPromise(v)) return undefined;
      for (const key of Reflect.ownKeys(v)) if (!('value' in Reflect.getOwnPropertyDescriptor(v, key))) return undefined;
      return 'object';
    case Array.prototype: return Array.isArray(v) ? 'array' : undefined;
    case Map.prototype: return types.isMap(v) ? 'Map' : undefined;
    case Set.prototype: return types.isSet(v) ? 'Set' : undefined;
    case Date.prototype: return types.isDate(v) ? 'Date' : undefined;
    case RegExp.prototype: return types.isRegExp(v) ? 'RegExp' : undefined;
    case Number.prototype: return types.isNumberObject(v) ? 'Number' : undefined;
    case String.prototype: return types.isStringObject(v) ? 'String' : undefined;
    case Boolean.prototype: return types.isBooleanObject(v) ? 'Boolean' : undefined;
    case ArrayBuffer.prototype: return types.isArrayBuffer(v) ? 'ArrayBuffer' : undefined;
    case Buffer.prototype: return 'Buffer';
  }
  for (const name of BYTES) if (proto === globalThis[name].prototype && types.isTypedArray(v)) return name;
  return undefined;
}

const bytes = (text) => {
  const b = Buffer.from(String(text), 'base64');
  return b.buffer.slice(b.byteOffset, b.byteOffset + b.length);
};

function make(kind, nullProto, entries) {
  switch (kind) {
    case 'object': return nullProto ? Object.create(null) : {};
    case 'array': return [];
    case 'Map': return new Map();
    case 'Set': return new Set();
    case 'Date': return new Date(0);
    case 'RegExp': return new RegExp(entries[0], entries[1]);
    case 'Number': case 'String': case 'Boolean': return Object(entries[0]);
    case 'ArrayBuffer': return bytes(entries[0]);
    case 'Buffer': return Buffer.from(bytes(entries[0]));
  }
  if (!BYTES.includes(kind)) throw new Malformed(`an unknown kind ${kind}`);
  return new globalThis[kind](bytes(entries[0]));
}

function fill(wire, v, kind, entries) {
  switch (kind) {
    case 'RegExp': v.lastIndex = Number(entries[2]); return;
    case 'Number': case 'String': case 'Boolean': return;
    case 'Date': v.setTime(wire.decode(entries.shift())); break;
    case 'Map':
      v.clear();
      for (const [k, x] of entries.shift()) v.set(wire.decode(k), wire.decode(x));
      break;
    case 'Set':
      v.clear();
      for (const x of entries.shift()) v.add(wire.decode(x));
      break;
    case 'array': {
      const list = entries.shift();
      if (!Array.isArray(list) || list.length > LONGEST) throw new Uncarriable('a list is too long');
      if (!Object.isFrozen(v)) v.length = list.length;
      list.forEach((x, i) => {
        if (Array.isArray(x) && x[0] === 'hole') delete v[i];
        else define(v, i, wire.decode(x), 7);
      });
      break;
    }
    case 'object': break;
    default: {
      const now = new Uint8Array(bytes(entries[0]));
      const into = kind === 'ArrayBuffer' ? new Uint8Array(v) : new Uint8Array(v.buffer, v.byteOffset, v.byteLength);
      into.set(now.subarray(0, into.length));
      return;
    }
  }
  const keep = new Set();
  for (const [k, x, flags] of entries) {
    const key = wire.decode(k);
    keep.add(key);
    define(v, key, wire.decode(x), flags);
  }
  for (const key of Reflect.ownKeys(v)) {
    if (!keep.has(key) && !(kind === 'array' && (key === 'length' || isIndex(key)))) Reflect.deleteProperty(v, key);
  }
}

function define(v, key, value, flags) {
  Reflect.defineProperty(v, key, { value, enumerable: Boolean(flags & 1), writable: Boolean(flags & 2), configurable: Boolean(flags & 4) });
}

module.exports = { Wire, Uncarriable, Malformed };
