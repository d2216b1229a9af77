/** A stretch of a recording on disk, where one is known. */
export interface ClipSource {
  path?: string | undefined;
  /** Seconds; from the beginning where it is not given. */
  start?: number | undefined;
  /** Seconds; to the end where it is not given. */
  end?: number | undefined;
}
