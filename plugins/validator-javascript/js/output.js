'use strict';
// Catches what is printed: keeps the beginning, counts all.
const KEEP = 64 << 10;

class Output {
  constructor(limit, over) {
    Object.assign(this, { limit, over, total: 0, text: '', cut: false });
  }

  install() {
    const write = (chunk, encoding, done) => {
      this.add(typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('utf8'));
      const cb = typeof encoding === 'function' ? encoding : done;
      if (typeof cb === 'function') process.nextTick(cb);
      return true;
    };
    for (const stream of [process.stdout, process.stderr]) Object.defineProperty(stream, 'write', { value: write, writable: true, configurable: true });
    return this;
  }

  add(text) {
    this.total += text.length;
    if (this.total > this.limit) this.over();
    if (this.text.length < KEEP) this.text += text.slice(0, KEEP - this.text.length);
    else this.cut = true;
  }

  take() {
    const out = this.cut ? `${this.text}\n…` : this.text;
    this.text = '';
    this.cut = false;
    return out;
  }
}

module.exports = { Output };
