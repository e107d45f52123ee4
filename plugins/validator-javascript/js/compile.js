'use strict';
// Checks types and emits JavaScript with source maps. Runs none of the code.
// Prints what it found as JSON; leaves one file for the tests' process and one
// for the submission's.
const fs = require('node:fs');
const path = require('node:path');
const Module = require('node:module');
const { unpack } = require('./unpack.js');
const { Translator } = require('./translate.js');

const ROOT = path.dirname(__dirname);
const LIB = '/lib/typescript';
const job = JSON.parse(fs.readFileSync(path.join(__dirname, 'job.json'), 'utf8'));
const bundle = unpack(path.join(__dirname, 'typescript.bin'));
const compiler = new Module('/typescript.js');
compiler.paths = [];
compiler._compile(bundle.text('typescript.js'), '/typescript.js');
const ts = compiler.exports;

const ambient = path.join(ROOT, '.judge/frameworks.d.ts');
const roots = [...job.files, ...job.tests].filter((n) => /\.(ts|tsx|mts|cts)$/.test(n)).map((n) => path.join(ROOT, n));
const NODE = /\bnode:|\b(process|Buffer|require|__dirname|__filename|setImmediate|NodeJS|import\.meta)\b|from\s+['"](fs|path|util|events|assert|crypto|os|readline|stream|url|timers|perf_hooks|child_process)(\/\w+)?['"]/;
const DOM = /\b(document|window|self|navigator|location|localStorage|sessionStorage|fetch|crypto|performance|structuredClone|atob|btoa|queueMicrotask|Node|Element|Text|Range|(HTML|SVG|DOM|CSS|URL|Abort|Event|Custom|Message|Text(En|De)|Request|Response|Headers|Form|Blob|File|Web|Worker|Crypto|Storage|Mouse|Keyboard|Readable|Writable|Transform|Broadcast|Intersection|Mutation|Resize|Image|Audio|Canvas|Document|Window)\w*)\b/;
const texts = roots.map((f) => { try { return fs.readFileSync(f, 'utf8'); } catch { return ''; } });
const uses = { node: texts.some((t) => NODE.test(t)), dom: texts.some((t) => DOM.test(t)) };
if (uses.node) roots.push('/node_modules/@types/node/index.d.ts');

// The flags that a task's tsconfig.json may set: how strict, and which library.
const TAKEN = ['strict', 'strictNullChecks', 'strictFunctionTypes', 'strictBindCallApply', 'strictPropertyInitialization', 'strictBuiltinIteratorReturn',
  'noImplicitAny', 'noImplicitThis', 'noImplicitReturns', 'noImplicitOverride', 'noUnusedLocals', 'noUnusedParameters', 'noFallthroughCasesInSwitch',
  'noUncheckedIndexedAccess', 'noPropertyAccessFromIndexSignature', 'exactOptionalPropertyTypes', 'useUnknownInCatchVariables', 'alwaysStrict',
  'allowUnreachableCode', 'allowUnusedLabels', 'experimentalDecorators', 'emitDecoratorMetadata', 'useDefineForClassFields', 'lib', 'jsx', 'checkJs'];

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
  if (file === ambient) return types();
  if (file.startsWith(`${LIB}/`)) return bundle.text(`lib/${file.slice(LIB.length + 1)}`);
  if (file.startsWith('/node_modules/')) return bundle.text(file.slice(1));
  if (!file.startsWith(`${ROOT}/`)) return undefined;
  try { return fs.readFileSync(file, 'utf8'); } catch { return undefined; }
}

// types are the frameworks', and where neither Node's nor the browser's are, the few that both share.
function types() {
  const text = fs.readFileSync(path.join(__dirname, 'frameworks.js'), 'utf8');
  const part = (name) => text.split(`/*${name}`)[1].split(`${name}*/`)[0];
  return part('types') + (uses.node || uses.dom ? '' : part('shared'));
}

const settings = options();
const cache = new Map();
const host = {
  fileExists: (f) => (f.startsWith('/node_modules/') ? bundle.has(f.slice(1)) : read(f) !== undefined),
  readFile: read,
  getSourceFile: (f, version) => {
    if (!cache.has(f)) {
      const text = read(f);
      cache.set(f, text === undefined ? undefined : ts.createSourceFile(f, text, { ...(typeof version === 'object' ? version : { languageVersion: version }), jsDocParsingMode: ts.JSDocParsingMode.ParseForTypeErrors }));
    }
    return cache.get(f);
  },
  getDefaultLibFileName: () => `${LIB}/lib.es2023.d.ts`, getDefaultLibLocation: () => LIB, getCurrentDirectory: () => ROOT,
  getCanonicalFileName: (f) => f, useCaseSensitiveFileNames: () => true, getNewLine: () => '\n', writeFile: () => {},
  directoryExists: (d) => (d.startsWith('/node_modules') ? true : fs.existsSync(d)), getDirectories: () => [], realpath: (f) => f,
};

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
  for (const d of syntax.length ? syntax : program.getSemanticDiagnostics(source)) {
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

const emits = { submission: { code: {}, maps: {} }, tests: { code: {}, maps: {} } };
program.emit(undefined, (fileName, text, _bom, _onError, sources) => {
  const name = sources?.[0] && path.relative(ROOT, sources[0].fileName);
  if (!name || !/\.(ts|tsx|mts|cts)$/.test(name) || /\.d\.[mc]?ts$/.test(name)) return;
  const into = emits[submitted.has(name) ? 'submission' : 'tests'];
  if (fileName.endsWith('.map')) into.maps[name] = text;
  else into.code[name] = text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
});
fs.writeFileSync(path.join(__dirname, 'emit-submission.json'), JSON.stringify(emits.submission));
fs.writeFileSync(path.join(__dirname, 'emit-tests.json'), JSON.stringify(emits.tests));
fs.writeSync(1, JSON.stringify(out));
process.exitCode = out.submission.some((d) => !job.mild.includes(d.code)) || out.broken.length ? 1 : 0;
