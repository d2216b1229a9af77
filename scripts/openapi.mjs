// Writes the description of the server's HTTP interface, docs/openapi.json, of what checks its requests:
//   npm run build && node scripts/openapi.mjs
import { writeFileSync } from "node:fs";
import { openApi } from "../packages/wav2vec2/dist/serve/openapi.js";

const path = new URL("../docs/openapi.json", import.meta.url);
writeFileSync(path, `${JSON.stringify(openApi(), null, 2)}\n`);
