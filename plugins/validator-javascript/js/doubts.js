'use strict';
// What keeps an object of the submission's from saying yes to whatever a test
// asks, where an honest one would be a text or a number.

const YES = ['startsWith', 'endsWith', 'includes'];
const LETTERS = ['abcdefghijklmnopqrstuvwxyz', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '0123456789'];
const { random, floor } = Math;
const any = (from) => from[floor(random() * from.length)];

// other is a text as long and of the same look, for which no is the answer.
function other(text) {
  if (text.length < 4) return String.fromCodePoint(0x3400 + floor(random() * 6000), 0x3400 + floor(random() * 6000));
  let out = '';
  for (const c of text) out += any(LETTERS.find((l) => l.includes(c)) ?? c);
  return out === text ? `${any(LETTERS[0])}${out}` : out;
}

// doubtful wraps a method that tells whether a text is in the object: one that
// says so of any text tells nothing.
function doubtful(key, f) {
  if (!YES.includes(key) || typeof f !== 'function') return f;
  return function (text, ...rest) {
    const answer = Reflect.apply(f, this, [text, ...rest]);
    if (answer !== true || typeof text !== 'string' || text === '') return answer;
    for (let i = 0; i < 3; i++) {
      try { if (Reflect.apply(f, this, [other(text), ...rest]) !== true) return answer; } catch { return answer; }
    }
    throw new TypeError(`${key}() says true of any text: the value is no text, but an object that agrees to all`);
  };
}

// primitive is what an object converts to, asked for in one go.
function primitive(o, hint) {
  const own = o[Symbol.toPrimitive];
  for (const [f, args] of own === undefined || own === null ? (hint === 'string' ? ['toString', 'valueOf'] : ['valueOf', 'toString']).map((name) => [o[name], []]) : [[own, [hint]]]) {
    if (typeof f !== 'function') continue;
    const v = Reflect.apply(f, o, args);
    if ((typeof v !== 'object' && typeof v !== 'function') || v === null) return v;
  }
  throw new TypeError('Cannot convert object to primitive value');
}

module.exports = { YES, doubtful, primitive };
