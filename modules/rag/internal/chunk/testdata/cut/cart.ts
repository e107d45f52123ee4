import { Item } from "./item";

export interface Cart {
  items: Item[];
  total(): number;
}

export type Price = { cents: number };

/** Adds up. */
export async function sum(items: Item[]): Promise<number> {
  const text = `a ${items.map((i) => `{${i.name}}`).join(",")} }`;
  return items.length + text.length;
}

export const half = (n: number): number => {
  return n / 2;
};

export class Shop implements Cart {
  items: Item[] = [];

  total(): number {
    return 0;
  }
}
