import { joinedBytes } from "../audio/joined.js";
import { UserError } from "../errors.js";

/** Gets bytes that have come, and all of them; undefined where the server does not say how many. */
export type OnDownload = (loaded: number, total: number | undefined) => void;

/** @throws UserError where the server does not give it whole */
export async function download(
  address: string,
  onDownload: OnDownload = () => {},
  signal?: AbortSignal | undefined,
): Promise<Uint8Array> {
  const refused = (reason: string, cause?: unknown) =>
    new UserError(`${address} must be there, but ${reason}.`, { code: "ERR_MODEL_NOT_FOUND", cause });
  try {
    const response = await fetch(address, { signal: signal ?? null });
    if (!response.ok) throw refused(`the server answers ${response.status}`);
    // Of what is packed for the way, the length says something else.
    const length = response.headers.get("content-encoding") ? null : response.headers.get("content-length");
    const total = length === null ? undefined : Number(length);
    return await receive(response, total, onDownload);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof UserError) throw error;
    throw refused(`cannot be received: ${(error as Error).message}`, error);
  }
}

async function receive(
  { body }: Response,
  total: number | undefined,
  onDownload: OnDownload,
): Promise<Uint8Array> {
  const reader = (body ?? new Blob([]).stream()).getReader();
  const parts: Uint8Array[] = [];
  let loaded = 0;
  // Straight to its place where its length is known: a network is not in memory twice.
  let whole = total === undefined ? undefined : new Uint8Array(total);
  for (;;) {
    const { value, done } = await reader.read();
    if (done) break;
    if (whole && loaded + value.length > whole.length) {
      parts.push(whole.subarray(0, loaded));
      whole = undefined;
    }
    if (whole) whole.set(value, loaded);
    else parts.push(value);
    loaded += value.length;
    onDownload(loaded, total);
  }
  return whole ? whole.subarray(0, loaded) : joinedBytes(parts);
}
