'use strict';
// Runs the submission as a program, for tasks without tests.
const fs = require('node:fs');
const path = require('node:path');
const { Loader } = require('./loader.js');
const { locate } = require('./locate.js');
const { ROOT, JUDGE } = require('./places.js');
const { Explainer } = require('./failure.js');

function run({ job }) {
  process.argv[1] = path.join(ROOT, job.entry);
  let emitted = { code: {}, maps: {} };
  try { emitted = JSON.parse(fs.readFileSync(path.join(JUDGE, 'emit.json'), 'utf8')); } catch { /* no TypeScript */ }

  const explainer = new Explainer({ tests: [], files: job.files, source: (n) => fs.readFileSync(path.join(ROOT, n), 'utf8'), maps: emitted.maps });
  const loader = new Loader({ sources: emitted.code });
  const say = (e) => {
    fs.writeSync(2, `\n${JSON.stringify({ failure: explainer.describe(e) })}\n`);
    process.exit(1);
  };
  process.on('uncaughtException', say);

  for (const name of job.files) {
    if (!/\.[mc]?jsx?$/.test(name)) continue;
    const e = loader.check(path.join(ROOT, name));
    if (e) {
      const at = locate(e, loader.read(path.join(ROOT, name)));
      fs.writeSync(2, `\n${JSON.stringify({ syntax: [{ file: name, message: e.message, ...at }] })}\n`);
      process.exit(2);
    }
  }
  loader.load(path.join(ROOT, job.entry)).catch(say);
}

module.exports = { run };
