'use strict';
// What test files say: suites, tests and hooks, in the words of Jest, Vitest
// and node:test. Nothing runs here.
const { format } = require('node:util');
const { print } = require('./print.js');

const HOOKS = ['beforeAll', 'afterAll', 'beforeEach', 'afterEach'];

class Suite {
  constructor(name, parent, mode) {
    this.name = name;
    this.parent = parent;
    this.mode = mode; // undefined, skip, only, todo
    this.children = [];
    this.hooks = { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] };
    this.failure = undefined;
    this.only = false;
  }

  path() { return this.parent ? [...this.parent.path(), this.name] : []; }
}

class Registry {
  constructor() { this.begin(); }

  begin() {
    this.root = this.current = new Suite('', undefined);
    this.pending = []; // async describe bodies
    this.closed = false;
    this.defaultTimeout = 5000;
  }

  suite(name, body, mode, mark) {
    const s = new Suite(nameOf(name), this.current, mode);
    s.mark = mark;
    this.current.children.push(s);
    if (mode === 'only') this.markOnly(s);
    const before = this.current;
    this.current = s;
    try {
      const r = body?.();
      if (typeof r?.then === 'function') this.pending.push(r.then(undefined, (e) => { s.failure ??= { error: e }; }));
    } catch (e) {
      s.failure = { error: e };
    } finally {
      this.current = before;
    }
    return s;
  }

  test(name, fn, { mode, mark, timeout, flavour, failing } = {}) {
    const t = { test: true, name: nameOf(name), fn, mode: fn || mode === 'skip' ? mode : 'todo', mark, timeout, flavour, failing, parent: this.current };
    if (mode === 'only') this.markOnly(t);
    this.current.children.push(t);
    return t;
  }

  // unlock lets tests run that a track hands out one by one: what xtest marks, or
  // in a file without it what .skip marks, where at least as many are as run.
  unlock(policy) {
    if (policy === 'keep') return;
    const opened = [];
    let open = 0; let locked = 0;
    const visit = (suite, barred, held) => {
      for (const c of suite.children) {
        const rests = c.mode === 'skip' || c.mode === 'todo';
        if (rests && c.mark) opened.push(c);
        const [b, h] = [barred || (rests && !c.mark), held || rests];
        if (!c.test) visit(c, b, h);
        else if (!h) open++;
        else if (!b) locked++;
      }
    };
    visit(this.root, false, false);
    const x = opened.some((c) => c.mark === 'x'); // then .skip says something else
    const all = policy === 'run' || (!x && open > 0 && locked >= open);
    for (const c of opened) if (all || c.mark === 'x') c.mode = c.test && !c.fn ? 'todo' : undefined;
  }

  markOnly(x) { for (let s = x.parent ?? this.root; s; s = s.parent) s.only = true; }

  hook(kind, fn, timeout, flavour) { this.current.hooks[kind].push({ fn, timeout, flavour }); }
}

const nameOf = (n) => (typeof n === 'function' ? n.name || '<anonymous>' : typeof n === 'object' && n !== null ? print(n) : String(n));

// split takes (name, fn, timeout), (name, options, fn), (fn) and (options, fn).
function split(args) {
  let name; let fn; let options = {};
  for (const a of args) {
    if (typeof a === 'function') {
      if (name === undefined && args.length > 1 && a === args[0]) name = a;
      else fn = a;
    } else if (typeof a === 'number') options = { timeout: a };
    else if (typeof a === 'object' && a !== null) options = { ...a };
    else if (name === undefined && a !== undefined) name = String(a);
  }
  return { name: name ?? fn?.name ?? '<anonymous>', fn, options };
}

const optionMode = (o) => (o.skip ? 'skip' : o.todo ? 'todo' : o.only ? 'only' : undefined);

// words makes the functions that a test file calls. Skips have a mark where
// their word may mean "not yet" and not "not at all".
function words(registry, flavour) {
  const test = (mode, extra = {}) => (...args) => {
    const { name, fn, options } = split(args);
    registry.test(name, fn, { mode: mode ?? optionMode(options), timeout: options.timeout, flavour, failing: options.fails, ...extra });
    return Promise.resolve();
  };
  const suite = (mode, { mark } = {}) => (...args) => {
    const { name, fn, options } = split(args);
    registry.suite(name, fn, mode ?? optionMode(options), mark);
  };
  const dress = (make, extra) => {
    const f = make(undefined, extra);
    const never = make('skip', extra);
    f.only = make('only', extra);
    f.skip = make('skip', { ...extra, mark: 'skip' });
    f.todo = make('todo', extra);
    f.x = make('skip', { ...extra, mark: 'x' });
    for (const v of [f, f.only, f.skip, f.x, never]) {
      v.each = each(v);
      v.for = each(v, true);
    }
    f.skipIf = (c) => (c ? never : f);
    f.runIf = (c) => (c ? f : never);
    f.concurrent = f.sequential = f.shuffle = f;
    return f;
  };
  const it = dress(test);
  it.failing = it.fails = dress(test, { failing: true });
  const describe = dress(suite);
  const out = {
    test: it, it, describe, suite: describe, xtest: it.x, xit: it.x, xdescribe: describe.x, fit: it.only,
    ftest: it.only, fdescribe: describe.only,
  };
  for (const f of [it, it.failing, describe]) delete f.x;
  for (const h of HOOKS) out[h] = (fn, timeout) => registry.hook(h, fn, timeout?.timeout ?? timeout, flavour);
  out.before = out.beforeAll;
  out.after = out.afterAll;
  return out;
}

// each runs a test or suite for the rows of a table.
function each(declare, single = false) {
  return (table, ...values) => {
    let rows = table;
    let keys;
    if (Array.isArray(table?.raw)) { // a template with a heading
      keys = table[0].trim().split('|').map((s) => s.trim());
      rows = [];
      for (let i = 0; i + keys.length <= values.length; i += keys.length) {
        rows.push(Object.fromEntries(keys.map((k, j) => [k, values[i + j]])));
      }
    }
    return (name, ...rest) => {
      [...rows].forEach((row, i) => {
        const args = Array.isArray(row) && !single ? row : [row];
        const wrap = (f) => (typeof f === 'function' ? sized(f, args) : f);
        declare(title(String(name), args, i), ...rest.map(wrap));
      });
    };
  };
}

// sized keeps room for a done callback behind the row's values.
function sized(f, args) {
  const g = (...more) => f(...args, ...more);
  Object.defineProperty(g, 'length', { value: Math.max(0, f.length - args.length) });
  return g;
}

function title(name, args, i) {
  let at = 0;
  let out = name.replace(/%([sdifjoOp#$%c])/g, (all, c) => {
    if (c === '%') return '%';
    if (c === '#') return String(i);
    if (c === '$') return String(i + 1);
    if (at >= args.length) return all;
    const v = args[at++];
    if (c === 'p' || c === 'o' || c === 'O') return print(v);
    if (c === 's' && typeof v === 'object') return print(v);
    return format(`%${c}`, v);
  });
  out = out.replace(/\$#/g, String(i));
  const row = args[0];
  if (typeof row === 'object' && row !== null) {
    out = out.replace(/\$([\w$]+(?:\.[\w$]+)*)/g, (all, p) => {
      let v = row;
      for (const k of p.split('.')) {
        if (v === null || v === undefined || !(k in Object(v))) return all;
        v = v[k];
      }
      return typeof v === 'string' && !Array.isArray(args) ? v : print(v).replace(/^'(.*)'$/s, '$1');
    });
  }
  return out;
}

module.exports = { Registry, words, Suite };
