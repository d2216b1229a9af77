import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { loadPageFiles, type PageFiles } from "../../http/page-files.js";

/** @throws UserError where the page is not built */
export function loadDashboardPage(): PageFiles {
  const studio = dirname(createRequire(import.meta.url).resolve("@wav2vec2/studio/package.json"));
  return loadPageFiles(join(studio, "dist"), "the dashboard's page");
}
