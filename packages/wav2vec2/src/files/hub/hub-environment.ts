import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigurationError } from "../../errors.js";
import { homeDirectory } from "../home-directory.js";

/**
 * Where the Hub and its cache are. The environment variables, their precedence and defaults are those of Python's
 * huggingface_hub, so that both share one cache:
 * https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables
 */
export interface HubEnvironment {
  /** Without a slash at its end. */
  endpoint: string;
  cache: string;
  offline: boolean;
  token: string | undefined;
  /** Milliseconds for an answer about a model. */
  lookupTimeout: number;
  /** Milliseconds without a byte after which a connection counts as cut. */
  downloadTimeout: number;
  /** Milliseconds to wait before each new attempt that follows one without success. */
  retryDelays: readonly number[];
}

type Variables = Readonly<Record<string, string | undefined>>;

/** @throws ConfigurationError when a variable does not hold what it should */
export async function hubEnvironment(variables: Variables = process.env): Promise<HubEnvironment> {
  const home = expandHome(
    variables.HF_HOME || join(variables.XDG_CACHE_HOME || join(homeDirectory(), ".cache"), "huggingface"),
  );
  return {
    endpoint: endpointOf(variables.HF_ENDPOINT || "https://huggingface.co"),
    cache: expandHome(variables.HF_HUB_CACHE || variables.HUGGINGFACE_HUB_CACHE || join(home, "hub")),
    offline: isTrue(variables.HF_HUB_OFFLINE || variables.TRANSFORMERS_OFFLINE),
    token: await findToken(variables, home),
    lookupTimeout: milliseconds(variables, "HF_HUB_ETAG_TIMEOUT"),
    downloadTimeout: milliseconds(variables, "HF_HUB_DOWNLOAD_TIMEOUT"),
    retryDelays: [500, 1000, 2000, 4000, 8000],
  };
}

function endpointOf(text: string): string {
  if (URL.canParse(text) && /^https?:/i.test(text)) return text.replace(/\/+$/, "");
  throw new ConfigurationError(
    `HF_ENDPOINT must be an address such as https://huggingface.co, but is '${text}'.`,
  );
}

async function findToken(variables: Variables, home: string): Promise<string | undefined> {
  const given = variables.HF_TOKEN || variables.HUGGING_FACE_HUB_TOKEN;
  if (given?.trim()) return checkedToken(given.trim(), "HF_TOKEN");
  if (isTrue(variables.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined;
  const path = expandHome(variables.HF_TOKEN_PATH || join(home, "token"));
  const stored = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    // In a cache that is shared, another user's token is none of ours.
    if (!["ENOENT", "EACCES", "EPERM"].includes(error.code ?? "")) throw error;
    return "";
  });
  return stored.trim() === "" ? undefined : checkedToken(stored.trim(), path);
}

/** Node's own message about a header that is not ASCII would print the token. */
function checkedToken(token: string, source: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new ConfigurationError(
    `${source} must hold one access token, but has characters in it that no token has. Copy it again from the Hub's settings.`,
  );
}

function milliseconds(variables: Variables, name: string): number {
  const text = variables[name] || "10";
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text) * 1000;
  throw new ConfigurationError(`${name} must be a whole number of seconds above 0, but is '${text}'.`);
}

function isTrue(text: string | undefined): boolean {
  return /^(1|on|yes|true)$/i.test(text ?? "");
}

function expandHome(path: string): string {
  return path.replace(/^~(?=$|[/\\])/, homeDirectory());
}
