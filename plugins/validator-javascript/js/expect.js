'use strict';
// expect(), as Jest and Vitest have it.
const { equals, subset, asymmetric, isObject } = require('./equals.js');
const { matchers } = require('./matchers.js');
const { print } = require('./print.js');

class ExpectError extends Error {
  constructor(message, details) {
    super(message);
    this.name = 'ExpectError';
    Object.defineProperty(this, 'details', { value: details, enumerable: false });
  }
}

function makeExpect() {
  const state = { assertions: 0, expected: undefined, some: false, soft: [] };
  const extended = {};
  const custom = [];

  const utils = (isNot, promise) => ({
    isNot, promise, equals: (a, b) => equals(a, b, { custom }), customTesters: custom,
    utils: { printExpected: print, printReceived: print, stringify: print, matcherHint: (n) => `expect(…).${n}(…)`, diff: () => '', iterableEquality: undefined },
  });

  function judge(name, matcher, received, args, { not, promise, soft, note }) {
    state.assertions++;
    const check = (r) => {
      if (Boolean(r.pass) !== Boolean(not)) return;
      const text = typeof r.message === 'function' ? String(r.message()) : String(r.message ?? '');
      const details = { matcher: name, not: Boolean(not), note, args: args.length, expected: r.expected, actual: 'actual' in r ? r.actual : print(received) };
      const e = new ExpectError([note, text || `expect(…).${not ? 'not.' : ''}${name}(…)`].filter(Boolean).join(': '), details);
      Error.captureStackTrace?.(e, judge);
      if (soft) state.soft.push(e);
      else throw e;
    };
    const r = Reflect.apply(matcher, utils(Boolean(not), promise), [received, ...args]);
    return typeof r?.then === 'function' ? r.then(check) : check(r);
  }

  function chain(received, flags) {
    const out = {};
    const add = (name, matcher) => {
      out[name] = (...args) => {
        if (flags.promise) return settle(received, flags.promise, name).then((v) => judge(name, matcher, v, args, flags));
        return judge(name, matcher, received, args, flags);
      };
    };
    for (const name of Object.keys(matchers)) add(name, (r, ...args) => matchers[name](r, args, { not: flags.not, thrown: flags.promise === 'rejects', custom }));
    for (const name of Object.keys(extended)) add(name, extended[name]);
    if (!flags.not) Object.defineProperty(out, 'not', { get: () => chain(received, { ...flags, not: true }) });
    if (!flags.promise) {
      Object.defineProperty(out, 'resolves', { get: () => chain(received, { ...flags, promise: 'resolves' }) });
      Object.defineProperty(out, 'rejects', { get: () => chain(received, { ...flags, promise: 'rejects' }) });
    }
    return out;
  }

  async function settle(p, how, name) {
    state.assertions++;
    state.assertions--;
    const wait = typeof p === 'function' ? p() : p;
    let value; let failed = false;
    try { value = await wait; } catch (e) { failed = true; value = e; }
    if (failed === (how === 'rejects')) return value;
    const text = failed ? `The promise was rejected with ${print(value)}, but should resolve` : `The promise resolved to ${print(value)}, but should be rejected`;
    throw new ExpectError(text, { matcher: `${how}.${name}`, expected: how === 'rejects' ? 'a rejected promise' : 'a resolved promise', actual: failed ? `rejected: ${print(value)}` : `resolved: ${print(value)}` });
  }

  const expect = (received, note) => chain(received, { note: note === undefined ? undefined : String(note) });
  expect.soft = (received, note) => chain(received, { note, soft: true });
  expect.extend = (more) => {
    Object.assign(extended, more);
    for (const name of Object.keys(more)) {
      const make = (negate) => (...args) => asymmetricOf(name, (v) => Boolean(Reflect.apply(more[name], utils(false), [v, ...args]).pass) !== negate, args);
      expect[name] = make(false);
      expect.not[name] = make(true);
    }
  };
  expect.assertions = (n) => { state.expected = n; };
  expect.hasAssertions = () => { state.some = true; };
  expect.addEqualityTesters = (list) => custom.push(...list.map((f) => (a, b) => Reflect.apply(f, utils(false), [a, b, custom])));
  expect.getState = () => ({ assertionCalls: state.assertions });
  expect.setState = () => {};
  expect.addSnapshotSerializer = () => {};
  expect.unreachable = (m) => { throw new ExpectError(m ?? 'expected not to be reached', { matcher: 'unreachable' }); };
  expect.fail = expect.unreachable;
  const asym = makers();
  Object.assign(expect, asym.plain);
  expect.not = asym.negated;
  expect.poll = (f, o = {}) => ({ ...pollers(f, o) });
  const pollers = (f, { timeout = 1000, interval = 50 }) => Object.fromEntries(Object.keys(matchers).map((name) => [name, async (...args) => {
    const end = Date.now() + timeout;
    for (;;) {
      try { return expect(await f())[name](...args); } catch (e) { if (Date.now() > end) throw e; }
      await new Promise((r) => setTimeout(r, interval));
    }
  }]));

  const begin = () => Object.assign(state, { assertions: 0, expected: undefined, some: false, soft: [] });
  const finish = () => {
    if (state.soft.length) throw state.soft[0];
    if (state.expected !== undefined && state.assertions !== state.expected) {
      throw new ExpectError(`${state.expected} checks were announced, ${state.assertions} were made`, { matcher: 'assertions', expected: `${state.expected} checks`, actual: `${state.assertions} checks` });
    }
    if (state.some && state.assertions === 0) throw new ExpectError('no check was made', { matcher: 'hasAssertions' });
  };
  return { expect, begin, finish };
}

// asymmetricOf makes a value that equals all that fits.
function asymmetricOf(name, fits, args) {
  const m = Object.create({ toString: () => name });
  Object.defineProperty(m, Symbol.for('nodejs.util.inspect.custom'), { value: () => `${name}(${args.map((a) => print(a)).join(', ')})` });
  asymmetric.set(m, fits);
  return m;
}

function makers() {
  const kinds = new Map([[String, 'string'], [Number, 'number'], [Boolean, 'boolean'], [BigInt, 'bigint'], [Symbol, 'symbol'], [Function, 'function']]);
  const isType = (v, type) => {
    if (kinds.has(type)) return typeof v === kinds.get(type) || v instanceof type;
    if (type === Object) return typeof v === 'object' && v !== null;
    if (type === Array) return Array.isArray(v);
    return v instanceof type;
  };
  const tests = {
    any: (v, type) => isType(v, type),
    anything: (v) => v !== null && v !== undefined,
    objectContaining: (v, want) => isObject(v) && Reflect.ownKeys(want).every((k) => k in v && equals(v[k], want[k])),
    arrayContaining: (v, want) => Array.isArray(v) && want.every((w) => v.some((x) => equals(x, w))),
    arrayOf: (v, want) => Array.isArray(v) && v.every((x) => equals(x, want)),
    stringContaining: (v, want) => typeof v === 'string' && v.includes(want),
    stringMatching: (v, want) => typeof v === 'string' && new RegExp(want).test(v),
    closeTo: (v, want, digits = 2) => typeof v === 'number' && (v === want || Math.abs(v - want) < 10 ** -digits / 2),
  };
  const plain = {}; const negated = {};
  for (const [name, test] of Object.entries(tests)) {
    plain[name] = (...args) => asymmetricOf(name, (v) => test(v, ...args), args);
    negated[name] = (...args) => asymmetricOf(`not.${name}`, (v) => !test(v, ...args), args);
  }
  return { plain, negated };
}

module.exports = { makeExpect, ExpectError, subset };
