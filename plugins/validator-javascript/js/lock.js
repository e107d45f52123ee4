'use strict';
// What a shared process does before the learner's code is loaded into it. It is
// the weaker protection, and reports say so.
const { names, values } = require('./intrinsics.js');

const FREE = new Set(['toString', 'valueOf', 'toLocaleString', 'constructor', 'name', 'message', 'toJSON']);
const OPEN = /^(Date|console|process|globalThis|require|Math|set|clear|queue|URL|Text|Buffer|Event|Abort|structured|Intl)/;
const DENIED = /^(node:)?(inspector|inspector\/promises|module|v8|vm|repl|worker_threads|cluster|child_process|trace_events|async_hooks|diagnostics_channel|wasi|test|test\/reporters|sea)$/;

function lock(frame) {
  const { defineProperty, getOwnPropertyDescriptor, freeze } = Object;
  defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: false, configurable: false });
  guardDefining();
  for (const [name, v] of values) {
    if (OPEN.test(name) || /^[gs]et /.test(name)) continue;
    for (const key of Reflect.ownKeys(v)) {
      const d = getOwnPropertyDescriptor(v, key);
      if (!d.configurable) continue;
      // How slice and then make what they return; tables and promises of ours need it.
      const makes = key === 'constructor' && /^(Array|Promise|RegExp)\.prototype$/.test(name);
      if (d.get || d.set) defineProperty(v, key, { configurable: false });
      else if (makes || (!FREE.has(key) && typeof d.value === 'function')) defineProperty(v, key, { ...d, writable: false, configurable: false });
    }
  }
  Object.preventExtensions(Object.prototype);
  for (const name of ['Object', 'Function', 'Array', 'String', 'Number', 'Boolean', 'Symbol', 'JSON', 'Reflect', 'Proxy', 'Map', 'Set', 'WeakMap', 'WeakSet', 'Promise', 'Error', 'RegExp']) {
    defineProperty(globalThis, name, { value: globalThis[name], writable: false, configurable: false, enumerable: false });
  }
  for (const name of ['node:assert', 'node:util', 'node:crypto']) {
    const m = require(name);
    freeze(m);
    if (m.strict) freeze(m.strict);
    if (m.AssertionError) { freeze(m.AssertionError); freeze(m.AssertionError.prototype); }
    if (m.types) freeze(m.types);
  }
  const globals = { ...frame.globals };
  for (const name of ['expect', 'test', 'it', 'describe']) {
    freeze(globals[name]);
    defineProperty(globalThis, name, { value: globals[name], writable: false, configurable: false });
  }
  const end = (what) => () => { throw new Error(`${what}() was called`); };
  for (const name of ['exit', 'reallyExit', 'abort', 'kill', '_kill', 'dlopen', 'binding', '_linkedBinding', 'getBuiltinModule', '_debugProcess', '_debugEnd', '_startProfilerIdleNotifier', 'setUncaughtExceptionCaptureCallback', 'removeAllListeners', 'emit']) {
    if (name === 'emit') continue;
    defineProperty(process, name, { value: end(`process.${name}`), writable: false, configurable: false });
  }
  defineProperty(process, 'mainModule', { value: undefined, writable: false, configurable: false });
  return {
    refuse(name) {
      if (DENIED.test(name)) throw new Error(`the module ${name} can't be used here`);
    },
  };
}

// guardDefining takes from the language's own objects what no honest program
// gives them: setters for the entries of all lists, and other prototypes. New
// methods they may have: that is something courses teach.
function guardDefining() {
  const { defineProperty, getOwnPropertyDescriptor, create } = Object;
  const { apply, ownKeys } = Reflect;
  const refuse = () => { throw new TypeError('the objects of the language itself are not changed this way here'); };
  const keyOf = (k) => ownKeys({ [k]: 0 })[0];
  const checked = (o, k) => {
    const key = keyOf(k);
    if (names.has(o) && typeof key === 'string' && /^\d/.test(key)) refuse();
    return key;
  };
  const put = (on, name, make) => {
    const d = getOwnPropertyDescriptor(on, name);
    const f = make(d.value);
    for (const k of ['name', 'length']) defineProperty(f, k, { value: d.value[k], configurable: true });
    defineProperty(on, name, { ...d, value: f });
  };
  for (const on of [Object, Reflect]) {
    put(on, 'defineProperty', (real) => (o, k, d) => real(o, checked(o, k), d));
    put(on, 'setPrototypeOf', (real) => (o, proto) => (names.has(o) ? refuse() : real(o, proto)));
  }
  put(Object, 'defineProperties', (real) => (o, list) => {
    const copy = create(null);
    for (const k of ownKeys(list)) if (getOwnPropertyDescriptor(list, k)?.enumerable) copy[checked(o, k)] = list[k];
    return real(o, copy);
  });
  for (const name of ['__defineGetter__', '__defineSetter__']) {
    put(Object.prototype, name, (real) => function (k, f) { return apply(real, this, [checked(this, k), f]); });
  }
  const d = getOwnPropertyDescriptor(Object.prototype, '__proto__');
  const real = d.set;
  defineProperty(Object.prototype, '__proto__', { ...d, set(proto) { return names.has(this) ? refuse() : apply(real, this, [proto]); } });
}

// dummy stands for the learner's module while tests are only counted.
function dummy() {
  const d = new Proxy(function () {}.bind(), {
    apply: () => d, construct: () => d, ownKeys: () => [], getOwnPropertyDescriptor: () => undefined, set: () => true, defineProperty: () => true,
    get: (_, k) => (k === '__esModule' || k === 'then' ? undefined : k === Symbol.toStringTag ? 'Module'
      : k === Symbol.iterator ? function* () {} : k === Symbol.toPrimitive ? () => '' : d),
  });
  return d;
}

module.exports = { lock, dummy };
