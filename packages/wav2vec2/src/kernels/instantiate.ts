/** What this project uses of https://webassembly.github.io/spec/js-api/, whose types TypeScript has for browsers alone. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
};

/** @param base64 a module without imports, of at most 4 KB, which browsers compile at once in a page's main thread too */
export function instantiate<Exports>(base64: string): Exports {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports as Exports;
}
