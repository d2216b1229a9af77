// The GPU maker's packages that a torch wheel requires. torch names them itself, or in newer versions by the extras
// of cuda-toolkit, a package without files that pins them all.
import { setupCommand } from "../places.mjs";
import { SetupError } from "../report.mjs";
import { memberCalled } from "./needed-libraries.mjs";
import { chooseWheel, listFiles } from "./package-index.mjs";
import { parseRequirements } from "./requirements.mjs";

/** @typedef {import("./requirements.mjs").Requirement} Requirement */
/** @typedef {import("./remote-wheel.mjs").RemoteWheel} RemoteWheel */
/** @typedef {import("./package-index.mjs").IndexFile} IndexFile */

const TOOLKIT = "cuda-toolkit";

export class RequiredWheels {
  /** @type {Requirement[] | undefined} */ #requirements;
  /** @type {Map<string, IndexFile[]>} */ #listings = new Map();
  /** @type {Map<string, number>} how many indexes were asked for a package */ #asked = new Map();
  /** @type {Map<string, RemoteWheel>} by the wheel's file name */ #opened = new Map();

  /**
   * @param {import("./torch-wheel.mjs").Context} context
   * @param {string} metadata of the torch wheel
   */
  constructor(context, metadata) {
    this.context = context;
    this.metadata = metadata;
  }

  /**
   * Looks for one library, in the likeliest packages first, so that few are opened.
   * @param {string} library such as "libcupti.so.13"
   * @returns {Promise<[RemoteWheel, import("./zip.mjs").ZipEntry] | undefined>}
   */
  async find(library) {
    this.#requirements ??= await this.#named([]);
    for (const requirement of this.#likeliestFirst(library)) {
      const remote = await this.#choose(requirement.name, requirement.specifier);
      const entry = remote && memberCalled(remote, library);
      if (entry !== undefined && remote !== undefined) return [remote, entry];
    }
    return undefined;
  }

  /**
   * @param {string} library
   * @returns {string} the packages that could have it, to follow "Add a wheel of": the likeliest ones, else all
   */
  likely(library) {
    const named = this.#likeliestFirst(library);
    const first = named.filter(({ score }) => score > 0);
    const texts = (first.length > 0 ? first : named).map(({ name, specifier }) =>
      `${name} ${specifier}`.trim(),
    );
    return [...new Set(texts)].join(", ");
  }

  /**
   * @param {string} library such as "libcupti.so.13"
   * @returns {(Requirement & { score: number })[]} what torch asks for
   */
  #likeliestFirst(library) {
    const stem = library
      .replace(/^lib/, "")
      .replace(/\.so.*$/, "")
      .toLowerCase();
    const words = stem === "cudart" ? [stem, "cuda-runtime"] : [stem];
    const score = (/** @type {Requirement} */ { name, forExtra }) =>
      forExtra === stem ? 2 : words.some((word) => name.includes(word)) ? 1 : 0;
    return (this.#requirements ?? [])
      .map((requirement) => ({ ...requirement, score: score(requirement) }))
      .sort((a, b) => b.score - a.score);
  }

  /**
   * All of the GPU maker's packages, those that they require themselves included, each in the newest version that
   * everything that names it allows.
   * @param {string[]} moreExtras of cuda-toolkit, beyond those that torch asks for; unknown ones are passed over
   * @returns {Promise<Map<string, { remote: RemoteWheel, requires: string[] }>>} by package
   * @throws {SetupError} where two of them do not agree
   */
  async all(moreExtras) {
    /** @type {Map<string, Set<string>>} */
    const specifiers = new Map();
    const demand = (/** @type {Requirement} */ { name, specifier }) => {
      const known = specifiers.get(name) ?? new Set();
      specifiers.set(name, known.add(specifier));
    };
    for (const requirement of await this.#named(moreExtras)) demand(requirement);
    /** @type {Map<string, { remote: RemoteWheel, requires: string[] }>} */
    let chosen = new Map();
    // What a package requires may narrow another's versions, and another version may require something else.
    for (let before = ""; before !== describe(specifiers); ) {
      before = describe(specifiers);
      chosen = new Map();
      for (const [name, wanted] of specifiers) {
        const remote = await this.#choose(name, [...wanted].filter((text) => text !== "").join(","));
        if (remote === undefined) continue;
        const required = nvidiaPackages(await remote.metadata());
        chosen.set(name, { remote, requires: required.map((requirement) => requirement.name) });
        for (const requirement of required) demand(requirement);
      }
    }
    return chosen;
  }

  /**
   * @param {string[]} moreExtras
   * @returns {Promise<Requirement[]>} what the torch wheel asks for
   */
  async #named(moreExtras) {
    const collected = nvidiaPackages(this.metadata);
    for (const { name, specifier, extras } of parseRequirements(this.metadata)) {
      if (name !== TOOLKIT) continue;
      const remote = await this.#choose(name, specifier);
      const asked = [...extras, ...moreExtras];
      const offered = parseRequirements((await remote?.metadata()) ?? "");
      collected.push(...offered.filter(({ forExtra }) => forExtra !== undefined && asked.includes(forExtra)));
    }
    return collected;
  }

  /**
   * @param {string} name
   * @param {string} specifier
   * @returns {Promise<RemoteWheel | undefined>} undefined where the package has no wheel for this machine at all:
   *   markers are not read, so it may be meant for another one
   */
  async #choose(name, specifier) {
    const { client, indexes, platform, open } = this.context;
    const files = this.#listings.get(name) ?? [];
    for (const index of indexes.slice(this.#asked.get(name) ?? 0)) {
      if (chooseWheel(files, platform, specifier) !== undefined) break;
      files.push(...(await listFiles(client, index, name)));
      this.#listings.set(name, files);
      this.#asked.set(name, indexes.indexOf(index) + 1);
    }
    const wheel = chooseWheel(files, platform, specifier);
    if (wheel === undefined) {
      if (chooseWheel(files, platform) === undefined) return undefined;
      throw new SetupError(
        `torch and what it requires ask for ${name} ${specifier}, but the index has no such wheel for ${platform.system} ${platform.machine}.`,
        { commands: [setupCommand("wheel")] },
      );
    }
    const opened = this.#opened.get(wheel.filename) ?? (await open(wheel));
    this.#opened.set(wheel.filename, opened);
    return opened;
  }
}

/**
 * @param {string} metadata
 * @returns {Requirement[]} what it always requires of the GPU maker's packages; the others are Python's
 */
function nvidiaPackages(metadata) {
  return parseRequirements(metadata).filter(
    ({ name, forExtra }) => forExtra === undefined && name.startsWith("nvidia-"),
  );
}

/** @param {Map<string, Set<string>>} specifiers */
function describe(specifiers) {
  return [...specifiers].map(([name, wanted]) => `${name} ${[...wanted].join(",")}`).join(";");
}
