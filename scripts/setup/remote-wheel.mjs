// A wheel on a package index, of which only the members asked for are downloaded.
import { join } from "node:path";
import { PartialFile } from "./partial-file.mjs";
import { megabytes } from "./report.mjs";
import {
  extractMember,
  LONGEST_END,
  locateCentralDirectory,
  parseCentralDirectory,
  readMember,
} from "./zip.mjs";

export class RemoteWheel {
  /** @type {Map<string, import("./zip.mjs").ZipEntry>} */
  entries = new Map();

  /**
   * @param {PartialFile} file
   * @param {import("./package-index.mjs").Wheel} wheel
   * @param {import("./report.mjs").Report} report
   */
  constructor(file, wheel, report) {
    this.file = file;
    this.wheel = wheel;
    this.report = report;
  }

  /**
   * @param {import("./http.mjs").HttpClient} client
   * @param {import("./package-index.mjs").Wheel} wheel
   * @param {string} folder where the download is kept until it is discarded
   * @param {import("./report.mjs").Report} report
   */
  static async open(client, wheel, folder, report) {
    const whole = progressOf(report, `${wheel.filename} (this server has no byte ranges)`);
    const file = await PartialFile.open(client, wheel, join(folder, `${wheel.filename}.part`), whole);
    const opened = new RemoteWheel(file, wheel, report);
    try {
      await opened.#readDirectory();
    } catch (error) {
      file.close();
      throw error;
    }
    return opened;
  }

  async #readDirectory() {
    const { file } = this;
    const tailStart = Math.max(0, file.size - LONGEST_END);
    await file.fetch([[tailStart, file.size]], () => {});
    const directory = locateCentralDirectory(file.read(tailStart, file.size));
    const end = directory.offset + directory.size;
    await file.fetch([[directory.offset, end]], () => {});
    this.entries = parseCentralDirectory(file.read(directory.offset, end), directory);
  }

  /**
   * Downloads members, four blocks at a time.
   * @param {import("./zip.mjs").ZipEntry[]} entries
   */
  async fetch(entries) {
    await this.file.fetch(
      entries.map(({ offset, end }) => [offset, end]),
      progressOf(this.report, this.wheel.filename),
    );
  }

  /**
   * @param {import("./zip.mjs").ZipEntry} entry a member that was fetched
   * @param {string} target
   */
  async extract(entry, target) {
    await extractMember(this.file, entry, target);
  }

  /** @returns {Promise<string>} the package's METADATA */
  async metadata() {
    const entry = [...this.entries.values()].find(({ name }) => /^[^/]+\.dist-info\/METADATA$/.test(name));
    if (entry === undefined) return "";
    await this.fetch([entry]);
    return readMember(this.file, entry).toString("utf8");
  }
}

/**
 * @param {import("./report.mjs").Report} report
 * @param {string} label
 * @returns {import("./partial-file.mjs").OnProgress}
 */
function progressOf(report, label) {
  const startedAt = performance.now();
  return (done, total) => {
    const seconds = (performance.now() - startedAt) / 1000;
    const left = Math.ceil((seconds * (total - done)) / Math.max(1, done));
    const share = Math.floor((100 * done) / total);
    report.progress(`${label}: ${megabytes(done)} of ${megabytes(total)}, ${share} %, ${left} s left`);
  };
}
