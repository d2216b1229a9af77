// NVIDIA's libraries open one another by name at run time, and then the folders of LD_LIBRARY_PATH come before their
// own: cuSPARSE of one CUDA with nvJitLink of another ends with "undefined symbol: __nvJitLinkComplete_12_4"
// (https://github.com/pytorch/pytorch/issues/111469). A library that is loaded already is not looked for again.
import { existsSync, readdirSync } from "node:fs";
import { constants } from "node:os";
import { basename, delimiter, join } from "node:path";
import { builtFor } from "./built-for.js";

/** The ones that others need first; they have no RPATH of their own that would find them. */
const FIRST = [
  ...["libnvJitLink", "libcudart", "libcublasLt", "libcublas", "libnvrtc-builtins", "libnvrtc"],
  ...["libcudnn_graph", "libcudnn_ops"],
];

/** From <dlfcn.h> on Linux; Node closes what it opened when it turns out to be no addon. */
const RTLD_NODELETE = 0x1000;

/**
 * Which of NVIDIA's libraries beside a libtorch have a namesake in the folders that the system searches first. The
 * libraries that libtorch_cuda names itself are found by its own DT_RPATH, which comes before LD_LIBRARY_PATH.
 *
 * @param torch folder of the torch package, with `../nvidia/NAME/lib` beside it as wheels lay them
 * @param searchPath LD_LIBRARY_PATH
 * @returns their paths, those that others need first
 */
export function librariesWithNamesakes(torch: string, searchPath: string): string[] {
  const nvidia = join(torch, "../nvidia");
  if (!existsSync(nvidia)) return [];
  const own = new Map<string, string>();
  for (const name of readdirSync(nvidia)) {
    const folder = join(nvidia, name, "lib");
    for (const library of listed(folder)) {
      if (/\.so(\.\d+)*$/.test(library)) own.set(library, join(folder, library));
    }
  }
  const namesakes = new Set<string>();
  for (const folder of searchPath.split(delimiter).filter((entry) => entry !== "")) {
    for (const library of listed(folder)) {
      const path = own.get(library);
      if (path !== undefined && path !== join(folder, library)) namesakes.add(path);
    }
  }
  const rank = (path: string) => {
    const place = FIRST.indexOf(basename(path).replace(/\.so.*$/, ""));
    return place === -1 ? FIRST.length : place;
  };
  return [...namesakes].sort((a, b) => rank(a) - rank(b) || a.localeCompare(b, "en"));
}

/**
 * Loads libtorch's own ones of the libraries that something else would take the place of.
 *
 * @param bridge path of the addon; set-up leaves beside it which libtorch it was built for
 */
export function loadOwnLibraries(bridge: string, searchPath = process.env.LD_LIBRARY_PATH): void {
  if (process.platform !== "linux" || !searchPath) return;
  const libtorch = builtFor(bridge);
  if (libtorch?.cuda === undefined) return;
  const { RTLD_LAZY, RTLD_GLOBAL } = constants.dlopen as { RTLD_LAZY: number; RTLD_GLOBAL: number };
  for (const path of librariesWithNamesakes(libtorch.root, searchPath)) {
    try {
      process.dlopen({ exports: {} }, path, RTLD_LAZY | RTLD_GLOBAL | RTLD_NODELETE);
    } catch {
      // It is no addon, which Node only sees once it is loaded. One that does not load stays for libtorch to find.
    }
  }
}

function listed(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
