'use strict';
// The submission as the tests see it: modules whose exports are stand-ins.
const path = require('node:path');
const { Peer, Uncarriable, Gone } = require('./peer.js');
const { records } = require('./mocks.js');
const { ROOT } = require('./places.js');

class Remote {
  constructor({ files, most, bytes, output, failed, uncarriable }) {
    Object.assign(this, { files, uncarriable, gone: false });
    this.modules = new Map();
    this.peer = new Peer('t', {
      guarded: true,
      conceals: records,
      note: (m) => {
        if (typeof m.t === 'string') output.add(m.t);
        for (const e of m.u ?? []) failed(this.peer.wire.decode(e));
        for (const [name, key, v] of m.l ?? []) this.update(name, key, this.peer.wire.decode(v));
      },
    });
    const ask = this.peer.ask.bind(this.peer);
    const answer = this.peer.answer.bind(this.peer);
    // So many calls, and values so large, take longer than they are worth: these
    // are made in one process. What is counted does not depend on the machine.
    const count = () => {
      if (this.peer.asked > most) uncarriable(`more than ${most} calls`);
      if (this.peer.wire.moved > bytes) uncarriable(`more than ${bytes >> 20} MB of values`);
    };
    this.peer.answer = (m) => { count(); answer(m); };
    this.peer.ask = (...args) => {
      if (this.gone) throw new Gone('the program has ended');
      count();
      try { return ask(...args); } catch (e) {
        if (e instanceof Gone) this.gone = true;
        if (e instanceof Uncarriable) this.uncarriable(e.message);
        throw e;
      }
    };
  }

  hello() { return Array.from(this.peer.ask('hello')).map((e) => ({ ...e })); }

  reset() {
    this.modules.clear();
    if (!this.gone) this.peer.ask('reset');
  }

  pump(ms) { this.peer.ask('pump', ms); }

  is(v) { return this.peer.isRemote(v); }

  text(v) {
    try { return this.peer.ask('text', v); } catch { return '<no longer there>'; }
  }

  // module is what an importer of a submitted file gets.
  module(file, loader) {
    const name = path.relative(ROOT, file);
    if (this.modules.has(name)) return this.modules.get(name).exports;
    let exports;
    try {
      const [isModule, value] = this.peer.ask('load', name);
      exports = value;
      if (isModule) {
        exports = {};
        for (const [k, v] of value) exports[k] = v;
        Object.defineProperty(exports, Symbol.toStringTag, { value: 'Module' });
      }
    } catch (e) {
      exports = broken(e);
    }
    this.modules.set(name, { exports, file, loader });
    return exports;
  }

  update(name, key, value) {
    const m = this.modules.get(name);
    if (!m || !Object.hasOwn(Object(m.exports), key)) return;
    m.exports[key] = value;
    const space = m.loader.esm.get(m.file);
    if (space?.known?.has(key)) space.setExport(key, value);
  }
}

// broken stands for a module that could not be loaded: whoever uses it learns why,
// so that each test reports for itself.
function broken(error) {
  const fail = () => { throw error; };
  const thrower = () => new Proxy(function () {}.bind(), {
    apply: fail, construct: fail, set: fail, has: fail, ownKeys: fail,
    get: (_, k) => (k === 'then' || typeof k === 'symbol' ? undefined : fail()),
  });
  return new Proxy(function () {}.bind(), {
    apply: fail, construct: fail, ownKeys: () => [], getOwnPropertyDescriptor: () => undefined,
    get: (_, k) => (k === '__esModule' || k === 'then' ? undefined : k === Symbol.toStringTag ? 'Module' : thrower()),
  });
}

module.exports = { Remote, broken };
