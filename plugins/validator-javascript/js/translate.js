'use strict';
// The compiler's own Spanish for what it said in English.

class Translator {
  constructor(ts, spanish) {
    this.templates = new Map();
    for (const d of Object.values(ts.Diagnostics)) {
      const es = spanish[d.key];
      if (es) this.templates.set(d.code, { en: d.message, es });
    }
  }

  // text is the Spanish of a diagnostic with all that hangs below it.
  text(d) { return this.chain(d.messageText, d.code, 0); }

  chain(m, code, depth) {
    if (typeof m === 'string') return this.one(m, code);
    const head = '  '.repeat(depth) + this.one(m.messageText, m.code);
    return [head, ...(m.next ?? []).map((n) => this.chain(n, n.code, depth + 1))].join('\n');
  }

  // one finds what the English text put into its template, and puts it into the Spanish one.
  one(text, code) {
    const t = this.templates.get(code);
    if (!t) return text;
    const order = [];
    const pattern = t.en.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\d)\}/g, (_, n) => {
      order.push(n);
      return '([\\s\\S]*?)';
    });
    const m = new RegExp(`^${pattern}$`).exec(text);
    if (!m) return text;
    const values = Object.fromEntries(order.map((n, i) => [n, m[i + 1]]));
    return t.es.replace(/\{(\d)\}/g, (all, n) => values[n] ?? all);
  }
}

module.exports = { Translator };
