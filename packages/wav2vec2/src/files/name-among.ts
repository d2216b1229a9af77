/**
 * The member of some names that is a name, or is it in another form: names of files that macOS made are often decomposed (NFD),
 * what people type is composed (NFC). Undefined where none is.
 */
export function nameAmong(names: ReadonlySet<string>, name: string): string | undefined {
  if (names.has(name)) return name;
  const composed = name.normalize("NFC");
  if (composed === name.normalize("NFD")) return undefined; // one form alone
  for (const other of names) if (other.normalize("NFC") === composed) return other;
  return undefined;
}
