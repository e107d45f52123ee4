'use strict';
// The warm-up program: loads what a run needs before there is one, and then does
// what entry.js does in a process of its own. `warm.js compile` has the compiler
// loaded, else it is what tests and submissions need.
const fs = require('node:fs');
const { main } = require('./entry.js');

let ready = [];
if (process.argv[2] === 'compile') {
  ready = [require('./compile.js').load('/warm/typescript.bin')];
} else {
  for (const name of ['./tests.js', './submission.js', './program.js']) require(name);
}
fs.writeSync(1, 'ready\n');

// The first line is the hand-over; the process's own input is behind it.
let input = Buffer.alloc(0);
let end;
while ((end = input.indexOf(10)) < 0) {
  const chunk = Buffer.alloc(64 << 10);
  const n = fs.readSync(0, chunk);
  if (n === 0) process.exit(0);
  input = Buffer.concat([input, chunk.subarray(0, n)]);
}
const { argv, env, dir } = JSON.parse(input.subarray(0, end).toString('utf8'));
const rest = Buffer.concat([input.subarray(end + 1), fs.readFileSync(0)]).toString('utf8');
for (const k of Object.keys(process.env)) delete process.env[k];
Object.assign(process.env, env);
process.chdir(dir);
main(argv.at(-1), rest, ...ready);
