import { createHash } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { UserError } from "../../errors.js";
import { claimPartial } from "../atomic/claimed-path.js";
import { type ExpectedFile, PartialFile } from "../atomic/partial-file.js";
import { makeDirectory } from "../make-directory.js";
import type { HubClient } from "./hub-request.js";
import type { HubFile } from "./model-files.js";
import { resumeDownload } from "./resume-download.js";

/**
 * Downloads a file to `blob`, which is there only once it is whole and its checksum is right. A cut connection is
 * taken up again where it broke off, and so is a download that an earlier process did not finish. Within a process,
 * one download of a blob at a time.
 *
 * `@huggingface/hub` has a download to the cache too, but its partial file has one name for all processes, it neither
 * resumes nor checks what it got, and it writes notes to stdout.
 *
 * @param onBytes is called with the number of bytes that came to the file, below zero where some were thrown away
 * @throws UserError when the contents are not what the Hub lists
 * @throws RequestError when the Hub refuses, or fails again and again; what came so far stays for another time
 */
export async function downloadBlob(
  client: HubClient,
  url: string,
  file: HubFile,
  blob: string,
  onBytes: (count: number) => void,
): Promise<void> {
  await makeDirectory(dirname(blob));
  const partial = await claimPartial(blob);
  try {
    await fill(client, url, file, partial, onBytes);
    await rename(partial, blob);
  } catch (error) {
    if (error instanceof UserError) await rm(partial, { force: true }); // wrong contents are of no use to resume
    throw error;
  }
}

async function fill(
  client: HubClient,
  url: string,
  file: HubFile,
  partial: string,
  onBytes: (count: number) => void,
): Promise<void> {
  await using contents = await PartialFile.open(partial, expected(file), {
    onBytes: ({ length }) => onBytes(length),
    onRestart: (size) => onBytes(-size),
  });
  const { downloadTimeout: stallTimeout, retryDelays } = client.environment;
  const receive = () => resumeDownload(client, url, contents, { stallTimeout, retryDelays });
  const resumed = contents.size > 0;
  await receive();
  if (resumed && !contents.isRight) {
    await contents.restart();
    await receive();
  }
  if (!contents.isRight) throw contents.expected.wrong("has another checksum");
  await contents.sync();
}

function expected({ path, size, hash }: HubFile): ExpectedFile {
  return {
    size,
    hash,
    newHash: () => (hash.length === 64 ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`)), // https://git-scm.com/book/en/v2/Git-Internals-Git-Objects
    wrong: (fault) =>
      new UserError(
        `${path} must be as the Hub lists it (${size} bytes, checksum ${hash}), but ${fault}. ` +
          "Try again; if it stays so, something on the way changes files.",
      ),
  };
}
