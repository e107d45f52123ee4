'use strict';
// Does what a process of ours was started for: its mode is its argument, and
// what it must know comes on standard input, as JSON.
const modes = {
  compile: () => require('./compile.js'), program: () => require('./program.js'),
  submission: () => require('./submission.js'), tests: () => require('./tests.js'),
};

// main takes what the mode's module has loaded in advance, if it has.
function main(mode, input, ...ready) {
  process.argv = [process.execPath, '/room/.judge/code.cjs'];
  modes[mode]().run(JSON.parse(input), ...ready);
}

module.exports = { main };
