import { existsSync } from "node:fs";
import { basename, dirname, extname, isAbsolute, join } from "node:path";
import { UserError } from "../../../errors.js";
import { shellName } from "../../../files/shell-name.js";
import { AudioByName } from "../layouts/audio-by-name.js";
import { stemOf } from "../layouts/audio-names.js";

/**
 * Directories beside a table in which releases have the files that it names: Common Voice's (`clips`, `audios`), FLEURS'
 * (`audio/<split>`), LJSpeech's (`wavs`) and others.
 */
const PLACES = ["clips", "audios", "audio", "wavs", "wav"];

/** What SpeechBrain puts a directory in place of: `{data_root}/a.wav`, `$data_folder/a.wav`. */
const VARIABLE = /^(\{\w+\}|\$\w+|\$\{\w+\})(?=\/)/;

/**
 * Where the files are that a manifest names: relative to it, or to the directory beside it that holds the first file that
 * is found. Names without a directory and an ending, as VoxPopuli's and those of Common Voice's first releases, are looked for
 * in all directories below the manifest.
 */
export class ManifestPlaces {
  readonly #root: string;
  readonly #places: readonly string[];
  readonly #below: AudioByName;
  #place: string | undefined;

  constructor(readonly manifest: string) {
    this.#root = dirname(manifest);
    const split = stemOf(basename(manifest));
    this.#places = ["", ...PLACES, split, ...PLACES.map((place) => join(place, split))];
    this.#below = new AudioByName(this.#root);
  }

  /**
   * The path of a file that the manifest names; of one that is nowhere it is where it should be.
   * @throws UserError where it begins with a variable whose directory does not show
   */
  locate(given: string): string {
    const [variable] = VARIABLE.exec(given) ?? [];
    const name = variable === undefined ? given : given.slice(variable.length + 1);
    if (variable === undefined && isAbsolute(name)) return name;
    this.#place ??= this.#places.find((place) => existsSync(join(this.#root, place, name)));
    if (variable !== undefined && this.#place === undefined)
      throw new UserError(
        `${this.manifest} must name its files from its own directory, but names them from ${variable}. ` +
          `Put the directory there: sed -i 's|${variable.replace("$", "[$]")}|DIRECTORY|' ${shellName(this.manifest)}`,
      );
    const missing = existsSync(join(this.#root, PLACES[0]!)) ? PLACES[0]! : "";
    return join(this.#root, this.#place ?? missing, name);
  }

  /** Whether a name is one that {@link search} is for. */
  isId(name: string): boolean {
    return extname(name) === "" && basename(name) === name;
  }

  /** The file of a name without an ending. @throws UserError where a part of the directory cannot be read */
  async search(name: string): Promise<string> {
    return (await this.#below.find(name)) ?? this.locate(name);
  }
}
