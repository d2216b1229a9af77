/** A share of one for people, in a sentence or a table. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(Math.abs(share) < 0.0995 ? 2 : 1)} %`;
}

/** A number of things. */
export function count(value: number): string {
  return value.toLocaleString("en");
}

/** A number of three digits. */
export function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** How the values of a chart are written, at its axis and where one points. */
export const FORMATS = {
  short,
  count,
  /** A share of one. */
  percent: (share: number): string => `${Number((share * 100).toFixed(1))} %`,
  /** Numbers far below one. */
  power: (value: number): string => (value === 0 ? "0" : value.toExponential(1).replace(".0e", "e")),
} as const;

export type Format = keyof typeof FORMATS;
