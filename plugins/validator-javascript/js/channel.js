'use strict';
// Messages on descriptor 3, one at a time and in turns: whoever has sent waits,
// and meanwhile answers what the other side asks.
const fs = require('node:fs');

const FD = 3;
const LARGEST = 32 << 20;
const { readSync, writeSync } = fs;
const nap = new Int32Array(new SharedArrayBuffer(4));

class Gone extends Error {}

function retry(f) {
  for (;;) {
    try {
      return f();
    } catch (e) {
      if (e.code === 'EINTR') continue;
      if (e.code === 'EAGAIN') {
        Atomics.wait(nap, 0, 0, 1);
        continue;
      }
      throw new Gone(`the channel is closed: ${e.code}`);
    }
  }
}

function read(buffer) {
  let at = 0;
  while (at < buffer.length) {
    const n = retry(() => readSync(FD, buffer, at, buffer.length - at));
    if (n === 0) throw new Gone('the channel is closed');
    at += n;
  }
  return buffer;
}

function receive() {
  const size = read(Buffer.allocUnsafe(4)).readUInt32LE(0);
  if (size > LARGEST) throw new Gone('a message is too large');
  return JSON.parse(read(Buffer.allocUnsafe(size)).toString('utf8'));
}

function send(message) {
  const body = Buffer.from(JSON.stringify(message), 'utf8');
  if (body.length > LARGEST) throw new RangeError('a value is too large to be handed over');
  const all = Buffer.allocUnsafe(body.length + 4);
  all.writeUInt32LE(body.length, 0);
  body.copy(all, 4);
  for (let at = 0; at < all.length;) at += retry(() => writeSync(FD, all, at, all.length - at));
}

module.exports = { receive, send, Gone };
