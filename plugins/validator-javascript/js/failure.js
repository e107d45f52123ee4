'use strict';
// What a learner should know of an exception.
const path = require('node:path');
const { SourceMap } = require('node:module');
const { print } = require('./print.js');
const { ROOT } = require('./places.js');

const CLIP = 8000;
const clip = (s, n = CLIP) => (s.length > n ? `${s.slice(0, n)} …` : s);

class Explainer {
  // tests: names of test files; files: those submitted; source(name) gives a
  // file's text; maps: name → source map.
  constructor({ tests, files, source, maps = {} }) {
    this.tests = new Set(tests);
    this.files = new Set(files);
    this.source = source;
    this.maps = maps;
    this.parsed = new Map();
  }

  place(name, line, column) {
    if (Object.hasOwn(this.maps, name)) {
      if (!this.parsed.has(name)) this.parsed.set(name, new SourceMap(JSON.parse(this.maps[name])));
      const e = this.parsed.get(name).findEntry(line - 1, column - 1);
      if (e.originalLine !== undefined) [line, column] = [e.originalLine + 1, e.originalColumn + 1];
    }
    let text = '';
    try { text = this.source(name).split(/\r\n|\n|\r/)[line - 1] ?? ''; } catch { /* not to be read */ }
    return { file: name, line, column, text: clip(text, 300) };
  }

  // places of an exception's stack: the learner's first, the test's first.
  places(stack) {
    let learner; let test;
    for (const line of String(stack).split('\n')) {
      const m = /(?:file:\/\/)?(\/[^()\s]*?):(\d+):(\d+)\)?\s*$/.exec(line);
      if (!m) continue;
      const name = path.relative(ROOT, m[1]);
      if (name.startsWith('..') || name.startsWith('.judge')) continue;
      if (this.tests.has(name)) test ??= this.place(name, Number(m[2]), Number(m[3]));
      else if (this.files.has(name)) learner ??= this.place(name, Number(m[2]), Number(m[3]));
    }
    return { learner, test };
  }

  describe(e) {
    const out = { type: '', message: '', learner: undefined, test: undefined, expected: undefined, actual: undefined, matcher: undefined, module: undefined };
    if ((typeof e !== 'object' && typeof e !== 'function') || e === null) {
      return { ...out, type: 'thrown', message: clip(print(e)) };
    }
    const get = (k) => { try { return e[k]; } catch { return undefined; } };
    const text = (v) => { try { return v === undefined ? '' : String(v); } catch { return ''; } };
    out.type = clip(text(get('name')) || text(get('constructor')?.name) || 'Error', 200);
    out.message = clip(text(get('message')) || (get('stack') ? '' : print(e)));
    Object.assign(out, this.places(get('stack')));
    if (get('code') === 'MODULE_NOT_FOUND') out.module = text(get('specifier'));
    const details = get('details');
    if (out.type === 'ExpectError' && typeof details === 'object' && details) {
      Object.assign(out, { matcher: details.matcher, expected: details.expected, actual: details.actual });
    } else if (get('code') === 'ERR_ASSERTION') {
      out.type = 'AssertionError';
      out.matcher = text(get('operator'));
      if (get('generatedMessage') || !out.message) out.message = '';
      const shows = /[eE]qual|^(==|===|!=|!==)$/.test(out.matcher);
      if (shows) Object.assign(out, { expected: (/^not|^!/.test(out.matcher) ? 'anything but ' : '') + print(get('expected')), actual: print(get('actual')) });
    }
    for (const k of ['expected', 'actual']) if (out[k] !== undefined) out[k] = clip(String(out[k]), 4000);
    return out;
  }
}

module.exports = { Explainer, clip };
