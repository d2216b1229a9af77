import { readTextFile } from "#platform/files";
import { UserError } from "../errors.js";

export type JsonObject = Record<string, unknown>;

/**
 * The object that a JSON file holds; undefined where there is no such file.
 *
 * @throws UserError naming the file where it cannot be read, is not JSON or holds no object
 */
export async function readJsonObject(path: string): Promise<JsonObject | undefined> {
  const json = await readTextFile(path, "a JSON file");
  if (json === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(json);
    if (isJsonObject(value)) return value;
  } catch (error) {
    throw new UserError(`${path} must be JSON, but is not: ${(error as Error).message}.`, { cause: error });
  }
  throw new UserError(`${path} must be a JSON object, but is not.`);
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
