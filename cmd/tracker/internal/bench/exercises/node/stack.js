class Stack {
  constructor() { this.items = []; }

  push(x) { this.items.push(x); }

  pop() {
    if (!this.items.length) throw new RangeError('the stack is empty');
    return this.items.pop();
  }
}

const add = (a, b) => a + b;
const mean = (numbers) => numbers.reduce(add, 0) / numbers.length;

module.exports = { Stack, add, mean };
