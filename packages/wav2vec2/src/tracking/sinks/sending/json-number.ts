/** A number in JSON; what is not finite in the words that Python's and protobuf's readers know. */
export function jsonNumber(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
