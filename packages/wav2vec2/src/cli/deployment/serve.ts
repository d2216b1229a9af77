import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { Command } from "commander";
import { ConfigurationError } from "../../errors.js";
import { unreadable } from "../../files/unreadable.js";
import { isLoopback } from "../../http/access.js";
import type { PageFile } from "../../http/page-file.js";
import { type ModelSource, modelSource } from "../../serve/model-source.js";
import {
  addDeviceOption,
  type Define,
  portNumber,
  positive,
  positiveWhole,
  print,
  threadCount,
  whole,
} from "../command.js";
import { interruptible } from "../interruption.js";
import {
  addDecodingOptions,
  type DecodingArguments,
  decodingChoice,
} from "../recognition/decoding-options.js";
import { addEngineOption, chooseEngine, type EngineArguments } from "../recognition/engine-option.js";

interface Options extends DecodingArguments, EngineArguments {
  host: string;
  port: number;
  tokenFile?: string;
  /** Commander's name of `--no-token`. */
  token: boolean;
  cors?: string;
  threads?: number;
  torchThreads?: number;
  together: number;
  queue: number;
  maxUpload: number;
  maxMinutes: number;
  maxConnections: number;
  requestTimeout: number;
  grace: number;
  /** True without a directory: a page of the models that are served. */
  page?: string | true;
  revision?: string;
  language?: string;
  device?: string;
}

/** What clients must know is given in this variable, or in a file: a command line is seen by others. */
const TOKEN_VARIABLE = "WAV2VEC2_TOKEN";
const LEAST_TOKEN = 8;
const MEGABYTE = 1_000_000;
/** Forms that are received at once. */
const MOST_UPLOADS = 256;

export const defineServe: Define = (command) => {
  describe(command);
  addDecodingOptions(command);
  command.action(async (models: string[], options: Options) => {
    for (const { source } of models.map(modelSource)) chooseEngine(command, source, ["device", "revision"]);
    const token = await tokenOf(options);
    const { startServer } = await import("../../serve/server.js");
    const { jsonLog } = await import("../../serve/log.js");
    const { host, port, together, queue, engine, dtype, revision, language, device, cors } = options;
    const cores = availableParallelism();
    const threads = options.threads ?? Math.min(4, cores);
    const log = jsonLog((line) => process.stderr.write(line));
    const page = options.page === true ? await pageOf(models.map(modelSource), options) : options.page;
    const server = await startServer({
      models: models.map(modelSource),
      pool: {
        ...(await decodingChoice(options)),
        ...{ threads, together, queue, engine, dtype, revision, language, device },
        torchThreads: options.torchThreads,
        onNote: (text) => log("warn", "note", { text }),
      },
      ...{ host, port, token, page, log },
      corsOrigins: cors?.split(",").map((origin) => origin.trim()),
      limits: {
        maxBytes: options.maxUpload * MEGABYTE,
        maxSeconds: 60 * options.maxMinutes,
        maxUploads: MOST_UPLOADS,
        maxSockets: options.maxConnections,
      },
      requestSeconds: options.requestTimeout,
    });
    const names = models.map((text) => modelSource(text).name).join(", ");
    print(
      `Serving ${names} at ${server.url}v1\nCtrl+C ends it; kill -HUP ${process.pid} loads the models anew.`,
    );
    const reload = () => void server.reload();
    process.on("SIGHUP", reload);
    const farewell = "The server ends as soon as what runs is done; a second signal ends it at once.";
    await interruptible(
      farewell,
      async (signal) => {
        await new Promise((done) => signal.addEventListener("abort", done, { once: true }));
        await server.close(options.grace);
      },
      { except: ["SIGHUP"] },
    );
    process.off("SIGHUP", reload);
  });
};

/** A page that recognises in the browser by the models that are served. */
async function pageOf(
  models: readonly ModelSource[],
  { language, revision, ...options }: Options,
): Promise<PageFile[]> {
  const { pageFiles } = await import("../../page/page-files.js");
  const { keptExport } = await import("../../page/kept-export.js");
  const { languageModel, lmWeight, wordScore } = await decodingChoice(options);
  const ready = [];
  for (const { name, source } of models) {
    const directory = await keptExport(source, { language, revision, onStep: print });
    ready.push({ name, directory, languageModel, lmWeight, wordScore });
  }
  return await pageFiles(ready);
}

/** @throws ConfigurationError where others could use the server without a token; UserError where its file cannot be read */
async function tokenOf({ tokenFile, token: asks, host }: Options): Promise<string | undefined> {
  const given = tokenFile === undefined ? process.env[TOKEN_VARIABLE] : await readToken(tokenFile);
  const name = tokenFile === undefined ? TOKEN_VARIABLE : tokenFile;
  if (!asks && given !== undefined)
    throw new ConfigurationError(`--no-token must stand without a token, but ${name} has one.`);
  if (given !== undefined && given.length < LEAST_TOKEN)
    throw new ConfigurationError(`The token of ${name} must have at least ${LEAST_TOKEN} characters.`);
  if (given === undefined && asks && !isLoopback(host))
    throw new ConfigurationError(
      `--host ${host} must stand with a token, for others reach it. Put one into ${TOKEN_VARIABLE} or a file for --token-file, or say --no-token.`,
    );
  return given;
}

async function readToken(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    throw unreadable(path, "a file with a token", error);
  }
}

function describe(command: Command): void {
  command
    .argument("<model...>", "model directory or Hugging Face Hub id; NAME=MODEL is what clients call it")
    .option("--port <number>", "to listen on; 0 for any that is free", portNumber, 8080)
    .option("--host <address>", "to listen on; another than this machine's own needs a token", "127.0.0.1")
    .option(
      "--token-file <file>",
      `what clients must send as Bearer (default: that of ${TOKEN_VARIABLE}, if any)`,
    )
    .option("--no-token", "let in everybody who reaches it")
    .option(
      "--cors <origins>",
      "pages of other sites that may use it, such as https://example.org, with commas between; * for all",
    )
    .option(
      "--page [dir]",
      "a static page to show at /; without a directory one that recognises in the browser by the models, which are exported for it once (default: a list of what there is)",
    )
    .option("--threads <number>", "threads that recognise (default: one a core, at most 4)", positiveWhole)
    .option(
      "--torch-threads <number>",
      "CPU threads of the network in each of them (default: the cores divided among them)",
      threadCount,
    )
    .option("--together <number>", "recordings that a thread takes at once", positiveWhole, 32)
    .option("--queue <number>", "recordings of a model that may wait besides", whole, 64)
    .option("--max-upload <mb>", "size of an upload in MB", positive, 100)
    .option("--max-minutes <number>", "length of a recording", positive, 240)
    .option("--max-connections <number>", "WebSockets that are open at once", positiveWhole, 100)
    .option("--request-timeout <seconds>", "for a request to come as a whole", positive, 300)
    .option("--grace <seconds>", "for what runs when the server is ended", positive, 30)
    .option("--revision <name>", "branch, tag or commit of Hub models (default: main)")
    .option("--language <code>", "language of multilingual models, such as eng");
  addEngineOption(addDeviceOption(command));
  command.addHelpText(
    "after",
    `
Recognises speech over HTTP under OpenAI's interface, /v1/audio/transcriptions, and live over WebSockets:
  curl -F file=@clip.flac http://localhost:8080/v1/audio/transcriptions
Results of requests are logged on stderr as JSON, a line each.`,
  );
}
