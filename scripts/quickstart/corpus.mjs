import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { planCorpus } from "./plan.mjs";

const MOST_WORKERS = 4;
/** Raised when the same plan would sound different. */
const VERSION = 1;

/**
 * Makes the corpus of spoken digits in `directory`, or what is missing of it.
 * @param {string} directory
 * @param {{ seed: number, onProgress: (done: number, total: number) => void }} options progress in clips
 * @returns {Promise<{ clips: number, made: number }>} clips of the corpus, and how many of them are new
 */
export async function makeCorpus(directory, { seed, onProgress }) {
  const plan = planCorpus(seed);
  const print = createHash("sha256")
    .update(JSON.stringify([VERSION, plan]))
    .digest("hex");
  const printPath = join(directory, "plan.sha256");
  if (!existsSync(printPath) || readFileSync(printPath, "utf8") !== print) {
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true });
    writeFileSync(printPath, print);
  }
  const complete = (/** @type {import("./plan.mjs").Speaker} */ { chapters }) =>
    chapters.every((chapter) => existsSync(join(directory, chapter.directory)));
  const clips = countClips(plan);
  const missing = plan.filter((speaker) => !complete(speaker));
  const made = countClips(missing);
  if (made > 0) {
    let done = clips - made;
    await speakAll(directory, missing, () => onProgress(++done, clips));
    rmSync(join(directory, "drafts"), { recursive: true, force: true });
  }
  return { clips, made };
}

/** @param {import("./plan.mjs").Speaker[]} speakers */
function countClips(speakers) {
  return speakers.flatMap(({ chapters }) => chapters).reduce((sum, { clips }) => sum + clips.length, 0);
}

/**
 * @param {string} directory
 * @param {import("./plan.mjs").Speaker[]} speakers
 * @param {() => void} onClip
 */
async function speakAll(directory, speakers, onClip) {
  const queue = [...speakers];
  const count = Math.min(MOST_WORKERS, availableParallelism(), speakers.length);
  const workers = Array.from(
    { length: count },
    () => new Worker(new URL("speak.mjs", import.meta.url), { workerData: directory }),
  );
  try {
    await Promise.all(
      workers.map(
        (worker) =>
          new Promise((resolve, reject) => {
            const next = () => {
              const speaker = queue.shift();
              if (speaker) worker.postMessage(speaker);
              else resolve(undefined);
            };
            worker.on("error", reject);
            worker.on("exit", (code) => reject(new Error(`A speaking worker ended with code ${code}.`)));
            worker.on("message", (message) => (message.finished ? next() : onClip()));
            next();
          }),
      ),
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
