import { copyFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";
import { colors } from "./vite.config.js";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** What both pages have. */
function shared(): Plugin {
  return {
    name: "shared",
    transformIndexHtml: () => [
      { tag: "link", attrs: { rel: "icon", href: "./icon.svg", type: "image/svg+xml" } },
      { tag: "script", attrs: { src: "./theme.js" } },
    ],
    closeBundle() {
      for (const name of ["icon.svg", "theme.js"])
        copyFileSync(at(`public/${name}`), at(`dist-speech/${name}`));
    },
  };
}

/** Recognition in the browser: a static site, wherever it lies on a server. */
export default defineConfig({
  root: at("speech"),
  base: "./",
  plugins: [colors(), shared()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  resolve: { conditions: ["source", "module", "browser", "production"] },
  worker: { format: "es" },
  build: {
    outDir: at("dist-speech"),
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } },
  },
});
