/** A size for people: "3.4 kB", "120 MB", "1.1 GB". */
export function showBytes(bytes: number): string {
  const [size, unit] = bytes < 1e6 ? [1e3, "kB"] : bytes < 1e9 ? [1e6, "MB"] : [1e9, "GB"];
  return `${Number((bytes / size).toPrecision(3))} ${unit}`;
}
