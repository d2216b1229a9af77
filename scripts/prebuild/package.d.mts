/** Writes the npm package of a compiled bridge. */
export function writePackage(
  folder: string,
  arch: "x64" | "arm64",
  addon: string,
  prebuilt: { libtorch: string; glibc: string; sources: string },
): void;
