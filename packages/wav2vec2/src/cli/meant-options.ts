const MOST = 4;

/**
 * Which options were likely meant by one that there is not: those with its name behind dots (`--batch-seconds` for
 * `--data.batch-seconds`), else with its words at one end (`--warmup`), else with its letters (`--lr`).
 *
 * @param options with their dashes
 * @returns none where there are too many
 */
export function meantOptions(unknown: string, options: readonly string[]): string[] {
  const name = tailOf(unknown.replace(/=.*/s, "").replaceAll("_", "-"));
  if (name.length < 2) return [];
  const ways = [
    (tail: string) => tail === name,
    (tail: string) => tail.startsWith(`${name}-`) || tail.endsWith(`-${name}`),
    (tail: string) => tail.replace(/(\w)\w*-?/g, "$1") === name,
  ];
  for (const fits of ways) {
    const meant = options.filter((option) => fits(tailOf(option)));
    if (meant.length > 0) return meant.length > MOST ? [] : meant;
  }
  return [];
}

function tailOf(option: string): string {
  return option.slice(option.lastIndexOf(".") + 1).replace(/^--/, "");
}
