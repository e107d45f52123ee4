'use strict';
// What may follow expect(value). Each takes (received, args, {not, thrown}) and
// answers {pass, message, expected, actual}: the last two in words, for people.
const { equals, identical, subset, isObject } = require('./equals.js');
const { isMock } = require('./mocks.js');
const { print } = require('./print.js');

const said = (pass, expected, actual) => ({
  pass: Boolean(pass), expected, ...(actual === undefined ? {} : { actual }),
  message: () => `expected ${expected}${actual === undefined ? '' : `, got ${actual}`}`,
});
// done says that a check held: nothing needs to be put in words then.
const done = (pass, not) => Boolean(pass) !== Boolean(not);
const be = (test, words) => (r, args, { not }) => {
  const pass = test(r, ...args);
  if (done(pass, not)) return { pass };
  const expected = words(...args.map((a) => print(a)));
  return said(pass, not ? `not ${expected}` : expected, print(r));
};
const compare = (options) => (r, [want], { not, custom }) => {
  const pass = equals(r, want, { ...options, custom });
  if (done(pass, not)) return { pass };
  return said(pass, (not ? 'anything but ' : '') + print(want), print(r));
};
const number = (test, sign) => be((r, w) => {
  for (const v of [r, w]) if (typeof v !== 'number' && typeof v !== 'bigint') return false;
  return test(r, w);
}, (w) => `a number ${sign} ${w}`);

