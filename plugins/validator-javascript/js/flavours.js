'use strict';
// What a test function gets: done for Jest, a context for Vitest and node:test.
const assert = require('node:assert');
const { views } = require('./mocks.js');

function make({ expect, toolbox }) {
  function context(t, { Skipped, runner, failed }) {
    const subtests = [];
    const local = { beforeEach: [], afterEach: [] };
    let planned; let checks = 0;
    const stop = (reason) => { throw new Skipped(String(reason ?? '')); };
    const sub = (...args) => {
      const fn = args.findLast((a) => typeof a === 'function');
      const options = args.find((a) => typeof a === 'object' && a !== null) ?? {};
      const name = typeof args[0] === 'string' ? args[0] : fn?.name || '<anonymous>';
      const id = runner.id(runner.file, [...t.parent.path(), ...(t.trail ?? [t.name]), name]);
      checks++;
      const child = { test: true, ...id, fn, parent: t.parent, trail: [...(t.trail ?? [t.name]), name], flavour: 'node', timeout: options.timeout };
      const run = async () => {
        if (!fn || options.skip || options.todo) { runner.report({ ...child, status: 'skip', reason: options.todo ? 'todo' : '', seconds: 0 }); return; }
        for (const f of local.beforeEach) await f(ctx);
        await runner.one(child);
        for (const f of local.afterEach) await f(ctx);
        runner.started(t.id);
      };
      const p = (subtests.at(-1) ?? Promise.resolve()).then(run);
      subtests.push(p);
      p.catch(failed);
      return p;
    };
    const ctx = {
      name: t.name, fullName: t.name, task: { name: t.name, meta: {} }, expect, signal: new AbortController().signal, mock: undefined,
      test: Object.assign(sub, { skip: (n) => sub(n, { skip: true }), todo: (n) => sub(n, { todo: true }) }),
      skip: (r) => { if (t.flavour === 'node') { failed(new Skipped(String(r ?? ''))); return; } stop(r); },
      todo: (r) => failed(new Skipped(String(r ?? 'todo'))), diagnostic: () => {}, runOnly: () => {},
      plan: (n) => { planned = n; },
      before: (f) => f(ctx), after: (f) => local.afterEach.last = f, beforeEach: (f) => { local.beforeEach.push(f); }, afterEach: (f) => { local.afterEach.push(f); },
      onTestFinished: (f) => { ctx.later.push(f); }, onTestFailed: () => {}, later: [],
      assert: new Proxy(assert, { get: (a, k) => (typeof a[k] === 'function' ? (...args) => { checks++; return a[k](...args); } : a[k]) }),
      finish: async () => {
        await Promise.all(subtests);
        if (local.afterEach.last) await local.afterEach.last(ctx);
        for (const f of ctx.later) await f();
        if (planned !== undefined && planned !== checks) throw new assert.AssertionError({ message: `plan expected ${planned} checks, but there were ${checks}` });
      },
    };
    ctx.it = ctx.test;
    Object.defineProperty(ctx, 'mock', { get: () => nodeMock() });
    return ctx;
  }

  // args are what a function is called with, and whether a callback follows.
  function args(fn, flavour, ctx) {
    if (flavour === 'vitest') return { list: [ctx], done: false };
    if (flavour === 'node') return { list: [ctx], done: fn.length > 1 };
    return { list: [], done: fn.length > 0 };
  }

  // nodeMock has node:test's own words for jest.fn.
  function nodeMock() {
    const wrap = (f) => {
      const calls = () => f.mock.calls.map((a, i) => ({ arguments: a, this: f.mock.contexts[i], result: f.mock.results[i].type === 'return' ? f.mock.results[i].value : undefined, error: f.mock.results[i].type === 'throw' ? f.mock.results[i].value : undefined, stack: new Error() }));
      const view = { callCount: () => f.mock.calls.length, resetCalls: () => f.mockClear(), restore: () => f.mockRestore(), mockImplementation: (g) => f.mockImplementation(g), mockImplementationOnce: (g) => f.mockImplementationOnce(g) };
      Object.defineProperty(view, 'calls', { get: calls });
      const w = new Proxy(f, { get: (g, k) => (k === 'mock' ? view : Reflect.get(g, k)) });
      views.add(w);
      return w;
    };
    const spies = [];
    const method = (o, k, g) => {
      const original = o[k];
      const f = toolbox.fn(typeof g === 'function' ? g : original);
      const w = wrap(f);
      o[k] = w;
      const restore = () => { o[k] = original; };
      spies.push(restore);
      Object.defineProperty(f, 'mockRestore', { value: restore, configurable: true });
      return w;
    };
    return {
      fn: (original, implementation) => wrap(toolbox.fn(typeof implementation === 'function' ? implementation : typeof original === 'function' ? original : () => undefined)),
      method, getter: (o, k, g) => toolbox.spyOn(o, k, 'get').mockImplementation(g), setter: (o, k, g) => toolbox.spyOn(o, k, 'set').mockImplementation(g),
      reset: () => spies.splice(0).forEach((r) => r()), restoreAll: () => spies.splice(0).forEach((r) => r()),
      timers: { enable: (o) => toolbox.useFakeTimers(o), reset: () => toolbox.useRealTimers(), tick: (ms = 1) => toolbox.advanceTimersByTime(ms), runAll: () => toolbox.runAllTimers(), setTime: (ms) => toolbox.setSystemTime(ms) },
    };
  }

  return { context, args, nodeMock };
}

module.exports = { make };
