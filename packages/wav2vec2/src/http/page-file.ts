/** A file of a page. */
export interface PageFile {
  /** Below the page's address, with slashes: `index.html`, `ort/ort.wasm.min.mjs`. */
  path: string;
  /** The media type that it is to be served with. */
  type: string;
  /** What it holds: a file on the disk, or a text. */
  source: { file: string } | { text: string };
  /** Whether its name changes with what it holds, so that browsers may keep it. */
  isLasting: boolean;
}
