'use strict';
// Where a SyntaxError is. The API for ES modules won't say; Node itself does.
const { spawnSync } = require('node:child_process');

// Not a place in Node's own code, where deep nesting ends.
const POSITION = /^(?!node:)[^\n]*:(\d+)\n(.*)\n(\s*)\^/;

function locate(error, code) {
  let stack = String(error.stack);
  if (!POSITION.test(stack)) {
    const r = spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '--check', '-'], { input: code, encoding: 'utf8', timeout: 5000 });
    if (!/^(?!node:)\S+:\d+\n/.test(stack)) stack = r.stderr ?? '';
  }
  const m = POSITION.exec(stack);
  if (m) return { line: Number(m[1]), column: m[3].length + 1, text: m[2] };
  // At the end of the file there is nothing to point at but its last line.
  if (!/end of input/.test(error.message)) return { line: 0, column: 0, text: '' };
  const lines = code.trimEnd().split(/\r\n|\n|\r/);
  return { line: lines.length, column: lines.at(-1).length + 1, text: lines.at(-1) };
}

module.exports = { locate };
