'use strict';
// Types for the modules that tests import and the names they find everywhere,
// as far as the submission's own types need them.
const types = `
type __Words = any;
declare module '@jest/globals' {
  export const describe: any, it: any, test: any, expect: any, beforeAll: any, afterAll: any, beforeEach: any, afterEach: any;
  export const xit: any, xtest: any, xdescribe: any, fit: any, fdescribe: any;
  export const jest: any;
  export namespace jest { type Mock<T = any, U = any> = any; type Mocked<T = any> = any; type SpyInstance<T = any, U = any> = any; type MockedFunction<T = any> = any; }
}
declare module 'vitest' {
  export const describe: any, it: any, test: any, suite: any, expect: any, beforeAll: any, afterAll: any, beforeEach: any, afterEach: any;
  export const vi: any, vitest: any, assert: any, expectTypeOf: any, assertType: any, bench: any, onTestFinished: any;
  export type Mock<T = any, U = any> = any; export type Mocked<T = any> = any; export type MockInstance<T = any, U = any> = any; export type MockedFunction<T = any> = any;
}
declare module 'expect' { export const expect: any; export default expect; }
declare module 'bun:test' {
  export const describe: any, it: any, test: any, expect: any, beforeAll: any, afterAll: any, beforeEach: any, afterEach: any, mock: any, spyOn: any;
}
declare var describe: any, it: any, test: any, expect: any, beforeAll: any, afterAll: any, beforeEach: any, afterEach: any;
declare var xit: any, xtest: any, xdescribe: any, fit: any, fdescribe: any, jest: any, vi: any;
declare namespace jest { type Mock<T = any, U = any> = any; type SpyInstance<T = any, U = any> = any; type Mocked<T = any> = any; }
`;

// What Node's types and the browser's both have, for code that uses neither.
const shared = `
interface Console {
  log(...data: any[]): void; error(...data: any[]): void; warn(...data: any[]): void; info(...data: any[]): void; debug(...data: any[]): void;
  table(data?: any, columns?: string[]): void; dir(item?: any, options?: any): void; assert(condition?: boolean, ...data: any[]): void;
  trace(...data: any[]): void; count(label?: string): void; group(...data: any[]): void; groupEnd(): void; time(label?: string): void; timeEnd(label?: string): void; clear(): void;
}
declare var console: Console;
declare function setTimeout<A extends any[]>(callback: (...args: A) => void, ms?: number, ...args: A): number;
declare function setInterval<A extends any[]>(callback: (...args: A) => void, ms?: number, ...args: A): number;
declare function clearTimeout(id: number | undefined): void;
declare function clearInterval(id: number | undefined): void;
`;

module.exports = { types, shared };
