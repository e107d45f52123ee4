'use strict';
// Packs the compiler, the libraries' types and its Spanish messages into the one
// file that the plugin embeds. Usage: node pack.js NODE_MODULES OUT
const fs = require('node:fs');
const path = require('node:path');
const zlib = require('node:zlib');

const [modules, out] = process.argv.slice(2);
const files = {};
const add = (name, file) => { files[name] = fs.readFileSync(file, 'utf8'); };
const lib = path.join(modules, 'typescript', 'lib');
add('typescript.js', path.join(lib, 'typescript.js'));
add('es.json', path.join(lib, 'es', 'diagnosticMessages.generated.json'));
for (const f of fs.readdirSync(lib)) if (/^lib\..*\.d\.ts$|^lib\.d\.ts$/.test(f)) add(`lib/${f}`, path.join(lib, f));
for (const pkg of ['@types/node', 'undici-types']) {
  const root = path.join(modules, pkg);
  for (const f of fs.readdirSync(root, { recursive: true })) {
    if (/\.d\.ts$|^package\.json$/.test(f) && !/^ts5\.|^ts4\./.test(f)) add(`node_modules/${pkg}/${f}`, path.join(root, f));
  }
}
const versions = { typescript: JSON.parse(fs.readFileSync(path.join(modules, 'typescript', 'package.json'), 'utf8')).version };
// Length-prefixed, so that unpacking needs no parser: a line of JSON, then the texts.
const index = Object.entries(files).map(([name, text]) => [name, Buffer.byteLength(text)]);
const raw = Buffer.concat([Buffer.from(`${JSON.stringify({ versions, index })}\n`), ...Object.values(files).map((t) => Buffer.from(t))]);
fs.writeFileSync(`${out}.part`, zlib.gzipSync(raw, { level: 9 }));
fs.renameSync(`${out}.part`, out);
