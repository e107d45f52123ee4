'use strict';
// Checks types and emits JavaScript with source maps. Runs none of the code.
// Prints what it found as JSON; leaves one file for the tests' process and one
// for the submission's.
const fs = require('node:fs');
const path = require('node:path');
const Module = require('node:module');
const { unpack } = require('./unpack.js');
const { Translator } = require('./translate.js');
const { types, shared } = require('./frameworks.js');
const { ROOT, JUDGE } = require('./places.js');

const LIB = '/lib/typescript';
const TOO_DEEP = 2589; // the compiler's own number for what nests without end
const NODE = /\bnode:|\b(process|Buffer|require|__dirname|__filename|setImmediate|NodeJS|import\.meta)\b|from\s+['"](fs|path|util|events|assert|crypto|os|readline|stream|url|timers|perf_hooks|child_process)(\/\w+)?['"]/;
const DOM = /\b(document|window|self|navigator|location|localStorage|sessionStorage|fetch|crypto|performance|structuredClone|atob|btoa|queueMicrotask|Node|Element|Text|Range|(HTML|SVG|DOM|CSS|URL|Abort|Event|Custom|Message|Text(En|De)|Request|Response|Headers|Form|Blob|File|Web|Worker|Crypto|Storage|Mouse|Keyboard|Readable|Writable|Transform|Broadcast|Intersection|Mutation|Resize|Image|Audio|Canvas|Document|Window)\w*)\b/;

// The flags that a task's tsconfig.json may set: how strict, and which library.
const TAKEN = ['strict', 'strictNullChecks', 'strictFunctionTypes', 'strictBindCallApply', 'strictPropertyInitialization', 'strictBuiltinIteratorReturn',
  'noImplicitAny', 'noImplicitThis', 'noImplicitReturns', 'noImplicitOverride', 'noUnusedLocals', 'noUnusedParameters', 'noFallthroughCasesInSwitch',
  'noUncheckedIndexedAccess', 'noPropertyAccessFromIndexSignature', 'exactOptionalPropertyTypes', 'useUnknownInCatchVariables', 'alwaysStrict',
  'allowUnreachableCode', 'allowUnusedLabels', 'experimentalDecorators', 'emitDecoratorMetadata', 'useDefineForClassFields', 'lib', 'jsx', 'checkJs'];

// load reads the compiler from where it lies.
function load(file) {
  const bundle = unpack(file);
  const compiler = new Module('/typescript.js');
  compiler.paths = [];
  compiler._compile(bundle.text('typescript.js'), '/typescript.js');
  return { ts: compiler.exports, bundle, cache: new Map() };
}

// run compiles what job names, with a compiler that load has made.
function run({ job }, { ts, bundle, cache } = load('/warm/typescript.bin')) {
  const ambient = path.join(JUDGE, 'frameworks.d.ts');
  const roots = [...job.files, ...job.tests].filter((n) => /\.(ts|tsx|mts|cts)$/.test(n)).map((n) => path.join(ROOT, n));
  const texts = roots.map((f) => { try { return fs.readFileSync(f, 'utf8'); } catch { return ''; } });
  const uses = { node: texts.some((t) => NODE.test(t)), dom: texts.some((t) => DOM.test(t)) };
  if (uses.node) roots.push('/node_modules/@types/node/index.d.ts');

  function options() {
    const out = { strict: true, target: ts.ScriptTarget.ES2022 };
    let text;
    try { text = fs.readFileSync(path.join(ROOT, 'tsconfig.json'), 'utf8'); } catch { /* none */ }
    if (text && job.config) {
      const raw = ts.parseConfigFileTextToJson('tsconfig.json', text).config?.compilerOptions ?? {};
      const { options: given } = ts.convertCompilerOptionsFromJson(raw, ROOT);
      for (const k of TAKEN) if (given[k] !== undefined) out[k] = given[k];
    }
    // The browser's types are the largest part of the work: only where they are used.
    const lib = new Set([...(out.lib ?? ['lib.dom.d.ts', 'lib.dom.iterable.d.ts']).filter((l) => uses.dom || !/dom/.test(l)), 'lib.es2023.d.ts']);
    return {
      ...out, lib: [...lib], module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler, esModuleInterop: true,
      allowImportingTsExtensions: true, resolveJsonModule: true, allowJs: true, skipLibCheck: true, sourceMap: true, removeComments: false,
      jsx: ts.JsxEmit.React, types: [], noEmit: false, moduleDetection: ts.ModuleDetectionKind.Auto,
    };
  }

  function read(file) {
    if (file === ambient) return types + (uses.node || uses.dom ? '' : shared);
    if (file.startsWith(`${LIB}/`)) return bundle.text(`lib/${file.slice(LIB.length + 1)}`);
    if (file.startsWith('/node_modules/')) return bundle.text(file.slice(1));
    if (!file.startsWith(`${ROOT}/`)) return undefined;
    try { return fs.readFileSync(file, 'utf8'); } catch { return undefined; }
  }

  const settings = options();
  const deep = new Set();
  const host = {
    fileExists: (f) => (f.startsWith('/node_modules/') ? bundle.has(f.slice(1)) : read(f) !== undefined),
    readFile: read,
    getSourceFile: (f, version) => {
      if (!cache.has(f)) {
        const text = read(f);
        cache.set(f, text === undefined ? undefined : parse(f, text, version));
      }
      return cache.get(f);
    },
    getDefaultLibFileName: () => `${LIB}/lib.es2023.d.ts`, getDefaultLibLocation: () => LIB, getCurrentDirectory: () => ROOT,
    getCanonicalFileName: (f) => f, useCaseSensitiveFileNames: () => true, getNewLine: () => '\n', writeFile: () => {},
    directoryExists: (d) => (d.startsWith('/node_modules') ? true : fs.existsSync(d)), getDirectories: () => [], realpath: (f) => f,
  };

  function parse(f, text, version) {
    const how = { ...(typeof version === 'object' ? version : { languageVersion: version }), jsDocParsingMode: ts.JSDocParsingMode.ParseForTypeErrors };
    return shallow(f, () => ts.createSourceFile(f, text, how)) ?? ts.createSourceFile(f, '', how);
  }

  // shallow notes a file that is nested too deeply for the compiler.
  function shallow(f, work, noted = true) {
    try { return work(); } catch (e) {
      if (!(e instanceof RangeError)) throw e;
      if (noted) deep.add(path.relative(ROOT, f));
      return undefined;
    }
  }

  const program = ts.createProgram([...roots, ambient], settings, host);
  const submitted = new Set(job.files);
  const translate = new Translator(ts, JSON.parse(bundle.text('es.json')));
  const seen = new Set();
  const split = new Map();
  const out = { version: ts.version, submission: [], tests: [], broken: [] };

  for (const source of program.getSourceFiles()) {
    const name = path.relative(ROOT, source.fileName);
    const own = submitted.has(name);
    if (!own && !job.tests.includes(name)) continue;
    const syntax = program.getSyntacticDiagnostics(source);
    for (const d of syntax.length ? syntax : shallow(source.fileName, () => program.getSemanticDiagnostics(source), own) ?? []) {
      if (d.category !== ts.DiagnosticCategory.Error || !d.file) continue;
      const item = describe(d, name, syntax.length > 0);
      const id = `${name}:${item.line}:${item.column}:${item.code}`;
      if (seen.has(id)) continue;
      seen.add(id);
      if (own) out.submission.push(item);
      else if (syntax.length) out.broken.push(item);
      else out.tests.push(item);
    }
  }

  function describe(d, name, syntax) {
    const at = (offset) => {
      const { line, character } = d.file.getLineAndCharacterOfPosition(offset);
      const text = lines(d.file)[line] ?? '';
      return { line: line + 1, column: Array.from(text.slice(0, character)).length + 1, text };
    };
    const from = at(d.start ?? 0);
    const to = at((d.start ?? 0) + (d.length ?? 0));
    return {
      file: name, line: from.line, column: from.column, end_line: to.line, end_column: to.column, text: from.text.slice(0, 400),
      code: d.code, syntax, en: ts.flattenDiagnosticMessageText(d.messageText, '\n'), es: translate.text(d),
    };
  }

  function lines(file) {
    if (!split.has(file)) split.set(file, file.text.split(/\r\n|\n|\r/));
    return split.get(file);
  }

  for (const file of deep) {
    const item = { file, line: 0, column: 0, end_line: 0, end_column: 0, text: '', code: TOO_DEEP, syntax: true, en: 'The code is nested too deeply.', es: 'El código tiene demasiados niveles anidados.' };
    (submitted.has(file) ? out.submission : out.broken).push(item);
  }

  const emits = { submission: { code: {}, maps: {} }, tests: { code: {}, maps: {} } };
  if (!deep.size) program.emit(undefined, (fileName, text, _bom, _onError, sources) => {
    const name = sources?.[0] && path.relative(ROOT, sources[0].fileName);
    if (!name || !/\.(ts|tsx|mts|cts)$/.test(name) || /\.d\.[mc]?ts$/.test(name)) return;
    const into = emits[submitted.has(name) ? 'submission' : 'tests'];
    if (fileName.endsWith('.map')) into.maps[name] = text;
    else into.code[name] = text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
  });
  fs.writeFileSync(path.join(JUDGE, 'emit-submission.json'), JSON.stringify(emits.submission));
  fs.writeFileSync(path.join(JUDGE, 'emit-tests.json'), JSON.stringify(emits.tests));
  fs.writeSync(1, JSON.stringify(out));
  process.exitCode = out.submission.some((d) => !job.mild.includes(d.code)) || out.broken.length ? 1 : 0;
}

module.exports = { load, run };
