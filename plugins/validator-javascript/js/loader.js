'use strict';
// Loads modules the way courses write them: CommonJS or ES modules, told apart
// as Node does, with Babel's habits (no extension, a folder's index, names of
// either kind from either kind).
const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');
const { builtinModules, createRequire } = require('node:module');
const { hoist } = require('./modulemocks.js');
const { ROOT } = require('./places.js');
const { Resolver, isLocal } = require('./resolve.js');

const builtins = new Set(builtinModules.flatMap((m) => [m, `node:${m}`]).concat('node:test', 'node:sqlite', 'node:sea', 'node:test/reporters'));
const real = createRequire(path.join(ROOT, 'main.js'));

const lacking = new WeakSet(); // errors about libraries that the task's files import and nobody brings

class Loader {
  // sources: path → code that counts instead of the file; provide(specifier, from)
  // and foreign(path) may answer with a module's exports (or undefined);
  // closed(path, from) hides a file; missing(error, from) may stand in for one;
  // mine(path) says what was submitted, where others' files lie beside it.
  constructor({ sources = {}, provide = () => undefined, foreign = () => undefined, closed = () => false, missing = () => undefined, mine, strict = false } = {}) {
    Object.assign(this, { sources, provide, foreign, missing, mine, strict });
    this.resolver = new Resolver({ has: (f) => this.has(f), read: (f) => this.read(f), mine, closed });
    this.reset();
  }

  reset() {
    this.esm = new Map();
    this.cjs = new Map();
    this.mocks = new Map(); // file or module → what makes its replacement
  }

  has(file) {
    const name = path.relative(ROOT, file);
    if (Object.hasOwn(this.sources, name)) return true;
    try { return fs.statSync(file).isFile(); } catch { return false; }
  }

