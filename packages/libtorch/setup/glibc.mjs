/** @returns {string | undefined} the C library's version, such as "2.36"; undefined where it is not glibc */
export function systemGlibc() {
  /** @type {{ excludeNetwork?: boolean }} */ (process.report).excludeNetwork = true;
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return header.glibcVersionRuntime;
}
