/**
 * A file's name as it stands in a command that somebody pastes into a shell: quoted where the shell, or a program's
 * options (`-x`) or addresses (`a:b`), would take it for something else.
 */
export function shellName(path: string): string {
  const name = /^-|^[^/]*:/.test(path) ? `./${path}` : path;
  return shellWord(name);
}

/** Any text as one word of a command that can be copied. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
