import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * The exports of a package, which is loaded where one of them is used first: who imports this library does not wait for what
 * only a part of it needs. For packages that functions need at once; others are imported where they are awaited.
 *
 * @param name of a dependency that has a CommonJS build
 */
export function lazyPackage<Exports extends object>(name: string): Exports {
  let loaded: Exports | undefined;
  return new Proxy({} as Exports, {
    get(_target, key) {
      loaded ??= require(name) as Exports;
      return Reflect.get(loaded, key);
    },
  });
}
