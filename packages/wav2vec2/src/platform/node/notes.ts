/** A line for the user that is no result. */
export function writeNote(text: string): void {
  process.stderr.write(`${text}\n`);
}
