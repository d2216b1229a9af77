import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { defaultCache } from "@wav2vec2/libtorch/places";
import { unwritable } from "../files/atomic/atomic-file.js";
import { resolveModel } from "../files/hub/hub.js";
import { isExported } from "../files/hub/model-files.js";
import { makeDirectory } from "../files/make-directory.js";
import { hubRequest } from "../pretrained/model-directory.js";
import { version } from "../version.js";
import type { PageOptions } from "./write-page.js";

/**
 * A model as a page needs it: as it is where `export` wrote it, else exported once and kept in the user's cache under a name by
 * the model's files.
 *
 * @param options.onStep gets a line where it is exported
 * @throws UserError where it cannot be exported or the cache cannot be written
 */
export async function keptExport(
  model: string,
  options: Pick<PageOptions, "language" | "revision" | "onDownload" | "signal" | "onStep">,
): Promise<string> {
  if (isExported(model)) return model;
  const { language, onStep, signal, ...hub } = options;
  const request = { ...hubRequest({ ...hub, signal }), adapter: language, tokenizer: true };
  const directory = await resolveModel(model, request);
  const kept = join(defaultCache(), "exports");
  const place = join(kept, await nameOf(directory, language));
  if (existsSync(place)) return place;
  onStep?.(`${model} is exported for the page, once; it is kept in ${place}.`);
  await makeDirectory(kept);
  // Of its own: another server may be exporting the same. The first one is taken.
  const own = await mkdtemp(join(kept, ".new-")).catch((error) => {
    throw unwritable(kept, error);
  });
  try {
    const { exportOnnx } = await import("../export/export-onnx.js");
    await exportOnnx(directory, join(own, "model"), { longest: 20, language, signal });
    await rename(join(own, "model"), place).catch((error: NodeJS.ErrnoException) => {
      if (!existsSync(place)) throw error;
    });
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  return place;
}

/** Another one for another version, language or state of the files. */
async function nameOf(directory: string, language: string | undefined): Promise<string> {
  const facts: unknown[] = [version(), language, resolve(directory)];
  for (const name of (await readdir(directory)).sort()) {
    const { size, mtimeMs } = await stat(join(directory, name));
    facts.push([name, size, mtimeMs]);
  }
  return createHash("sha256").update(JSON.stringify(facts)).digest("hex").slice(0, 16);
}
