'use strict';
// Runs what a Registry has collected, in order, and reports each test.
const { performance } = require('node:perf_hooks');
const { ExpectError } = require('./expect.js');
const { isObject } = require('./equals.js');

class TimedOut extends Error {}
class Skipped { constructor(reason) { this.reason = reason; } }

class Runner {
  // report(id, result) and started(id) take what happens; wait(promise, ms) waits.
  constructor({ registry, expectation, report, started, wait, flavours }) {
    Object.assign(this, { registry, expectation, report, started, wait, flavours });
    this.ids = new Map();
  }

  id(file, path) {
    const name = path.map((p) => p.replace(/\s+/g, ' ').trim()).join(' > ');
    const id = `${file}::${name}`;
    const n = (this.ids.get(id) ?? 0) + 1;
    this.ids.set(id, n);
    return { id: n > 1 ? `${id}#${n}` : id, name };
  }

  // list names all tests of a file, before anything runs.
  list(file, suite = this.registry.root) {
    for (const c of suite.children) {
      if (c.test) Object.assign(c, this.id(file, [...suite.path(), c.name]));
      else {
        if (c.failure && !c.children.length) c.children.push({ test: true, name: '(this group)', mode: undefined, fn: () => {}, parent: c });
        this.list(file, c);
      }
    }
  }

  all(suite = this.registry.root) { return suite.children.flatMap((c) => (c.test ? [c] : this.all(c))); }

  async run(suite = this.registry.root, inherited = {}) {
    const mode = inherited.mode ?? (suite.mode === 'skip' || suite.mode === 'todo' ? suite.mode : undefined);
    const failure = inherited.failure ?? suite.failure;
    // Beside something marked "only", the others rest.
    const rests = (c) => suite.only && c.mode !== 'only' && !c.only;
    const any = !mode && suite.children.some((c) => !rests(c) && c.mode !== 'skip' && c.mode !== 'todo' && (c.test || this.all(c).length));
    let broken = failure;
    if (any && !broken) {
      for (const h of suite.hooks.beforeAll) {
        try { await this.call(h.fn, h, {}); } catch (e) { broken ??= { error: e }; }
      }
    }
    for (const c of suite.children) {
      const m = mode ?? (rests(c) ? 'skip' : undefined);
      if (c.test) await this.one(c, m ?? c.mode, broken);
      else await this.run(c, { mode: m, failure: broken });
    }
    if (any && !failure) {
      for (const h of suite.hooks.afterAll) {
        try { await this.call(h.fn, h, {}); } catch (e) { this.report({ ...this.id(this.file, [...suite.path(), 'afterAll']), status: 'error', error: e, seconds: 0 }); }
      }
    }
  }

  async one(t, mode, broken) {
    if (mode === 'skip' || mode === 'todo') {
      this.report({ ...t, status: 'skip', reason: mode === 'todo' ? 'todo' : '', seconds: 0 });
      return;
    }
    this.started(t.id);
    const began = performance.now();
    const outcome = { status: 'pass', error: undefined, reason: '' };
    const failed = (e) => {
      if (e instanceof Skipped) {
        if (outcome.status === 'pass') Object.assign(outcome, { status: 'skip', reason: e.reason });
      } else if (outcome.status === 'pass' || outcome.status === 'skip') Object.assign(outcome, { status: 'fail', error: e });
    };
    this.expectation.begin();
    const chain = [];
    for (let s = t.parent; s; s = s.parent) chain.unshift(s);
    const context = this.flavours.context(t, { Skipped, runner: this, failed });
    if (broken) failed(broken.error);
    else {
      let ready = true;
      for (const s of chain) {
        for (const h of s.hooks.beforeEach) {
          if (!ready) break;
          try { await this.call(h.fn, h, context); } catch (e) { failed(e); ready = false; }
        }
      }
      if (ready) {
        try {
          await this.call(t.fn, t, context);
          await context.finish?.();
          this.expectation.finish();
        } catch (e) { failed(e); }
      }
      for (const s of chain.reverse()) {
        for (const h of s.hooks.afterEach) {
          try { await this.call(h.fn, h, context); } catch (e) { failed(e); }
        }
      }
    }
    if (t.failing) {
      if (outcome.status === 'fail') outcome.status = 'pass';
      else if (outcome.status === 'pass') Object.assign(outcome, { status: 'fail', error: new ExpectError('the test was expected to fail, but it passed', { matcher: 'failing' }) });
    }
    this.report({ ...t, ...outcome, status: outcome.status === 'fail' ? severity(outcome.error) : outcome.status, seconds: (performance.now() - began) / 1000 });
  }

  // call runs a function of the tests' to its end.
  async call(fn, { timeout, flavour } = {}, context = {}) {
    const limit = timeout ?? this.registry.defaultTimeout;
    const args = this.flavours.args(fn, flavour, context);
    let result;
    if (args.done) result = new Promise((ok, bad) => {
      const done = Object.assign((e) => (e === undefined || e === null ? ok() : bad(isObject(e) ? e : new Error(String(e)))), { fail: bad });
      const r = fn(...args.list, done);
      if (typeof r?.then === 'function') r.then(undefined, bad);
    });
    else result = fn(...args.list);
    if (isObject(result) && typeof result.then === 'function') await this.wait(result, limit);
  }
}

// severity tells a check that failed from code that broke.
function severity(e) {
  return e instanceof ExpectError || e instanceof TimedOut || e?.code === 'ERR_ASSERTION' || e?.name === 'AssertionError' ? 'fail' : 'error';
}

module.exports = { Runner, TimedOut, Skipped };
