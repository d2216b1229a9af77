/** Packs all packages, with those of the compiled bridges in `bridges`, and gives the tarballs' paths. */
export function packPackages(into: string, options?: { bridges?: string[]; forNpm?: boolean }): string[];
export const PACKAGES: string[];
