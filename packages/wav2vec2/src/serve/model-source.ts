import { basename, dirname, resolve } from "node:path";

/** A model to serve. */
export interface ModelSource {
  /** What clients call it. */
  name: string;
  /** Model directory or Hub id. */
  source: string;
}

/** `NAME=DIRECTORY`, a directory or a Hub id, which then name themselves. */
export function modelSource(text: string): ModelSource {
  const [, name, source] = /^([^=/\\]+)=(.+)$/.exec(text) ?? [];
  if (name !== undefined && source !== undefined) return { name, source };
  const path = resolve(text);
  // Training leaves its models in directories of these names.
  const isGeneric = ["best", "last"].includes(basename(path));
  const isDirectory = /^[./~]|[/\\]$|\\/.test(text) || text.split("/").length > 2 || isGeneric;
  if (!isDirectory && text.includes("/")) return { name: text, source: text };
  return { name: isGeneric ? basename(dirname(path)) : basename(path), source: text };
}
