'use strict';
// What a shared process does before the learner's code is loaded into it. It is
// the weaker protection, and reports say so.
const { values } = require('./intrinsics.js');

const FREE = new Set(['toString', 'valueOf', 'toLocaleString', 'constructor', 'name', 'message', 'toJSON']);
const OPEN = /^(Date|console|process|globalThis|require|Math|set|clear|queue|URL|Text|Buffer|Event|Abort|structured|Intl)/;
const DENIED = /^(node:)?(inspector|inspector\/promises|module|v8|vm|repl|worker_threads|cluster|child_process|trace_events|async_hooks|diagnostics_channel|wasi|test|test\/reporters|sea)$/;

function lock(frame) {
  const { defineProperty, getOwnPropertyDescriptor, freeze } = Object;
  defineProperty(Error, 'prepareStackTrace', { value: undefined, writable: false, configurable: false });
  for (const [name, v] of values) {
    if (OPEN.test(name) || /^[gs]et /.test(name)) continue;
    for (const key of Reflect.ownKeys(v)) {
      const d = getOwnPropertyDescriptor(v, key);
      if (!d.configurable || FREE.has(key) || typeof d.value !== 'function') continue;
      defineProperty(v, key, { ...d, writable: false, configurable: false });
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
