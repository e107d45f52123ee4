'use strict';
// One end of the channel: asks the other side, answers what it asks meanwhile,
// and makes the stand-ins for what lives there.
const util = require('node:util');
const channel = require('./channel.js');
const { Wire, Uncarriable, Malformed } = require('./wire.js');
const { names } = require('./intrinsics.js');
const { YES, doubtful, primitive } = require('./doubts.js');

const COMMON = new Set(['name', 'length', 'prototype', 'call', 'apply', 'bind', 'constructor', 'toString', Symbol.hasInstance]); // to all functions
const inspectSymbol = Symbol.for('nodejs.util.inspect.custom');

class Peer {
  // guarded: what this side hands out may be called and read, but not be
  // changed in ways that reach beyond it. Extra operations go by name.
  // conceals(f) says of which functions only the call is for the other side.
  constructor(side, { guarded = false, conceals = () => false, operations = {}, note = () => {}, extras = () => ({}), woke } = {}) {
    this.guarded = guarded;
    this.conceals = conceals;
    this.operations = operations;
    this.note = note; // hears of what comes beside an answer
    this.extras = extras; // what goes beside each message
    this.remotes = new WeakSet();
    this.asked = 0;
    this.converted = new Map(); // stand-in → what it converts to, while nothing else is asked
    this.wire = new Wire(side, { standIn: (e) => this.standIn(e), woke });
  }

  transmit(message) {
    this.wire.flush(message);
    Object.assign(message, this.extras());
    channel.send(message);
    this.wire.sent(message);
  }

  receive() {
    return this.trusting(() => {
      const message = channel.receive();
      this.wire.absorb(message);
      this.note(message);
      return message;
    });
  }

  // trusting ends the talk with a side that does not keep to its form.
  trusting(f) {
    try { return f(); } catch (e) {
      if (e instanceof Malformed || e instanceof SyntaxError || e instanceof TypeError) throw new channel.Gone(`the other side is not understood: ${e.message}`);
      throw e;
    }
  }

  // ask sends a request and returns the answer, which may be an exception.
  ask(op, ...args) {
    this.asked++;
    if (op !== 'text') this.converted = new Map();
    this.transmit({ q: op, a: args.map((a) => this.wire.encode(a)) });
    for (;;) {
      const m = this.receive();
      if (m.q !== undefined) {
        this.answer(m);
        continue;
      }
      if (m.c !== undefined) {
        // There is no reason for this where nothing was lent that could be extended or frozen.
        if (this.guarded && !this.wire.lent) throw new channel.Gone('the other side refuses without a reason');
        throw new Uncarriable(String(m.c));
      }
      if (m.e !== undefined) throw this.trusting(() => this.wire.decode(m.e));
      return this.trusting(() => this.wire.decode(m.v ?? null));
    }
  }

  answer(m) {
    this.asked++;
    const args = this.trusting(() => m.a.map((a) => this.wire.decode(a)));
    let reply;
    try {
      reply = { v: this.wire.encode(this.perform(String(m.q), args)) };
    } catch (e) {
      if (e instanceof channel.Gone) throw e;
      if (e instanceof Malformed) throw new channel.Gone(e.message);
      reply = e instanceof Uncarriable ? { c: e.message } : { e: this.wire.encode(e) };
    }
    this.transmit(reply);
  }

  perform(op, args) {
    const own = Object.hasOwn(this.operations, op) ? this.operations[op] : undefined;
    if (own) return own(...args);
    const [o, k, v, receiver] = args;
    if ((typeof o !== 'object' && typeof o !== 'function') || o === null) throw new Malformed('no object to work on');
    if (this.guarded && names.has(o)) throw new Malformed('the language itself is asked for'); // each side has its own
    if (this.guarded && this.mayNot(op, o, k)) throw new TypeError('this is not yours to change');
    if (this.conceals(o) && !/^(apply|construct|proto|text|tag)$/.test(op) && !COMMON.has(k)) return op === 'keys' ? [] : undefined;
    switch (op) {
      case 'apply': return Reflect.apply(o, k, args.slice(2));
      case 'construct': return Reflect.construct(o, args.slice(1));
      case 'get': return this.member(o, Reflect.get(o, k, v === undefined ? o : v), k);
      case 'set': return Reflect.set(o, k, v, receiver === undefined ? o : receiver);
      case 'has': return Reflect.has(o, k);
      case 'keys': return Reflect.ownKeys(o);
      case 'proto': return Reflect.getPrototypeOf(o);
      case 'delete': return Reflect.deleteProperty(o, k);
      case 'describe': {
        const d = Reflect.getOwnPropertyDescriptor(o, k);
        return d && { value: 'value' in d ? d.value : Reflect.get(o, k), enumerable: d.enumerable, writable: d.writable ?? true };
      }
      case 'define': return Reflect.defineProperty(o, k, v);
      case 'text': return text(o);
      case 'primitive': return primitive(o, k);
      case 'tag': return Object.prototype.toString.call(o);
    }
    throw new Malformed(`an unknown request ${op}`);
  }

