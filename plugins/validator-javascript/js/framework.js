'use strict';
// The modules that test files import, and the names they find everywhere.
const assert = require('node:assert');
const { Registry, words } = require('./registry.js');
const { makeExpect } = require('./expect.js');
const mocks = require('./mocks.js');
const flavours = require('./flavours.js');

function makeFramework() {
  const registry = new Registry();
  const expectation = makeExpect();
  const { expect } = expectation;
  const toolbox = mocks.toolbox(registry);
  const flavour = flavours.make({ expect, toolbox });
  const jestWords = words(registry, 'jest');
  const vitestWords = words(registry, 'vitest');
  const nodeWords = words(registry, 'node');
  const strictAssert = Object.assign((...a) => assert.strict(...a), assert.strict);
  const looseAssert = Object.assign((...a) => assert(...a), assert, { strict: strictAssert, default: undefined });
  looseAssert.default = looseAssert;
  strictAssert.strict = strictAssert;
  const nodeTest = Object.assign((...a) => nodeWords.test(...a), nodeWords.test, nodeWords, { suite: nodeWords.describe, mock: flavour.nodeMock(), assert: looseAssert, run: undefined });
  nodeTest.default = nodeTest.test = nodeTest;
  const globals = { ...jestWords, expect, jest: toolbox };
  delete globals.before;
  delete globals.after;
  delete globals.suite;
  const vitest = { ...vitestWords, expect, vi: toolbox, vitest: toolbox, assert: looseAssert, expectTypeOf: anything(), assertType: () => {}, bench: () => {} };
  const modules = {
    '@jest/globals': globals, jest: globals, expect: Object.assign(expect, { expect }), vitest, 'bun:test': { ...globals, mock: toolbox.fn, spyOn: toolbox.spyOn },
    'node:test': nodeTest, assert: looseAssert, 'node:assert': looseAssert, 'assert/strict': strictAssert, 'node:assert/strict': strictAssert,
  };
  for (const name of ['core-js', 'regenerator-runtime', '@babel/register', 'jest-extended', 'vitest/globals']) modules[name] = {};
  const provide = (s) => (Object.hasOwn(modules, s) ? modules[s] : /^core-js\//.test(s) || /^@testing-library\/jest-dom/.test(s) ? {} : undefined);
  return { registry, expectation, flavour, toolbox, provide, globals: { ...globals, vi: toolbox } };
}

// anything answers to all words of type tests, which have no part at run time.
function anything() {
  const p = new Proxy(function () {}, { get: (_, k) => (k === 'then' ? undefined : p), apply: () => p });
  return p;
}

module.exports = { makeFramework };
