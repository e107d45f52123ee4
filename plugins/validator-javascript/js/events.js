'use strict';
// Results leave as lines, each with a code that only the holder of the key can
// make. What is needed is taken aside before any other code is loaded.
const crypto = require('node:crypto');
const fs = require('node:fs');

const { apply, ownKeys } = Reflect;
const { stringify } = JSON;
const { isArray } = Array;
const { create, setPrototypeOf } = Object;
const { createHmac } = crypto;
const probe = createHmac('sha256', 'x');
const { update, digest } = probe;
const { writeSync } = fs;

function makeEvents(file, key) {
  const fd = fs.openSync(file, 'w', 0o600);
  const secret = crypto.createSecretKey(Buffer.from(key, 'utf8'));
  let number = 0;
  return (kind, fields) => {
    const line = stringify(plain({ ...fields, kind }));
    number += 1;
    const mac = createHmac('sha256', secret);
    apply(update, mac, [`${number} ${line}`]);
    writeSync(fd, `${apply(digest, mac, ['hex'])} ${line}\n`);
  };
}

// plain takes all inherited ways of being written away.
function plain(v) {
  if (typeof v !== 'object' || v === null) return typeof v === 'function' || typeof v === 'bigint' ? String(v) : v;
  const out = setPrototypeOf(isArray(v) ? [] : create(null), null);
  const keys = ownKeys(v);
  for (let i = 0; i < keys.length; i++) {
    const k = keys[i];
    if (k === 'length' && isArray(v)) out.length = v.length;
    else out[k] = plain(v[k]);
  }
  return out;
}

module.exports = { makeEvents };
