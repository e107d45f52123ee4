'use strict';
// The process that holds the learner's code: it answers calls on the channel
// and knows nothing of the tests.
const fs = require('node:fs');
const path = require('node:path');
const { Loader } = require('./loader.js');
const { ROOT, JUDGE } = require('./places.js');
const { Peer, Gone } = require('./peer.js');
const { Output } = require('./output.js');
const { locate } = require('./locate.js');

const { setTimeout, setImmediate, clearTimeout } = globalThis;
const { getActiveResourcesInfo, exit } = process;

// run never returns.
function run({ job }) {
  let sources = {};
  try { sources = JSON.parse(fs.readFileSync(path.join(JUDGE, 'emit.json'), 'utf8')).code; } catch { /* no TypeScript */ }

  const loader = new Loader({ sources });
  const output = new Output(job.output_limit, () => exit.call(process, 5)).install();
  const uncaught = [];
  const live = []; // [file, namespace, name, value]: exports that may change
  let wake = () => {};

  process.on('uncaughtException', (e) => { uncaught.push(e); wake(); });
  process.on('unhandledRejection', () => {});

  const peer = new Peer('s', {
    woke: () => wake(),
    operations: { hello, reset: () => { loader.reset(); live.length = 0; return null; } },
    extras: () => {
      const out = {};
      const text = output.take();
      if (text) out.t = text;
      if (uncaught.length) out.u = uncaught.splice(0).map((e) => peer.wire.encode(e));
      for (const l of live) {
        const now = l[1][l[2]];
        if (!Object.is(now, l[3]) && (typeof now !== 'object' || now === null) && typeof now !== 'function') {
          l[3] = now;
          (out.l ??= []).push([l[0], l[2], peer.wire.encode(now)]);
        }
      }
      return out;
    },
  });

  // hello reads all files and runs none: what can't be read is told first.
  function hello() {
    const broken = [];
    for (const name of job.files) {
      if (!/\.[mc]?jsx?$/.test(name)) continue;
      const file = path.join(ROOT, name);
      const e = loader.check(file);
      if (!e) continue;
      broken.push({ file: name, message: e.message, ...locate(e, loader.read(file)) });
    }
    return broken;
  }

  async function load(name) {
    const file = path.join(ROOT, name);
    const space = await loader.load(file);
    const cjs = loader.cjs.get(file);
    if (cjs) return [false, cjs.exports];
    const out = [];
    for (const k of Object.keys(space)) {
      out.push([k, space[k]]);
      live.push([name, space, k, space[k]]);
    }
    const mixed = loader.esm.get(file)?.mixed?.exports;
    if (mixed) for (const k of Object.keys(mixed)) if (!(k in space)) out.push([k, mixed[k]]);
    if (mixed && (typeof mixed === 'function' || Object.keys(mixed).length) && !('default' in space)) out.push(['default', mixed]);
    return [true, out];
  }

  // pump lets timers and promises of the learner's go on for a while.
  function pump(ms) {
    return new Promise((done) => {
      const t = setTimeout(done, Math.min(Math.max(0, Number(ms) || 0), 1000));
      wake = () => {
        clearTimeout(t);
        setImmediate(done);
      };
      if (peer.wire.settled.length || uncaught.length) wake();
      else {
        setImmediate(() => {
          const waits = getActiveResourcesInfo.call(process).filter((r) => !/^(PipeWrap|TTYWrap|FSEvent|Immediate|CheckPrimordials)/.test(r));
          if (waits.length <= 1) wake();
        });
      }
    });
  }

  async function main() {
    for (;;) {
      const m = peer.receive();
      if (m.q === 'pump') {
        await pump(m.a[0]);
        wake = () => {};
        peer.transmit({ v: null });
      } else if (m.q === 'load') {
        let reply;
        try {
          reply = { v: peer.wire.encode(await load(String(m.a[0]))) };
        } catch (e) {
          reply = { e: peer.wire.encode(e) };
        }
        peer.transmit(reply);
      } else peer.answer(m);
    }
  }

  main().catch((e) => {
    if (!(e instanceof Gone)) fs.writeSync(2, `${e?.stack ?? e}\n`);
    exit.call(process, e instanceof Gone ? 0 : 3);
  });
}

module.exports = { run };
