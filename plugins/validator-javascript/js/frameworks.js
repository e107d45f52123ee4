'use strict';
// Types for the modules that tests import and the names they find everywhere,
// as far as the submission's own types need them. compile.js reads them from here.
/*types
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
types*/
