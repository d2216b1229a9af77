import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import { type Device, libtorchInfo } from "@wav2vec2/libtorch";
import { defaultCache } from "../data/corpus/index/index-file.js";
import { writeFileAtomic } from "../files/atomic/atomic-file.js";
import { isJsonObject, type JsonObject, readJsonObject } from "../files/json-file.js";
import { makeDirectory } from "../files/make-directory.js";
import { bfloat16Speed, type NetworkWidth, type Use } from "./speed-of.js";

// Raise it when the same network is measured in another way.
const VERSION = 1;
const MOST_KEPT = 200;

/** How many times as fast as float32 bfloat16 is. */
export type MeasureSpeed = (network: NetworkWidth, device: Device, use: Use) => number | Promise<number>;

/**
 * {@link bfloat16Speed}, measured once for a processor, a libtorch and a network's width, and kept in
 * `precision.json` in the directory of `defaultCache`; on GPUs measured each time, which takes no time. A file that is damaged or
 * cannot be written is no error: it is measured again.
 */
export async function knownSpeed(
  network: NetworkWidth,
  device: Device,
  use: Use,
  { path = join(defaultCache(), "precision.json"), measure = bfloat16Speed as MeasureSpeed } = {},
): Promise<number> {
  if (device !== "cpu") return await measure(network, device, use);
  const key = await keyOf(network, use);
  const known = (await readSpeeds(path))[key];
  if (isSpeed(known)) return known;
  const speed = await measure(network, device, use);
  await keep(path, key, speed);
  return speed;
}

async function keyOf({ hiddenSize, intermediateSize, convDim }: NetworkWidth, use: Use): Promise<string> {
  const { version } = libtorchInfo();
  const processor = `${cpus()[0]?.model.trim() ?? "unknown"} ${await featuresHash()}`;
  const width = `${hiddenSize} x ${intermediateSize}, ${convDim.at(-1)}`;
  return `${processor}; libtorch ${version}; ${use}; ${width}`;
}

/** Virtual machines call different processors by one name. Nothing where the system does not list what they can. */
async function featuresHash(): Promise<string> {
  const text = await readFile("/proc/cpuinfo", "utf8").catch(() => "");
  const features = /^(?:flags|Features)\s*:.*$/m.exec(text)?.[0] ?? "";
  return createHash("sha256").update(features).digest("hex").slice(0, 8);
}

async function readSpeeds(path: string): Promise<JsonObject> {
  const file = await readJsonObject(path).catch(() => undefined);
  return file?.version === VERSION && isJsonObject(file.speeds) ? file.speeds : {};
}

function isSpeed(value: unknown): value is number {
  return typeof value === "number" && value > 0 && Number.isFinite(value);
}

/** With what other processes kept in the meantime; the oldest are left out where there are many. */
async function keep(path: string, key: string, speed: number): Promise<void> {
  const kept = Object.entries(await readSpeeds(path)).filter(
    ([name, value]) => name !== key && isSpeed(value),
  );
  const speeds = Object.fromEntries([...kept, [key, speed]].slice(-MOST_KEPT));
  try {
    await makeDirectory(dirname(path));
    await writeFileAtomic(path, `${JSON.stringify({ version: VERSION, speeds }, undefined, 2)}\n`);
  } catch {} // it is measured again
}