  read(file) {
    const name = path.relative(ROOT, file);
    const text = Object.hasOwn(this.sources, name) ? this.sources[name] : fs.readFileSync(file, 'utf8');
    return text.replace(/^\uFEFF/, '').replace(/^#!/, '//');
  }

  // resolve answers {builtin}, {provided} or {file}.
  resolve(specifier, from) {
    const provided = this.provide(specifier, from);
    if (provided !== undefined) return { provided, specifier };
    if (builtins.has(specifier)) return { builtin: specifier, from };
    const file = this.resolver.find(specifier, from);
    if (file) return { file };
    const e = new Error(`Cannot find module '${specifier}' imported from ${path.relative(ROOT, from)}`);
    e.code = 'MODULE_NOT_FOUND';
    e.specifier = specifier;
    const local = isLocal(specifier);
    const instead = local ? this.missing(e, from) : undefined;
    if (instead !== undefined) return { provided: instead, specifier: path.resolve(path.dirname(from), specifier) };
    if (!local && this.mine?.(from) === false) lacking.add(e);
    throw e;
  }

  // isModule tells ES modules from CommonJS.
  isModule(file, code) {
    if (/\.m[jt]s$/.test(file)) return true;
    if (/\.c[jt]s$/.test(file)) return false;
    const wrapped = this.tryFunction(file, code);
    if (wrapped instanceof Error) return /import|export|await/.test(wrapped.message) || this.packageType(file) === 'module';
    // What compiles either way is told by the package, unless it speaks CommonJS.
    return this.packageType(file) === 'module' && !/\b(module\.exports|exports\.\w|require\s*\()/.test(code);
  }

  packageType(file) {
    for (let dir = path.dirname(file); dir.startsWith(ROOT); dir = path.dirname(dir)) {
      try { return JSON.parse(this.read(path.join(dir, 'package.json'))).type; } catch { /* none here */ }
    }
    return undefined;
  }

  tryFunction(file, code) {
    try {
      return vm.compileFunction(this.strict ? `'use strict';${code}` : code, ['exports', 'require', 'module', '__filename', '__dirname'], {
        filename: file, columnOffset: this.strict ? -13 : 0, importModuleDynamically: (s) => this.dynamic(s, file),
      });
    } catch (e) {
      return e;
    }
  }

  // check compiles a file without running it and returns its SyntaxError.
  check(file) {
    const code = this.read(file);
    if (/\.json$/.test(file)) return undefined;
    const f = this.tryFunction(file, code);
    if (!(f instanceof Error)) return undefined;
    if (/\.c[jt]s$/.test(file)) return f;
    try {
      new vm.SourceTextModule(code, { identifier: file });
      return undefined;
    } catch (e) {
      return /import|export|await/.test(f.message) || e.message !== f.message ? e : f;
    }
  }

  // load returns a module's exports as an importer sees them.
  async load(file) {
    const m = await this.moduleOf({ file });
    if (m.status === 'unlinked') await m.link((s, from) => this.link(s, from));
    await m.evaluate();
    return m.namespace;
  }

  link(specifier, from) { return this.moduleOf(this.resolve(specifier, from.identifier), names(from.code, specifier)); }

  async dynamic(specifier, from) {
    const r = this.resolve(specifier, from);
    const m = await this.moduleOf(r);
    if (m.status === 'unlinked') await m.link((s, f) => this.link(s, f));
    await m.evaluate();
    return m;
  }

  async moduleOf(r, wanted = []) {
    const id = r.file ?? r.builtin ?? `provided:${r.specifier}`;
    let m = this.esm.get(id);
    if (m && wanted.every((n) => m.known === undefined || m.known.has(n))) return m;
    const seen = m;
    let exports = this.mocks.has(id) ? await this.mocks.get(id)() : r.provided ?? (r.builtin ? this.builtin(r.builtin, r.from) : this.foreign(r.file));
    if (exports === undefined) {
      if (/\.json$/.test(r.file)) exports = JSON.parse(this.read(r.file));
      else {
        const code = this.read(r.file);
        if (this.isModule(r.file, code)) return this.source(r.file, code);
        await this.prepare(r.file, code);
        exports = this.require(r.file);
      }
    }
    m = synthetic(id, exports, seen ? [...seen.known, ...wanted] : wanted);
    this.esm.set(id, m);
    await m.link(() => {});
    await m.evaluate();
    return m;
  }

  source(file, whole) {
    const { code, lines } = hoist(whole);
    // What Babel's users write: require and module.exports beside import.
    const mixed = /\b(module\.exports|require\s*\(|__dirname|__filename)/.test(code);
    const scope = mixed ? this.scope(file) : undefined;
    const head = mixed ? 'const {require,module,exports,__filename,__dirname}=import.meta.cjs;' : '';
    const options = {
      identifier: file, lineOffset: -lines, columnOffset: -head.length,
      initializeImportMeta: (meta) => {
        Object.assign(meta, { url: `file://${file}`, filename: file, dirname: path.dirname(file) });
        meta.resolve = (s) => `file://${this.resolve(s, file).file ?? s}`;
        if (mixed) Object.defineProperty(meta, 'cjs', { value: scope, enumerable: false });
      },
      importModuleDynamically: (s) => this.dynamic(s, file),
    };
    let m;
    try {
      m = new vm.SourceTextModule(head + code, options);
    } catch (e) {
      if (!head) throw e;
      m = new vm.SourceTextModule(code, { ...options, columnOffset: 0 });
    }
    m.code = code;
    m.mixed = scope?.module;
    this.esm.set(file, m);
    return m;
  }

  scope(file) {
    const module = { exports: {}, id: file, filename: file, loaded: false, children: [], paths: [] };
    return { module, exports: module.exports, require: this.requireFrom(file), __filename: file, __dirname: path.dirname(file) };
  }

  // prepare loads the ES modules that CommonJS will ask for: require can't wait.
  async prepare(file, code, seen = new Set()) {
    if (seen.has(file)) return;
    seen.add(file);
    for (const [, specifier] of code.matchAll(/\brequire\s*\(\s*['"`]([^'"`]+)['"`]\s*\)/g)) {
      let r;
      try { r = this.resolve(specifier, file); } catch { continue; }
      if (!r.file || /\.json$/.test(r.file) || this.foreign(r.file) !== undefined) continue;
      const inner = this.read(r.file);
      if (!this.isModule(r.file, inner)) await this.prepare(r.file, inner, seen);
      else await this.load(r.file).catch(() => {}); // require will say why
    }
  }

  requireFrom(from) {
    const require = (specifier) => {
      const r = this.resolve(String(specifier), from);
      if (this.mocks.size) {
        const id = r.file ?? r.builtin ?? r.specifier;
        if (this.mocks.has(id)) {
          if (!this.cjs.has(`mock:${id}`)) this.cjs.set(`mock:${id}`, { exports: this.mocks.get(id)() });
          return this.cjs.get(`mock:${id}`).exports;
        }
      }
      return r.provided ?? (r.builtin ? this.builtin(r.builtin, r.from) : this.require(r.file));
    };
    require.resolve = (s) => { const r = this.resolve(String(s), from); return r.file ?? r.builtin ?? s; };
    require.cache = {};
    require.main = undefined;
    return require;
  }

  require(file) {
    const foreign = this.foreign(file);
    if (foreign !== undefined) return foreign;
    const known = this.cjs.get(file);
    if (known) return known.exports;
    const code = this.read(file);
    if (/\.json$/.test(file)) {
      const module = { exports: JSON.parse(code) };
      this.cjs.set(file, module);
      return module.exports;
    }
    if (this.isModule(file, code)) {
      const m = this.esm.get(file);
      if (m?.status === 'errored') throw m.error;
      if (m?.status !== 'evaluated') {
        const e = new Error(`require() of the ES module ${path.relative(ROOT, file)} comes before it could be loaded: use import`);
        e.code = 'ERR_REQUIRE_ESM';
        throw e;
      }
      return m.namespace;
    }
    const f = this.tryFunction(file, code);
    if (f instanceof Error) throw f;
    const s = this.scope(file);
    this.cjs.set(file, s.module);
    try {
      Reflect.apply(f, s.exports, [s.exports, s.require, s.module, s.__filename, s.__dirname]);
    } catch (e) {
      this.cjs.delete(file);
      throw e;
    }
    s.module.loaded = true;
    return s.module.exports;
  }

  builtin(name) { return real(name); }
}

// names are those that the code imports from, or hands on of, that module.
function names(code = '', specifier) {
  const out = [];
  const quoted = specifier.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const clause = new RegExp(`\\b(?:import|export)\\b([^'"\`;]*?)\\bfrom\\s*['"]${quoted}['"]`, 'g');
  for (const [, list] of code.matchAll(clause)) {
    const braces = /\{([^}]*)\}/.exec(list.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''));
    for (const part of braces?.[1].split(',') ?? []) {
      const name = part.trim().split(/\s+as\s+/)[0].trim();
      if (name && name !== 'default' && /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name)) out.push(name);
    }
  }
  return out;
}

// synthetic makes an ES module of anything that was exported.
function synthetic(id, exports, wanted) {
  const isObject = (typeof exports === 'object' || typeof exports === 'function') && exports !== null;
  const known = new Set(['default', ...wanted]);
  if (isObject) for (const k of Object.keys(exports)) known.add(k);
  const interop = isObject && (exports.__esModule === true || exports[Symbol.toStringTag] === 'Module');
  const m = new vm.SyntheticModule([...known], () => {
    for (const k of known) {
      if (k === 'default') m.setExport(k, interop ? exports.default : exports);
      else m.setExport(k, isObject ? exports[k] : undefined);
    }
  }, { identifier: id });
  m.known = known;
  return m;
}

module.exports = { Loader, lacking };
