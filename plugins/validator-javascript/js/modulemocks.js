'use strict';
// jest.mock and vi.mock: modules that a test replaces, for itself and for the
// code under test. The calls are moved before the imports, as Jest does it.

const CALL = /(?:(?:const|let|var)\s+[^=;]+=\s*(?:await\s+)?)?\b(?:jest|vi)\.(?:mock|unstable_mockModule|hoisted)\s*\(/g;
const FRAMEWORK = /^(@jest\/globals|jest|vitest|expect|node:test|assert|node:assert)/;

// hoist moves the calls up; lines says by how many lines all else moves down.
function hoist(code) {
  const heads = [];
  let rest = '';
  let at = 0;
  for (let m; (CALL.lastIndex = at, m = CALL.exec(code)) !== null;) {
    const end = closing(code, m.index + m[0].length);
    if (end < 0) break;
    const text = code.slice(m.index, end);
    heads.push(text);
    rest += code.slice(at, m.index) + text.replace(/[^\n]/g, '');
    at = end;
  }
  if (!heads.length) return { code, lines: 0 };
  rest += code.slice(at);
  let n = 0;
  rest = rest.replace(/^([ \t]*)import\s+([^'";]*?)\s+from\s*(['"])([^'"]+)\3/gm, (all, indent, clause, _q, spec) => {
    if (FRAMEWORK.test(spec)) return all;
    const name = `__import${n++}`;
    const out = [`const ${name}=await import(${JSON.stringify(spec)})`];
    const list = /\{([^}]*)\}/.exec(clause);
    const space = /\*\s*as\s+([\w$]+)/.exec(clause);
    const first = /^([\w$]+)/.exec(clause);
    if (first) out.push(`const ${first[1]}=${name}.default`);
    if (space) out.push(`const ${space[1]}=${name}`);
    if (list) out.push(`const {${list[1].replace(/([\w$]+)\s+as\s+([\w$]+)/g, '$1:$2').replace(/\n/g, ' ')}}=${name}`);
    return indent + out.join(';') + all.replace(/[^\n]/g, '');
  });
  // Names that the calls use come from the framework's imports, which rise by themselves.
  const head = `${heads.join(';\n')};\n`;
  return { code: head + rest, lines: head.split('\n').length - 1 };
}

// closing finds the bracket that ends a call whose text begins at i.
function closing(code, i) {
  for (let depth = 1; i < code.length; i++) {
    const c = code[i];
    if (c === '/' && code[i + 1] === '/') i = code.indexOf('\n', i);
    else if (c === '/' && code[i + 1] === '*') i = code.indexOf('*/', i) + 1;
    else if (c === '"' || c === "'" || c === '`') {
      for (i++; i < code.length && code[i] !== c; i++) if (code[i] === '\\') i++;
    } else if (c === '(' || c === '{' || c === '[') depth++;
    else if ((c === ')' || c === '}' || c === ']') && --depth === 0) return i + 1;
    if (i < 0) return -1;
  }
  return -1;
}

// controls are the words of jest and vi; loader() and file() say where we are.
function controls({ loader, file, fn, box }) {
  const id = (spec) => {
    const r = loader().resolve(spec, file());
    return r.file ?? r.builtin ?? r.specifier;
  };
  const actual = async (spec) => {
    const l = loader();
    const key = id(spec);
    const mock = l.mocks.get(key);
    l.mocks.delete(key);
    const before = l.esm.get(key);
    l.esm.delete(key);
    try { return await l.load(key); } finally {
      if (mock) l.mocks.set(key, mock);
      if (before) l.esm.set(key, before);
      else l.esm.delete(key);
    }
  };
  const auto = (v) => {
    if (typeof v === 'function') return Object.assign(fn(), /^class\b/.test(Function.prototype.toString.call(v)) ? {} : { ...v });
    if (typeof v !== 'object' || v === null || Array.isArray(v)) return v;
    return Object.fromEntries(Object.keys(v).map((k) => [k, auto(v[k])]));
  };
  const mock = (spec, factory) => {
    if (typeof spec !== 'string') return box;
    const key = (() => { try { return id(spec); } catch { return spec; } })();
    loader().mocks.set(key, typeof factory === 'function' ? () => factory(() => actual(spec)) : async () => auto(await actual(spec)));
    return box;
  };
  const requireActual = (spec) => {
    const l = loader();
    const key = id(spec);
    const m = l.mocks.get(key);
    l.mocks.delete(key);
    try { return l.requireFrom(file())(spec); } finally { if (m) l.mocks.set(key, m); }
  };
  return {
    mock, doMock: mock, unstable_mockModule: mock, requireActual, importActual: actual, hoisted: (f) => f(),
    requireMock: (spec) => loader().requireFrom(file())(spec), importMock: (spec) => loader().load(id(spec)), createMockFromModule: (spec) => auto(requireActual(spec)),
  };
}

module.exports = { hoist, controls };
