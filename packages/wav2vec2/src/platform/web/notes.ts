/** A line for the user that is no result. */
export function writeNote(text: string): void {
  console.warn(text);
}
