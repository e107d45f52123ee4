'use strict';
// jest.fn and vi.fn.

const mocks = new Set();
const views = new WeakSet(); // other faces of mocks
const spies = new Set();
let order = 0;

function fn(implementation) {
  let once = [];
  let impl = implementation;
  const state = fresh();
  const mock = function (...args) {
    state.calls.push(args);
    state.instances.push(this);
    state.contexts.push(this);
    state.invocationCallOrder.push(++order);
    const result = { type: 'incomplete', value: undefined };
    state.results.push(result);
    const f = once.length ? once.shift() : impl;
    try {
      const v = new.target && f ? Reflect.construct(f, args, new.target) : f ? Reflect.apply(f, this, args) : undefined;
      Object.assign(result, { type: 'return', value: v });
      return v;
    } catch (e) {
      Object.assign(result, { type: 'throw', value: e });
      throw e;
    }
  };
  let name = 'jest.fn()';
  const set = (f) => { impl = f; return mock; };
  const add = (f) => { once.push(f); return mock; };
  const clear = () => { Object.assign(state, fresh()); return mock; };
  const methods = {
    mock: state, _isMockFunction: true,
    mockImplementation: set, mockImplementationOnce: add,
    mockReturnValue: (v) => set(() => v), mockReturnValueOnce: (v) => add(() => v),
    mockResolvedValue: (v) => set(() => Promise.resolve(v)), mockResolvedValueOnce: (v) => add(() => Promise.resolve(v)),
    mockRejectedValue: (v) => set(() => Promise.reject(v)), mockRejectedValueOnce: (v) => add(() => Promise.reject(v)),
    mockReturnThis: () => set(function () { return this; }),
    mockClear: clear,
    mockReset: () => { clear(); once = []; impl = undefined; return mock; },
    mockRestore: () => { clear(); once = []; impl = implementation; return mock; },
    mockName: (n) => { name = String(n); return mock; }, getMockName: () => name,
    getMockImplementation: () => once[0] ?? impl,
    withImplementation: (f, body) => {
      const before = impl;
      impl = f;
      const r = body();
      if (typeof r?.then === 'function') return r.then((v) => { impl = before; return v; });
      impl = before;
      return undefined;
    },
  };
  for (const k of Object.keys(methods)) Object.defineProperty(mock, k, { value: methods[k], enumerable: false, writable: true, configurable: true });
  Object.defineProperty(mock, 'name', { value: 'mockConstructor', configurable: true });
  Object.defineProperty(state, 'lastCall', { get: () => state.calls.at(-1), enumerable: false, configurable: true });
  mocks.add(mock);
  return mock;
}

const fresh = () => ({ calls: [], instances: [], contexts: [], results: [], invocationCallOrder: [] });

function spyOn(object, key, access) {
  const d = Object.getOwnPropertyDescriptor(object, key);
  if (access) {
    const mock = fn(d?.[access]);
    Object.defineProperty(object, key, { ...d, configurable: true, [access]: mock });
    spies.add(() => Object.defineProperty(object, key, d));
    return mock;
  }
  const original = object[key];
  if (original?._isMockFunction) return original;
  if (typeof original !== 'function') throw new TypeError(`Cannot spy on ${String(key)}: it is no function`);
  const mock = fn(original);
  object[key] = mock;
  const restore = () => {
    if (d) Object.defineProperty(object, key, d);
    else delete object[key];
  };
  spies.add(restore);
  const mockRestore = () => { restore(); spies.delete(restore); return mock; };
  Object.defineProperty(mock, 'mockRestore', { value: mockRestore, configurable: true, writable: true });
  return mock;
}

const all = (method) => () => { for (const m of mocks) m[method](); };
const restoreAll = () => { for (const r of spies) r(); spies.clear(); };
const isMock = (f) => typeof f === 'function' && mocks.has(f);
// records says whether a function keeps what it was called with: that is for the
// tests to read and change, not for the code that calls it.
const records = (f) => isMock(f) || views.has(f);

// toolbox is the object "jest" or "vi"; registry takes the timeout.
function toolbox(registry) {
  const box = {
    fn, spyOn, isMockFunction: isMock, mocked: (x) => x,
    clearAllMocks: () => { all('mockClear')(); return box; },
    resetAllMocks: () => { all('mockReset')(); return box; },
    restoreAllMocks: () => { restoreAll(); return box; },
    setTimeout: (ms) => { registry.defaultTimeout = ms; return box; },
    setConfig: (c) => { if (c.testTimeout) registry.defaultTimeout = c.testTimeout; },
    retryTimes: () => box, resetModules: () => box, unmock: () => box, dontMock: () => box,
    stubEnv: (k, v) => { process.env[k] = v; return box; },
    stubGlobal: (k, v) => { globalThis[k] = v; return box; },
  };
  Object.assign(box, require('./clock.js').controls(box));
  return box;
}

module.exports = { fn, isMock, records, views, toolbox };
