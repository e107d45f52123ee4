'use strict';
// Fake timers for jest and vi: time that only moves when a test moves it.

const NAMES = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate', 'clearImmediate', 'Date'];

function controls(box) {
  const real = Object.fromEntries(NAMES.map((n) => [n, globalThis[n]]));
  let now = 0;
  let next = 1;
  let timers = new Map();
  const add = (fn, delay, args, every) => {
    const id = next++;
    timers.set(id, { id, at: now + Math.max(0, Number(delay) || 0), fn, args, every });
    return { [Symbol.toPrimitive]: () => id, id, ref() { return this; }, unref() { return this; }, hasRef: () => true };
  };
  const drop = (t) => { timers.delete(typeof t === 'object' && t !== null ? t.id : Number(t)); };
  const first = (until = Infinity) => [...timers.values()].filter((t) => t.at <= until).sort((a, b) => a.at - b.at || a.id - b.id)[0];
  const fire = (t) => {
    now = Math.max(now, t.at);
    if (t.every === undefined) timers.delete(t.id);
    else t.at = now + Math.max(1, t.every);
    t.fn(...t.args);
  };
  const advance = (ms) => {
    const until = now + ms;
    for (let t = first(until); t; t = first(until)) fire(t);
    now = until;
  };
  const runAll = () => {
    for (let n = 0, t = first(); t; t = first()) {
      if (++n > 100_000) throw new Error('Aborting after running 100000 timers, assuming an infinite loop!');
      fire(t);
    }
  };
  const runPending = () => {
    const last = Math.max(now, ...[...timers.values()].map((t) => t.at));
    const ids = new Set(timers.keys());
    for (let t = first(last); t; t = first(last)) {
      if (!ids.has(t.id)) break;
      if (t.every !== undefined) ids.delete(t.id);
      fire(t);
    }
  };
  const async = (f) => async (...a) => {
    await null;
    f(...a);
    for (let i = 0; i < 20; i++) await null;
    return box;
  };
  return {
    useFakeTimers: (o) => {
      now = Number(o?.now ?? real.Date.now());
      timers = new Map();
      const Fake = class Date extends real.Date {
        constructor(...a) { super(...(a.length ? a : [now])); }
        static now() { return now; }
      };
      Object.assign(globalThis, {
        setTimeout: (f, d, ...a) => add(f, d, a), setInterval: (f, d, ...a) => add(f, d, a, Number(d) || 0),
        setImmediate: (f, ...a) => add(f, 0, a), clearTimeout: drop, clearInterval: drop, clearImmediate: drop, Date: Fake,
      });
      return box;
    },
    useRealTimers: () => { Object.assign(globalThis, real); return box; },
    setSystemTime: (t) => { now = Number(t ?? real.Date.now()); return box; },
    getRealSystemTime: () => real.Date.now(), now: () => now, getTimerCount: () => timers.size,
    clearAllTimers: () => { timers.clear(); return box; },
    advanceTimersByTime: (ms) => { advance(ms); return box; },
    advanceTimersToNextTimer: () => { const t = first(); if (t) fire(t); return box; },
    runAllTimers: () => { runAll(); return box; }, runOnlyPendingTimers: () => { runPending(); return box; },
    runAllTicks: () => box,
    advanceTimersByTimeAsync: async((ms) => advance(ms)), runAllTimersAsync: async(runAll), runOnlyPendingTimersAsync: async(runPending),
    isFakeTimers: () => globalThis.setTimeout !== real.setTimeout,
  };
}

module.exports = { controls };
