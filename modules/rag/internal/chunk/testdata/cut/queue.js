import fs from "fs";

/**
 * A queue.
 */
export class Queue {
  push(item) {
    this.items.push(`}`);
  }
}

export const size = (q) => {
  return q.items.length; // { not open
};

function main() {
  console.log('it\'s {');
}

main();
