'use strict';
// Where a SyntaxError is. The API for ES modules won't say; Node itself does.
const { spawnSync } = require('node:child_process');

const POSITION = /:(\d+)\n(.*)\n(\s*)\^/;

function locate(error, code) {
  let m = POSITION.exec(error.stack);
  if (!m) {
    const r = spawnSync(process.execPath, ['--no-warnings', '--input-type=module', '--check', '-'], { input: code, encoding: 'utf8', timeout: 5000 });
    m = POSITION.exec(r.stderr ?? '');
  }
  return { line: m ? Number(m[1]) : 0, column: m ? m[3].length + 1 : 0, text: m ? m[2] : '' };
}

module.exports = { locate };
