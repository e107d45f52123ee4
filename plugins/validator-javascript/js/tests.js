'use strict';
// The process that holds tests and expected values. In a split run the
// submission is on the other end of the channel; in a shared one it is loaded
// here, and this process locks what it judges with before.
const fs = require('node:fs');
const path = require('node:path');
const { makeEvents } = require('./events.js');
const { makeFramework } = require('./framework.js');
const { Runner, TimedOut } = require('./runner.js');
const { Loader, lacking } = require('./loader.js');
const { ROOT, JUDGE } = require('./places.js');
const { Explainer, clip } = require('./failure.js');
const { Output } = require('./output.js');
const mocks = require('./mocks.js');
const modulemocks = require('./modulemocks.js');
const { lookInto } = require('./print.js');
const { Remote, broken } = require('./remote.js');
const { Uncarriable, Gone } = require('./peer.js');
const { lock, dummy } = require('./lock.js');

const { setTimeout, setImmediate } = globalThis;
const reallyExit = process.reallyExit.bind(process);
const { now } = Date;
const DETAILS = 2 << 20; // of all messages and printed text together
const leave = (code) => reallyExit(code);

// run never returns. input has the job, the nonce, and files that must not lie on disk.
function run(input) {
  const { job } = input;
  const send = makeEvents(path.join(JUDGE, 'events'), input.nonce);
  input.nonce = '';
  const emitted = { code: {}, maps: {} };
  for (const name of ['emit-submission.json', 'emit.json']) {
    const file = path.join(JUDGE, name);
    let e;
    try { e = JSON.parse(fs.readFileSync(file, 'utf8')); } catch { continue; } // no TypeScript
    fs.unlinkSync(file); // it may hold the tests
    Object.assign(emitted.code, e.code);
    Object.assign(emitted.maps, e.maps);
  }

  const split = job.mode === 'split';
  const files = new Set(job.files);
  const output = new Output(job.output_limit, () => { send('output_limit', {}); leave(5); }).install();
  const original = (name) => input.sources?.[name] ?? fs.readFileSync(path.join(ROOT, name), 'utf8');
  let room = DETAILS;
  // spare keeps what leaves within what a run may leave behind.
  const spare = (text) => {
    const out = clip(String(text), Math.max(200, Math.min(room, 64 << 10)));
    room -= JSON.stringify(out).length;
    return out;
  };
  const explainer = new Explainer({ tests: job.tests, files: job.files, source: original, maps: emitted.maps });
  const frame = makeFramework();
  const sources = { ...input.sources, ...emitted.code };
  let current; // what takes stray failures
  let running = false;

  const remote = split ? new Remote({
    files, output, most: job.most_calls || Infinity, bytes: job.most_bytes || Infinity, failed: (e) => { current?.(e); },
    uncarriable: (why) => { send('uncarriable', { why }); leave(4); },
  }) : undefined;
  lookInto(remote ?? { is: () => false, text: () => '' });

  const named = (f) => path.relative(ROOT, f);
  const loaderOf = (foreign) => new Loader({
    sources, strict: !split, foreign, mine: (f) => files.has(named(f)),
    // The learner's code neither reads the tests nor gets at what judges.
    provide: (s, from) => (files.has(named(from)) ? undefined : frame.provide(s)),
    // A file that the learner was to hand in: each test says that it is missing.
    missing: (e, from) => (files.has(named(from)) ? undefined : broken(e)),
    closed: (f, from) => files.has(named(from)) && (job.tests.includes(named(f)) || named(f).startsWith('.judge')),
  });
  let loader = loaderOf((file) => (files.has(named(file)) ? remote?.module(file, loader) : undefined));

  process.on('uncaughtException', (e) => {
    if (e instanceof Uncarriable) remote?.uncarriable(e.message);
    if (current) current(e);
  });
  process.on('unhandledRejection', (e) => { if (e instanceof Uncarriable) remote?.uncarriable(e.message); });

  async function wait(promise, limit) {
    let done = false; let failed = false; let value;
    Promise.prototype.then.call(Promise.resolve(promise), (v) => { done = true; value = v; }, (e) => { done = failed = true; value = e; });
    const end = now() + limit;
    for (let turn = 0; !done; turn++) {
      await new Promise((r) => (turn < 3 ? setImmediate(r) : setTimeout(r, remote && turn < 200 ? 0 : 1)));
      if (done) break;
      if (remote && !remote.gone) remote.pump(turn === 0 ? 1 : 5);
      if (now() > end) throw new TimedOut(`the test did not come to its end within ${limit} ms`);
    }
    if (failed) throw value;
    return value;
  }

  Object.assign(frame.toolbox, modulemocks.controls({ loader: () => loader, file: () => path.join(ROOT, runner.file), fn: mocks.fn, box: frame.toolbox }));

  const runner = new Runner({
    registry: frame.registry, expectation: frame.expectation, flavours: frame.flavour, wait,
    started: (id) => { if (!running) send('started', { id }); },
    report: (t) => {
      let { status, error } = t;
      let failure;
      if (status === 'fail' || status === 'error') {
        if (error instanceof Uncarriable) remote?.uncarriable(error.message);
        failure = error instanceof TimedOut ? { type: 'TimedOut', message: error.message }
          : error instanceof Gone ? { type: 'Gone', message: '' } : explainer.describe(error);
        if (error instanceof Gone) status = 'error';
        for (const k of ['message', 'expected', 'actual']) if (failure[k] !== undefined) failure[k] = spare(failure[k]);
      }
      if (status === 'skip' && t.reason === undefined) status = 'error';
      send('test', { id: t.id, name: t.name, status, reason: clip(String(t.reason ?? ''), 500), failure, seconds: t.seconds, output: spare(output.take()) });
    },
  });
  const one = runner.one.bind(runner);
  runner.one = async (...args) => {
    const before = current;
    const strays = [];
    current = (e) => strays.push(e);
    const report = runner.report;
    runner.report = (t) => {
      if (strays.length && t.status === 'pass' && t.id === args[0].id) t = { ...t, status: 'error', error: strays[0] };
      report(t);
    };
    try { await one(...args); } finally {
      runner.report = report;
      current = before;
    }
  };

  async function file(name, dry) {
    runner.file = name;
    frame.registry.begin();
    loader.reset();
    if (!dry) remote?.reset();
    try {
      await wait(loader.load(path.join(ROOT, name)), 60_000);
      for (const p of frame.registry.pending) await p;
    } catch (e) {
      if (e instanceof Uncarriable) remote?.uncarriable(e.message);
      if (!dry && lacking.has(e)) send('lacks', { file: name, why: clip(String(e.specifier), 200) });
      if (!dry) send('broken_file', { file: name, failure: e instanceof Gone ? { type: 'Gone', message: '' } : explainer.describe(e), output: output.take() });
      if (!dry) return;
    }
    frame.registry.unlock(job.skips);
    runner.list(name);
    send(dry ? 'expected' : 'collected', { ids: runner.all().map((t) => t.id), file: name, output: dry ? (output.take(), '') : spare(output.take()) });
    if (!dry) await runner.run();
  }

  async function main() {
    send('hello', { versions: { node: process.versions.node }, mode: job.mode });
    Object.assign(globalThis, frame.globals);
    if (remote) {
      const syntax = remote.hello();
      if (syntax.length) {
        send('syntax', { errors: syntax });
        leave(0);
      }
    } else {
      // First without the learner's code, so that it is known which tests must report.
      const real = loader;
      loader = loaderOf((f) => (files.has(named(f)) ? dummy() : undefined));
      for (const name of job.tests) await file(name, true);
      runner.ids.clear();
      loader = real;
      const { refuse } = lock(frame);
      const builtin = loader.builtin.bind(loader);
      loader.builtin = (name, from) => {
        if (files.has(named(from))) refuse(name);
        return builtin(name);
      };
    }
    for (const name of job.tests) await file(name, false);
    send('finished', {});
    leave(0);
  }

  main().catch((e) => {
    if (e instanceof Uncarriable) remote?.uncarriable(e.message);
    if (e instanceof Gone) send('gone', {});
    else fs.writeSync(2, `${e?.stack ?? e}\n`);
    leave(3);
  });
}

module.exports = { run };
