'use strict';
// Where things lie in the sandbox.
const ROOT = '/room';
const JUDGE = `${ROOT}/.judge`;

module.exports = { ROOT, JUDGE };