  // member keeps a method of the language's own bound to objects that stay here:
  // the other side's namesake would refuse a stand-in.
  member(o, v, k) {
    if (typeof v !== 'function' || typeof o === 'function' || k === 'constructor' || !names.has(v)) return v;
    if (!/^(%\w+%|(?!Object|Function|Error)\w+\.prototype)\.(?!constructor)/.test(names.get(v))) return v;
    if (this.guarded) return (...args) => Reflect.apply(v, o, args);
    return function (...args) { return Reflect.apply(v, this === undefined ? o : this, args); };
  }

  mayNot(op, o, k) {
    if (op !== 'set' && op !== 'define' && op !== 'delete') return false;
    return typeof o === 'function' || k === '__proto__' || Object.hasOwn(o, 'constructor');
  }

  // convert asks once: what is compared with two bounds is the same for both.
  convert(v, hint) { return this.once(v, [hint], () => this.ask('primitive', v, hint)); }

  once(v, state, get) {
    const known = this.converted.get(v) ?? [];
    const seen = known.find((k) => k.state.length === state.length && k.state.every((x, i) => Object.is(x, state[i])));
    if (seen) return seen.value;
    const kept = this.converted;
    const value = get();
    this.converted = kept.set(v, [...known, { state, value }]);
    return value;
  }

  // call calls a function of the other side's. Plain objects are copies here, but
  // what they convert with and agree with is over there.
  call(f, self, args) {
    const plain = this.guarded && typeof self === 'object' && self !== null && !util.types.isProxy(self);
    const has = (k) => Object.getOwnPropertyDescriptor(self, k)?.value === f;
    const text = plain && YES.find(has);
    if (text) return doubtful(text, (...more) => this.ask('apply', f, self, ...more))(...args);
    if (plain && ['valueOf', 'toString', Symbol.toPrimitive].some(has)) {
      return this.once(f, [self, ...args, ...Object.values(self)], () => this.ask('apply', f, self, ...args));
    }
    return this.ask('apply', f, self, ...args);
  }

  isRemote(v) { return this.remotes.has(v); }

  standIn([tag, key, a, b, isClass]) {
    const peer = this;
    let target;
    if (tag === 'f') {
      target = (isClass ? class {} : function () {}).bind();
      const name = { value: String(a), configurable: true };
      Object.defineProperties(target, { name, length: { value: Number(b), configurable: true } });
    } else target = a ? [] : {};
    const handler = {
      get(_, k, receiver) {
        if (k === inspectSymbol || k === 'asymmetricMatch') return undefined;
        if (peer.guarded && receiver === proxy && k === Symbol.toPrimitive) return (hint) => peer.convert(proxy, hint);
        const v = receiver === proxy || !peer.wire.keys.has(receiver) ? peer.ask('get', proxy, k) : peer.ask('get', proxy, k, receiver);
        return peer.guarded && tag === 'x' && !names.has(v) ? doubtful(k, v) : v;
      },
      set(_, k, v, receiver) {
        if (receiver === proxy || !peer.wire.keys.has(receiver)) {
          if (receiver !== proxy) return Reflect.defineProperty(receiver, k, { value: v, writable: true, enumerable: true, configurable: true });
          return Boolean(peer.ask('set', proxy, k, v));
        }
        return Boolean(peer.ask('set', proxy, k, v, receiver));
      },
      has: (_, k) => Boolean(peer.ask('has', proxy, k)),
      ownKeys(_) {
        const keys = [...new Set(Array.from(peer.ask('keys', proxy)).filter((k) => typeof k === 'string' || typeof k === 'symbol'))];
        if (Array.isArray(target) && !keys.includes('length')) keys.push('length');
        return keys;
      },
      getOwnPropertyDescriptor(_, k) {
        const d = peer.ask('describe', proxy, k);
        if (Array.isArray(target) && k === 'length') return { value: Number(d?.value ?? 0), writable: true, enumerable: false, configurable: false };
        return d && { value: d.value, writable: Boolean(d.writable), enumerable: Boolean(d.enumerable), configurable: true };
      },
      defineProperty: (_, k, d) => Boolean(peer.ask('define', proxy, k, { ...d })),
      deleteProperty: (_, k) => Boolean(peer.ask('delete', proxy, k)),
      getPrototypeOf() {
        const p = peer.ask('proto', proxy);
        return typeof p === 'object' || typeof p === 'function' ? p : null;
      },
      setPrototypeOf: () => { throw new Uncarriable('the prototype of an object on the other side is set'); },
      preventExtensions: () => { throw new Uncarriable('an object on the other side is frozen'); },
    };
    if (tag === 'f') {
      handler.apply = (_, self, args) => peer.call(proxy, self, args);
      handler.construct = (_, args, newTarget) => {
        if (newTarget !== proxy) throw new Uncarriable('a class of the submission is extended by the tests');
        return peer.ask('construct', proxy, ...args);
      };
    }
    const proxy = new Proxy(target, handler);
    this.remotes.add(proxy);
    return proxy;
  }
}

// text is how a value prints, whatever its owner makes of printing.
function text(v) {
  try {
    return util.inspect(v, { depth: 4, breakLength: 80, customInspect: false });
  } catch (e) {
    return `<${e?.name ?? 'error'} while it was printed>`;
  }
}

module.exports = { Peer, text, Uncarriable, Gone: channel.Gone };
