/** A number and what it counts: `1 clip`, `2 clips`. @param shown the number as it is written */
export function counted(count: number, noun: string, shown = String(count)): string {
  return `${shown} ${noun}${count === 1 ? "" : "s"}`;
}
