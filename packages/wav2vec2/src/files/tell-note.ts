import { writeNote } from "#platform/notes";

/** Tells the user something that is no error: by `onNote`, else on stderr. */
export function tellNote(
  { onNote }: { onNote?: ((text: string) => void) | undefined },
  text: string | undefined,
): void {
  if (text === undefined) return;
  if (onNote) onNote(text);
  else writeNote(text);
}
