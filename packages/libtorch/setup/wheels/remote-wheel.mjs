// A wheel on a package index or in a folder, of which only the members asked for are downloaded.
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { megabytes } from "../report.mjs";
import { LocalFile } from "./local-file.mjs";
import { PartialFile } from "./partial-file.mjs";
import {
  DamagedArchive,
  extractMember,
  LONGEST_END,
  locateCentralDirectory,
  parseCentralDirectory,
  readMember,
} from "./zip.mjs";

export class RemoteWheel {
  /** @type {Map<string, import("./zip.mjs").ZipEntry>} */
  entries = new Map();
  #damaged = false;

  /**
   * @param {PartialFile | LocalFile} file
   * @param {import("./package-index.mjs").Wheel} wheel
   * @param {import("../report.mjs").Report} report
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
   * @param {import("../report.mjs").Report} report
   */
  static async open(client, wheel, folder, report) {
    const whole = progressOf(report, `${wheel.filename} (this server has no byte ranges)`);
    const file =
      wheel.url.protocol === "file:"
        ? new LocalFile(fileURLToPath(wheel.url), wheel.sha256)
        : await PartialFile.open(client, wheel, join(folder, `${wheel.filename}.part`), whole);
    const opened = new RemoteWheel(file, wheel, report);
    try {
      await opened.#guarded(() => opened.#readDirectory());
    } catch (error) {
      opened.giveUp();
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

  /** Downloads the whole wheel and compares its SHA-256 with the index's, where that tells one. */
  async fetchWhole() {
    await this.file.fetch([[0, this.file.size]], progressOf(this.report, this.wheel.filename));
    await this.#guarded(() => this.file.checkHash());
  }

  /**
   * @param {import("./zip.mjs").ZipEntry} entry a member that was fetched
   * @param {string} target
   * @throws {Error} where its name would lead out of the folder that it is unpacked into
   */
  async extract(entry, target) {
    if (entry.name.split("/").includes(".."))
      throw new Error(`The wheel's member ${entry.name} leaves its folder.`);
    await this.#guarded(() => extractMember(this.file, entry, target));
  }

  /**
   * @param {string} name
   * @returns {Promise<string>} a small member's text, downloaded now; empty where there is no such member
   */
  async member(name) {
    const entry = this.entries.get(name);
    if (entry === undefined) return "";
    await this.fetch([entry]);
    return this.#guarded(() => readMember(this.file, entry).toString("utf8"));
  }

  /** Ends the work on this wheel: what came is kept for another run, unless it turned out to be damaged. */
  giveUp() {
    if (this.#damaged) this.file.discard();
    else this.file.close();
  }

  /**
   * @template T
   * @param {() => T | Promise<T>} action
   * @returns {Promise<T>}
   */
  async #guarded(action) {
    try {
      return await action();
    } catch (error) {
      this.#damaged ||= error instanceof DamagedArchive;
      throw error;
    }
  }

  /** @returns {Promise<string>} the package's METADATA */
  async metadata() {
    const name = [...this.entries.keys()].find((member) => /^[^/]+\.dist-info\/METADATA$/.test(member));
    return name === undefined ? "" : this.member(name);
  }
}

/**
 * @param {import("../report.mjs").Report} report
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
