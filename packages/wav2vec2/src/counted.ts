/** A number and what it counts: `1 clip`, `2 clips`, `1,000 clips`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString("en")} ${count === 1 ? noun : plural}`;
}