const matchers = {
  toBe: (r, [want], { not }) => (done(identical(r, want), not) ? { pass: !not } : said(identical(r, want), (not ? 'anything but ' : '') + print(want), print(r))),
  toEqual: compare({}),
  toStrictEqual: compare({ strict: true }),
  toMatchObject: (r, [want], { not }) => said(subset(r, want), `${not ? 'not ' : ''}an object with ${print(want)}`, print(r)),
  toBeTruthy: be((r) => r, () => 'a truthy value'),
  toBeFalsy: be((r) => !r, () => 'a falsy value'),
  toBeNull: be((r) => r === null, () => 'null'),
  toBeUndefined: be((r) => r === undefined, () => 'undefined'),
  toBeDefined: be((r) => r !== undefined, () => 'a defined value'),
  toBeNullable: be((r) => r === null || r === undefined, () => 'null or undefined'),
  toBeNaN: be((r) => Number.isNaN(r), () => 'NaN'),
  toBeGreaterThan: number((r, w) => r > w, '>'),
  toBeGreaterThanOrEqual: number((r, w) => r >= w, '>='),
  toBeLessThan: number((r, w) => r < w, '<'),
  toBeLessThanOrEqual: number((r, w) => r <= w, '<='),
  toBeCloseTo: be((r, w, digits = 2) => {
    if (typeof r !== 'number' || typeof w !== 'number') return false;
    return r === w || Math.abs(r - w) < 10 ** -digits / 2;
  }, (w, digits = '2') => `${w} to ${digits} decimals`),
  toBeInstanceOf: (r, [type], { not }) => said(r instanceof type, `${not ? 'no' : 'an'} instance of ${type?.name ?? print(type)}`, print(r)),
  toBeTypeOf: be((r, t) => typeof r === t, (t) => `a value of type ${t}`),
  toBeOneOf: be((r, list) => [...list].some((x) => equals(r, x)), (l) => `one of ${l}`),
  toSatisfy: be((r, f) => f(r), (f) => `a value that satisfies ${f}`),
  toContain: be((r, w) => (typeof r === 'string' ? typeof w === 'string' && r.includes(w) : [...r].some((x) => Object.is(x, w) || x === w)), (w) => `it to contain ${w}`),
  toContainEqual: be((r, w) => [...r].some((x) => equals(x, w)), (w) => `it to contain ${w}`),
  toHaveLength: (r, [n], { not }) => said(isLong(r) && r.length === n, `${not ? 'not ' : ''}length ${n}`, isLong(r) ? `length ${print(r.length)} (${print(r)})` : print(r)),
  toMatch: be((r, w) => typeof r === 'string' && (typeof w === 'string' ? r.includes(w) : new RegExp(w).test(r)), (w) => `a text that matches ${w}`),
  toHaveProperty(r, args, { not }) {
    const keys = Array.isArray(args[0]) ? args[0] : String(args[0]).split(/\.|\[(\d+)\]/).filter((k) => k !== undefined && k !== '');
    let v = r;
    let found = r !== null && r !== undefined;
    if (found && isObject(r) && args[0] in r && !Array.isArray(args[0])) v = r[args[0]];
    else {
      for (const k of keys) {
        if (v === null || v === undefined || !(k in Object(v))) { found = false; break; }
        v = v[k];
      }
    }
    const pass = found && (args.length < 2 || equals(v, args[1]));
    const words = `${not ? 'no' : 'a'} property ${print(args[0])}${args.length > 1 ? ` with ${print(args[1])}` : ''}`;
    return said(pass, words, found && args.length > 1 ? print(v) : print(r));
  },
  toThrow: throws, toThrowError: throws,
  toHaveBeenCalled: mock((m) => m.calls.length > 0, () => 'a call'),
  toHaveBeenCalledTimes: mock((m, n) => m.calls.length === n, (n) => `${n} calls`),
  toHaveBeenCalledOnce: mock((m) => m.calls.length === 1, () => 'one call'),
  toHaveBeenCalledWith: mock((m, ...a) => m.calls.some((c) => equals([...c], a)), (...a) => `a call with (${a.join(', ')})`),
  toHaveBeenCalledExactlyOnceWith: mock((m, ...a) => m.calls.length === 1 && equals([...m.calls[0]], a), (...a) => `one call, with (${a.join(', ')})`),
  toHaveBeenLastCalledWith: mock((m, ...a) => m.calls.length > 0 && equals([...m.calls.at(-1)], a), (...a) => `a last call with (${a.join(', ')})`),
  toHaveBeenNthCalledWith: mock((m, n, ...a) => m.calls.length >= n && equals([...m.calls[n - 1]], a), (n, ...a) => `call ${n} with (${a.join(', ')})`),
  toHaveReturned: mock((m) => m.results.some((r) => r.type === 'return'), () => 'a call that returns'),
  toHaveReturnedTimes: mock((m, n) => m.results.filter((r) => r.type === 'return').length === n, (n) => `${n} calls that return`),
  toHaveReturnedWith: mock((m, v) => m.results.some((r) => r.type === 'return' && equals(r.value, v)), (v) => `a call that returns ${v}`),
  toHaveLastReturnedWith: mock((m, v) => m.results.length > 0 && equals(m.results.at(-1).value, v), (v) => `a last call that returns ${v}`),
  toHaveNthReturnedWith: mock((m, n, v) => m.results.length >= n && equals(m.results[n - 1].value, v), (n, v) => `call ${n} to return ${v}`),
  toMatchInlineSnapshot: (r, args) => {
    const want = args.filter((a) => typeof a === 'string').at(-1);
    if (want === undefined) return said(true, 'a snapshot');
    const plain = (s) => s.replace(/\b(Array|Object) (?=[[{])/g, '').replace(/["'`]/g, "'").replace(/,(?=\s*[\]}])/g, '').replace(/\s+/g, '').replace(/'([\w$]+)':/g, '$1:');
    return said(plain(typeof r === 'string' ? `'${r}'` : print(r)) === plain(want), want.trim(), print(r));
  },
  toMatchSnapshot: () => said(true, 'a snapshot'),
  toThrowErrorMatchingSnapshot: throws,
  toThrowErrorMatchingInlineSnapshot: (r, args, how) => throws(r, args.slice(-1).map((s) => String(s).trim().replace(/^\[?\w*Error: |^["'`]|["'`\]]$/g, '')), how),
};
Object.assign(matchers, {
  toBeCalled: matchers.toHaveBeenCalled, toBeCalledTimes: matchers.toHaveBeenCalledTimes, toBeCalledWith: matchers.toHaveBeenCalledWith,
  lastCalledWith: matchers.toHaveBeenLastCalledWith, nthCalledWith: matchers.toHaveBeenNthCalledWith,
  lastReturnedWith: matchers.toHaveLastReturnedWith, toReturn: matchers.toHaveReturned, toReturnWith: matchers.toHaveReturnedWith,
  toReturnTimes: matchers.toHaveReturnedTimes,
});

const isLong = (v) => v !== null && v !== undefined && typeof v.length === 'number';

function throws(received, [want], { not, thrown }) {
  let error = received;
  let did = thrown;
  if (!thrown) {
    if (typeof received !== 'function') return said(Boolean(not), 'a function that is called by expect', print(received));
    try { received(); } catch (e) { did = true; error = e; }
  }
  const message = () => String(isObject(error) && 'message' in error ? error.message : error);
  const actual = did ? `${error?.name ?? 'an exception'}: ${message()}` : 'no exception';
  let pass = Boolean(did);
  let words = 'an exception';
  if (want !== undefined) {
    if (typeof want === 'string') [words, pass] = [`an exception that says ${print(want)}`, did && message().includes(want)];
    else if (want instanceof RegExp) [words, pass] = [`an exception that matches ${want}`, did && new RegExp(want.source, want.flags.replace(/[gy]/g, '')).test(message())];
    else if (typeof want === 'function') [words, pass] = [`an exception of class ${want.name}`, did && error instanceof want];
    else if (isObject(want) && 'message' in want) [words, pass] = [`an exception that says ${print(want.message)}`, did && message() === want.message];
    else pass = did && equals(error, want);
  }
  return said(pass, not ? (want === undefined ? 'no exception' : `not ${words}`) : words, actual);
}

function mock(test, words) {
  return (r, args, { not }) => {
    const state = r?.mock;
    if (!isMock(r) && !Array.isArray(state?.calls)) return said(Boolean(not), 'a mock function', print(r));
    const calls = `${state.calls.length} calls: ${state.calls.slice(0, 5).map((c) => `(${[...c].map((a) => print(a)).join(', ')})`).join(', ')}`;
    const expected = words(...args.map((a) => print(a)));
    return said(test(state, ...args), not ? `not ${expected}` : expected, calls);
  };
}

module.exports = { matchers };
