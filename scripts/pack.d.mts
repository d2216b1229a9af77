export const PACKAGES: string[];
export function packPackages(into: string, folders?: string[]): string[];
