const test = require('node:test');
const assert = require('node:assert');
const { Stack, add, mean } = require('./stack.js');

test('adds', () => assert.strictEqual(add(1, 2), 3));
test('adds a negative number', () => assert.strictEqual(add(-1, 2), 1));
test('mean', () => assert.strictEqual(mean([1, 2, 3]), 2));
test('push and pop', () => {
  const stack = new Stack();
  stack.push(1);
  stack.push(2);
  assert.strictEqual(stack.pop(), 2);
});
test('pop of nothing', () => assert.throws(() => new Stack().pop(), RangeError));
