import { defineConfig, type Plugin } from "vite";
import { colorProperties } from "../wav2vec2/src/pages/colors.js";

/** The colours of the reports as a stylesheet. Light or dark is as the system says, unless the page's switch says otherwise. */
export function colors(): Plugin {
  const name = "virtual:colors.css";
  const id = `\0${name}`;
  return {
    name: "colors",
    resolveId: (source) => (source === name ? id : undefined),
    load: (source) =>
      source === id
        ? `:root { color-scheme: light; ${colorProperties("light")} }
:root[data-theme="dark"] { color-scheme: dark; ${colorProperties("dark")} }
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { color-scheme: dark; ${colorProperties("dark")} } }`
        : undefined,
  };
}

export default defineConfig({
  base: "/",
  plugins: [colors()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  resolve: { conditions: ["source", "module", "browser", "production"] },
  build: {
    target: "es2022",
    // The content security policy allows neither inlined pictures nor inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { checks: { pluginTimings: false } }, // a busy machine is no news
  },
});
