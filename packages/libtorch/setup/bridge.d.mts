/** Of the names and contents of the bridge's sources. */
export function digestOfSources(native: string): string;
