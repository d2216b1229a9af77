import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { temporaryDirectory } from "../../../test/fixtures/temporary-directory.js";
import { decodeClips } from "./decode-clips.js";

const clips = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `${i}`, path: `${i}.flac`, samples: 16000, seconds: 1 }));

async function worker(body: string): Promise<URL> {
  const path = join(await temporaryDirectory("decode"), "worker.mjs");
  await writeFile(path, `export default async ({ clips, progress }) => { ${body} };`);
  return pathToFileURL(path);
}

it("goes on where threads end, and says at which files", async () => {
  const fatal = ["0.flac", "7.flac", "8.flac", "39.flac"];
  const module = await worker(`
    const results = [];
    for (const [index, { path }] of clips.entries()) {
      progress[0] = index;
      if (${JSON.stringify(fatal)}.includes(path)) process.exit(5);
      results.push({ measures: { digest: path }, sampleRate: 16000, channels: 1 });
    }
    return results;`);
  const seen = { clips: 0, seconds: 0 };
  const results = await decodeClips(clips(40), {
    threads: 2,
    worker: module,
    onDecoded: (more) => {
      seen.clips += more.clips;
      seen.seconds += more.seconds;
    },
  });
  expect(results).toHaveLength(40);
  for (const [index, result] of results.entries()) {
    const path = `${index}.flac`;
    if (fatal.includes(path)) {
      const message = expect.stringMatching(
        new RegExp(`^${path} must be readable audio, but the thread that read it ended: .*5\\.$`),
      );
      expect(result).toEqual({ fault: "unreadable-audio", message });
    } else expect(result).toMatchObject({ measures: { digest: path } });
  }
  expect(seen).toEqual({ clips: 40, seconds: 40 });
});

it("stops when it is told to, also in the middle of a clip", async () => {
  const module = await worker("await new Promise((resolve) => setTimeout(resolve, 1e6));");
  const controller = new AbortController();
  const decoding = decodeClips(clips(3), { threads: 1, worker: module, signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  await expect(decoding).rejects.toThrow("aborted");
  await expect(decodeClips(clips(1), { threads: 1, signal: controller.signal })).rejects.toThrow("aborted");
});

it("has nothing to do without clips", async () => {
  expect(await decodeClips([], { threads: 2, worker: await worker("") })).toEqual([]);
});
