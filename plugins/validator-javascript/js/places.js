'use strict';
// Where things lie in the sandbox.
const ROOT = '/work';
const JUDGE = `${ROOT}/.judge`;

module.exports = { ROOT, JUDGE };
