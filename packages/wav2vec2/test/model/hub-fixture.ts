import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, vi } from "vitest";
import { type ResolveOptions, resolveModel } from "../../src/files/hub/hub.js";
import { type Files, HubServer } from "./hub-server.js";

export const ID = "facebook/wav2vec2-tiny";
export const weights = randomBytes(300_000);
export const configuration: Files = {
  "config.json": '{"model_type": "wav2vec2"}',
  "preprocessor_config.json": '{"do_normalize": true}',
  "vocab.json": '{"<pad>": 0}',
};
export const model: Files = { ...configuration, "model.safetensors": weights };

/** A Hub and an empty cache, new for each test. */
class HubFixture {
  hub!: HubServer;
  /** What `HF_HOME` is. */
  home!: string;
  notes: string[] = [];

  async start(): Promise<void> {
    this.hub = await HubServer.start();
    this.home = await mkdtemp(join(tmpdir(), "hub-"));
    this.notes = [];
    for (const name of Object.keys(process.env).filter((key) => /^(HF_|HUGGING|TRANSFORMERS_)/.test(key))) {
      vi.stubEnv(name, undefined);
    }
    vi.stubEnv("HF_HOME", this.home);
    vi.stubEnv("HF_ENDPOINT", this.hub.url);
  }

  async stop(): Promise<void> {
    vi.unstubAllEnvs();
    await this.hub.close();
    await rm(this.home, { recursive: true });
  }

  /** The model's folder in the cache. */
  get folder(): string {
    return join(this.home, "hub", `models--${ID.replace("/", "--")}`);
  }

  resolve(options: ResolveOptions = {}, id = ID): Promise<string> {
    return resolveModel(id, { onNote: (text) => this.notes.push(text), ...options });
  }

  /** What `resolve` throws. */
  async refused(options: ResolveOptions = {}, id = ID): Promise<Error> {
    return await this.resolve(options, id).then(
      (directory) => expect.fail(`${directory} came back`),
      (error: Error) => error,
    );
  }
}

export function useHub(): HubFixture {
  const fixture = new HubFixture();
  beforeEach(() => fixture.start());
  afterEach(() => fixture.stop());
  return fixture;
}

export async function expectWeights(directory: string): Promise<void> {
  const found = await readFile(join(directory, "model.safetensors"));
  expect(found.equals(weights)).toBe(true); // toEqual takes seconds for as many bytes
}
