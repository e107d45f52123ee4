'use strict';
// Where a specifier leads. To the task's own files what the task brings comes
// first, so that no submitted file stands in for a helper or library of its.
const path = require('node:path');
const { ROOT } = require('./places.js');

const EXTENSIONS = ['', '.js', '.mjs', '.cjs', '.ts', '.mts', '.cts', '.tsx', '.jsx', '.json'];
const CONDITIONS = new Set(['node', 'import', 'require', 'default']);
// What tests import to judge with is never the submission, whatever it calls itself.
const LIBRARIES = /^(@testing-library\/|@sinonjs\/|@hapi\/|@std\/|chai|sinon|should|expect|unexpected|power-assert|better-assert|uvu|ava|tap|tape|mocha|jasmine|jest|vitest|qunit|lodash|underscore|ramda|fast-|jsverify|testcheck|deep-|supertest|nock|axios|jsdom|cheerio|zod|ajv|react|vue|proxyquire|rewire|mock)/;

class Resolver {
  // has(file) and read(file) know all files; mine(file) says which were
  // submitted, closed(file, from) which may not be had.
  constructor({ has, read, mine, closed }) {
    Object.assign(this, { has, read, mine, closed });
    this.theirs = (file) => !mine(file);
  }

  // find answers with a file, or undefined.
  find(specifier, from) {
    for (const only of this.mine?.(from) === false ? [this.theirs, undefined] : [undefined]) {
      for (const file of this.candidates(specifier, from, only)) if (file && !this.closed(file, from)) return file;
    }
    return undefined;
  }

  * candidates(specifier, from, only) {
    let base = specifier;
    if (base.startsWith('file://')) base = new URL(base).pathname;
    if (isLocal(base)) {
      yield this.locate(path.resolve(path.dirname(from), base), only);
      return;
    }
    yield this.mapped(base, from, only);
    if (base.startsWith('#')) return;
    for (const dir of upwards(path.dirname(from))) yield this.packaged(dir, base, only);
    // Names without a folder lead to submitted files only where the task says so.
    if (this.mine?.(from) === false && !only && !this.hasRoots()) return;
    yield this.locate(path.join(ROOT, base), only);
    yield this.locate(path.join(ROOT, 'src', base), only);
  }

  locate(base, only) {
    const there = (file) => this.has(file) && (!only || only(file));
    for (const ext of EXTENSIONS) if (there(base + ext)) return base + ext;
    const stem = base.replace(/\.([mc]?)js$/, ''); // TypeScript names its output
    if (stem !== base) for (const ext of ['.ts', '.mts', '.cts', '.tsx']) if (there(stem + ext)) return stem + ext;
    const main = this.package(base, only)?.main;
    if (typeof main === 'string' && path.join(base, main) !== base) {
      const file = this.locate(path.join(base, main), only);
      if (file) return file;
    }
    for (const ext of EXTENSIONS.slice(1)) if (there(path.join(base, 'index' + ext))) return path.join(base, 'index' + ext);
    return undefined;
  }

  // package is what a folder's package.json says.
  package(dir, only) {
    const file = path.join(dir, 'package.json');
    if (only && !only(file)) return undefined;
    try { return Object(JSON.parse(this.read(file))); } catch { return undefined; } // none, or not to be read
  }

  // mapped follows a package's "imports", and its own name where it has "exports".
  mapped(name, from, only) {
    for (const dir of upwards(path.dirname(from))) {
      const p = this.package(dir, only);
      if (!p) continue;
      let to;
      if (name.startsWith('#')) to = target(p.imports, name);
      else if (typeof p.name === 'string' && p.exports && isIn(name, p.name)) {
        if (this.mine?.(from) === false && !only && LIBRARIES.test(name)) continue;
        to = exported(p, name);
      }
      if (typeof to === 'string' && to.startsWith('./')) return (only && this.locate(path.join(dir, to), only)) ?? this.locate(path.join(dir, to));
    }
    return undefined;
  }

  packaged(dir, base, only) {
    const name = /^(@[^/]+\/)?[^/]+/.exec(base)?.[0] ?? base;
    const home = path.join(dir, 'node_modules', name);
    const p = this.package(home, only);
    if (!p?.exports) return this.locate(path.join(dir, 'node_modules', base), only);
    const to = exported({ ...p, name }, base);
    return typeof to === 'string' ? this.locate(path.join(home, to), only) : undefined;
  }

  // hasRoots says whether a setting of the task's makes names lead to its files.
  hasRoots() {
    for (const name of ['tsconfig.json', 'jsconfig.json', 'package.json', 'jest.config.js', 'jest.config.mjs', 'jest.config.cjs', 'jest.config.ts', 'vitest.config.js', 'vitest.config.ts', 'vite.config.ts']) {
      const file = path.join(ROOT, name);
      try {
        if (this.theirs(file) && /"?\b(baseUrl|modulePaths|moduleDirectories|moduleNameMapper|alias|_moduleAliases)\b/.test(this.read(file))) return true;
      } catch { /* none */ }
    }
    return false;
  }
}

const isLocal = (specifier) => /^(\.|\/|file:\/\/)/.test(specifier);
const isIn = (name, pack) => name === pack || name.startsWith(`${pack}/`);

function* upwards(dir) {
  for (; dir.startsWith(ROOT); dir = path.dirname(dir)) yield dir;
}

// exported is what a package's "exports" make of a name that begins with its own.
function exported(p, name) {
  const map = p.exports;
  const paths = typeof map === 'object' && map !== null && !Array.isArray(map) && Object.keys(map).some((k) => k.startsWith('.'));
  return target(paths ? map : { '.': map }, `.${name.slice(p.name.length)}`);
}

// target looks a name up in "imports" or "exports".
function target(map, name) {
  if (typeof map !== 'object' || map === null) return undefined;
  if (Object.hasOwn(map, name) && !name.includes('*')) return pick(map[name]);
  let best;
  for (const key of Object.keys(map)) {
    const star = key.indexOf('*');
    if (star < 0) continue;
    const [head, tail] = [key.slice(0, star), key.slice(star + 1)];
    if (name.length > head.length + tail.length && name.startsWith(head) && name.endsWith(tail) && head.length > (best?.head.length ?? -1)) best = { key, head, tail };
  }
  if (!best) return undefined;
  const part = name.slice(best.head.length, name.length - best.tail.length);
  return pick(map[best.key])?.replaceAll('*', () => part);
}

function pick(v) {
  if (typeof v === 'string') return v;
  if (typeof v !== 'object' || v === null) return undefined;
  if (Array.isArray(v)) return v.map(pick).find((x) => x !== undefined);
  for (const k of Object.keys(v)) {
    const to = CONDITIONS.has(k) ? pick(v[k]) : undefined;
    if (to !== undefined) return to;
  }
  return undefined;
}

module.exports = { Resolver, isLocal };
