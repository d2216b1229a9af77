/** What came cannot be the archive that was asked for; how it is not, for the end of a sentence. */
export class WrongArchiveError extends Error {
  override readonly name = "WrongArchiveError";
}
