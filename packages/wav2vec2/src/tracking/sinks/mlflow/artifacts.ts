import { openAsBlob } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { type ServiceClient, ServiceError } from "../sending/service-client.js";

/** The address of an artifact below a run's `artifact_uri`; none where the server does not take artifacts for its store. */
export function artifactPath(artifactUri: string, name: string): string | undefined {
  const root = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(.*)$/.exec(artifactUri)?.[1];
  if (root === undefined) return undefined;
  const path = [...root.split("/"), ...name.split("/")].filter((part) => part !== "");
  return `/api/2.0/mlflow-artifacts/artifacts/${path.map(encodeURIComponent).join("/")}`;
}

/** The files of a directory and of those in it, with the names that they have below it. */
export async function filesBelow(directory: string): Promise<{ path: string; name: string }[]> {
  const files = [];
  for (const name of await readdir(directory, { recursive: true })) {
    const path = join(directory, name);
    if ((await stat(path)).isFile()) files.push({ path, name: name.replaceAll(sep, "/") });
  }
  return files;
}

/**
 * @param contents bytes, or where a file is
 * @throws RequestError
 */
export async function putArtifact(
  client: ServiceClient,
  path: string,
  contents: Uint8Array | { path: string },
): Promise<void> {
  const blob = "path" in contents ? await openAsBlob(contents.path) : new Blob([Uint8Array.from(contents)]);
  await client.put(path, blob).catch((error: unknown) => {
    // Says 503 for good.
    if (error instanceof ServiceError && error.status === 503 && error.message.includes("--serve-artifacts"))
      throw new Error("the server was started with --no-serve-artifacts.", { cause: error });
    throw error;
  });
}
