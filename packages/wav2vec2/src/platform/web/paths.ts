// A directory is an address, a file one below it.

export const join = (directory: string, file: string): string => `${directory.replace(/\/$/, "")}/${file}`;

export const dirname = (path: string): string => path.replace(/\/?[^/]*$/, "") || ".";
