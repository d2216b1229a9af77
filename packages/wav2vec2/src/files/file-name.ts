/** What of an id may stand in a file's name and in a URL: an id may be anything. Two ids may have the same. */
export function fileNameOf(id: string): string {
  return id.replace(/[^A-Za-z0-9._-]/g, "_").slice(0, 100);
}
