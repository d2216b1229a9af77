import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * The exports of a package, which is loaded where one of them is used first: who imports this library does not wait for what
 * only a part of it needs. For packages that functions need at once; others are imported where they are awaited.
 *
 * @param name of a dependency that has a CommonJS build; what it exports may be a class
 */
export function lazyPackage<Exports extends object>(name: string): Exports {
  let loaded: Exports | undefined;
  const load = () => (loaded ??= require(name) as Exports);
  return new Proxy(class {} as unknown as Exports, {
    get: (_target, key) => Reflect.get(load(), key),
    construct: (_target, args) => Reflect.construct(load() as new () => object, args),
  });
}
