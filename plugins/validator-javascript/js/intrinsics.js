'use strict';
// Names for what the language itself brings, the same in every process. An
// intrinsic travels by its name and becomes the receiver's own, but for those
// that run text as code or are a way to a whole process: to the tests they stay
// what they are, things of the other side.

const names = new Map(); // intrinsic → name
const values = new Map(); // name → intrinsic

const ROOTS = [
  'Object', 'Function', 'Array', 'String', 'Number', 'Boolean', 'Symbol', 'BigInt', 'Math', 'JSON', 'Reflect', 'Proxy',
  'Date', 'RegExp', 'Map', 'Set', 'WeakMap', 'WeakSet', 'WeakRef', 'FinalizationRegistry', 'Promise', 'Error',
  'AggregateError', 'EvalError', 'RangeError', 'ReferenceError', 'SyntaxError', 'TypeError', 'URIError', 'ArrayBuffer',
  'SharedArrayBuffer', 'DataView', 'Atomics', 'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array',
  'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array', 'Intl', 'eval',
  'parseInt', 'parseFloat', 'isNaN', 'isFinite', 'encodeURI', 'decodeURI', 'encodeURIComponent', 'decodeURIComponent',
  'escape', 'unescape', 'globalThis', 'URL', 'URLSearchParams', 'TextEncoder', 'TextDecoder', 'Buffer', 'Event', 'EventTarget',
  'AbortController', 'AbortSignal', 'structuredClone', 'queueMicrotask', 'setTimeout', 'clearTimeout', 'setInterval',
  'clearInterval', 'setImmediate', 'clearImmediate', 'console', 'process', 'require',
];

function add(name, v, deep) {
  if ((typeof v !== 'object' && typeof v !== 'function') || v === null || names.has(v)) return;
  names.set(v, name);
  values.set(name, v);
  if (!deep) return;
  for (const key of Reflect.ownKeys(v)) {
    const d = Reflect.getOwnPropertyDescriptor(v, key);
    const path = `${name}.${typeof key === 'symbol' ? key.description : key}`;
    add(path, d.value, deep);
    add(`get ${path}`, d.get, deep);
    add(`set ${path}`, d.set, deep);
  }
  add(`${name}.[[Prototype]]`, Reflect.getPrototypeOf(v), deep);
}

const SHALLOW = new Set(['globalThis', 'console', 'process', 'require']);
for (const name of ROOTS) {
  if (name in globalThis) add(name, globalThis[name], !SHALLOW.has(name));
}
add('%GeneratorFunction%', function* () {}.constructor, true);
add('%AsyncGeneratorFunction%', async function* () {}.constructor, true);
add('%AsyncFunction%', (async () => {}).constructor, true);
for (const [name, it] of [['Array', [][Symbol.iterator]()], ['Map', new Map().entries()], ['Set', new Set().values()],
  ['String', ''[Symbol.iterator]()], ['RegExpString', 'a'.matchAll(/a/g)]]) {
  add(`%${name}Iterator%`, Object.getPrototypeOf(it), true);
}

const apart = new Set(['globalThis', 'console', 'process', 'require'].filter((name) => values.has(name)));
for (const f of [eval, Function, function* () {}.constructor, async function* () {}.constructor, (async () => {}).constructor]) apart.add(names.get(f));
const homes = new WeakMap(); // stand-in → the name of the intrinsic that it stands for

// home is the intrinsic itself, where v stands for one of the other side's.
function home(v) {
  const name = (typeof v === 'object' && v !== null) || typeof v === 'function' ? homes.get(v) : undefined;
  return name === undefined ? v : values.get(name);
}

const symbols = new Map();
for (const key of Object.getOwnPropertyNames(Symbol)) {
  if (typeof Symbol[key] === 'symbol') symbols.set(Symbol[key], key);
}
const wellKnown = new Map([...symbols].map(([s, n]) => [n, s]));

module.exports = { names, values, apart, homes, home, symbols, wellKnown };
