import { asyncBufferFromFile, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { UserError } from "../../errors.js";
import { unreadable } from "../../files/unreadable.js";

/** Rows that are in memory at once: recordings of a minute as WAV are 2 MB each. */
const ROWS_AT_ONCE = 64;

/**
 * Rows of a Parquet file, with where they are in it, counted from 0. Bytes are `Uint8Array`s, numbers of 64 bits bigints.
 * @throws UserError naming the file where it cannot be read or is no Parquet
 */
export async function* readParquet(
  path: string,
): AsyncGenerator<{ row: Record<string, unknown>; at: number }> {
  const file = await asyncBufferFromFile(path).catch((error: unknown) => {
    throw unreadable(path, "a Parquet file", error);
  });
  const metadata: FileMetaData = await parquetMetadataAsync(file).catch((error: unknown) => {
    throw new UserError(`${path} must be a Parquet file, but is not: ${(error as Error).message}.`, {
      cause: error,
    });
  });
  const count = Number(metadata.num_rows);
  for (let rowStart = 0; rowStart < count; rowStart += ROWS_AT_ONCE) {
    const rowEnd = Math.min(count, rowStart + ROWS_AT_ONCE);
    const rows = await parquetReadObjects({
      file,
      metadata,
      compressors,
      utf8: false,
      rowStart,
      rowEnd,
    }).catch((error: unknown) => {
      throw new UserError(
        `${path} must be a whole Parquet file, but cannot be read: ${(error as Error).message}.`,
        {
          cause: error,
        },
      );
    });
    for (const [index, row] of rows.entries()) yield { row, at: rowStart + index };
  }
}
