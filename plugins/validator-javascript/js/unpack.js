'use strict';
// Reads what toolchain/pack.js has packed.
const fs = require('node:fs');
const zlib = require('node:zlib');

function unpack(file) {
  const raw = zlib.gunzipSync(fs.readFileSync(file));
  const end = raw.indexOf(10);
  const { index } = JSON.parse(raw.toString('utf8', 0, end));
  const places = new Map();
  let at = end + 1;
  for (const [name, size] of index) {
    places.set(name, [at, at + size]);
    at += size;
  }
  return {
    has: (name) => places.has(name),
    text: (name) => (places.has(name) ? raw.toString('utf8', ...places.get(name)) : undefined),
  };
}

module.exports = { unpack };
