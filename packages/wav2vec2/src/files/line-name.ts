/** A name as it stands in a line of output: a JSON string where it would break the line or the line's columns. */
export function lineName(name: string): string {
  return /\p{Cc}/u.test(name) ? JSON.stringify(name) : name;
}
