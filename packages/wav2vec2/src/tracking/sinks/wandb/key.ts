import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { homeDirectory } from "../../../files/home-directory.js";

/** Hosts that take the same keys: W&B's client writes down one or the other, by its version. */
const SAME = ["api.wandb.ai", "api.forge.coreweave.com"];

/** The API key for a server: WANDB_API_KEY, else what `wandb login` wrote. Nothing where there is none. */
export function readKey(baseUrl: string, environment: NodeJS.ProcessEnv): string | undefined {
  const given = environment.WANDB_API_KEY?.trim();
  if (given) return given;
  const { host } = new URL(baseUrl);
  const hosts = SAME.includes(host) ? SAME : [host];
  const text = readNetrc(environment);
  return hosts.map((one) => passwordOf(text, one)).find((password) => password);
}

function readNetrc({ NETRC }: NodeJS.ProcessEnv): string {
  const paths = NETRC
    ? [NETRC.replace(/^~(?=\/)/, homeDirectory())]
    : [join(homeDirectory(), ".netrc"), join(homeDirectory(), "_netrc")];
  const path = paths.find(existsSync);
  try {
    return path ? readFileSync(path, "utf8") : "";
  } catch {
    return ""; // another user's, or a directory
  }
}

/** Of a machine in a netrc file: https://www.gnu.org/software/inetutils/manual/html_node/The-_002enetrc-file.html */
function passwordOf(netrc: string, host: string): string | undefined {
  const withoutMacros = netrc
    .replace(/^\s*macdef\b[\s\S]*?(?:\n\s*\n|(?![\s\S]))/gm, "\n")
    .replace(/(^|\s)#.*/g, "$1");
  const tokens = (withoutMacros.match(/"(?:[^"\\]|\\.)*"|'[^']*'|\S+/g) ?? []).map(unquoted);
  let isHost = false;
  for (let at = 0; at < tokens.length; at++) {
    if (tokens[at] === "machine") isHost = tokens[++at] === host;
    else if (tokens[at] === "default") isHost = false;
    else if (tokens[at] === "password" && isHost) return tokens[at + 1];
  }
  return undefined;
}

function unquoted(token: string): string {
  if (/^'.*'$/s.test(token)) return token.slice(1, -1);
  return /^".*"$/s.test(token) ? token.slice(1, -1).replace(/\\(.)/g, "$1") : token;
}
