import { nearest } from "@wav2vec2/libtorch/nearest";
import { ConfigurationError } from "../../errors.js";

/** A part of a corpus, as it lies on OpenSLR's servers: a gzipped tar of `LibriSpeech/<name>/`. */
export interface CorpusPart {
  name: string;
  /** Where the archive lies below a server's `resources` directory. */
  archive: string;
  /** Size of the archive in bytes. */
  bytes: number;
  /** Of the archive, from the md5sum.txt beside it. */
  md5: string;
  utterances: number;
  hours: number;
}

/**
 * LibriSpeech (https://www.openslr.org/12) and Mini LibriSpeech (https://www.openslr.org/31). MD5s are those of
 * OpenSLR's md5sum.txt; sizes those of kaldi's local/download_and_untar.sh (egs/librispeech and egs/mini_librispeech)
 * and of tensorflow_datasets' url_checksums/librispeech.txt; hours those of the LibriSpeech paper, table 1 (Mini
 * LibriSpeech's: its share of its source's bytes).
 */
export const corpusParts: readonly CorpusPart[] = [
  part(12, "dev-clean", 337_926_286, "42e2234ba48799c1f50f24a7926300a1", 2703, 5.4),
  part(12, "dev-other", 314_305_928, "c8d0bcc9cca99d4f8b62fcc847357931", 2864, 5.3),
  part(12, "test-clean", 346_663_984, "32fa31d27d2e1cad72775fee3f4849a9", 2620, 5.4),
  part(12, "test-other", 328_757_843, "fb5a50374b501bb3bac4815ee91d3135", 2939, 5.1),
  part(12, "train-clean-100", 6_387_309_499, "2a93770f6d5c6c964bc36631d331a522", 28_539, 100.6),
  part(12, "train-clean-360", 23_049_477_885, "c0e676e450a7ff2f54aeade5171606fa", 104_014, 363.6),
  part(12, "train-other-500", 30_593_501_606, "d1a0fd59409feb2c614ce4d30c387708", 148_688, 496.7),
  part(31, "train-clean-5", 332_954_390, "5df7d4e78065366204ca6845bb08f490", 1519, 5.2),
  part(31, "dev-clean-2", 126_046_265, "6d7ab67ac6a1d2c993d050e16d61080d", 1089, 2.0),
];

export const openSlr = "https://www.openslr.org/resources";

function part(
  resource: number,
  name: string,
  bytes: number,
  md5: string,
  utterances: number,
  hours: number,
): CorpusPart {
  return { name, archive: `${resource}/${name}.tar.gz`, bytes, md5, utterances, hours };
}

/**
 * The parts of these names, each once.
 * @throws ConfigurationError naming the nearest known name
 */
export function findParts(names: readonly string[]): CorpusPart[] {
  const known = corpusParts.map(({ name }) => name);
  return [...new Set(names)].map((name) => {
    const found = corpusParts.find((each) => each.name === name);
    if (found) return found;
    const meant = nearest(name, known);
    throw new ConfigurationError(
      `NAME must be one of ${known.join(", ")}, but is '${name}'.${meant ? ` Did you mean ${meant}?` : ""}`,
    );
  });
}

/** Share of the archive that gzip saved of real LibriSpeech FLAC files was up to 8 %; a tenth is on the safe side. */
const EXPANSION = 1.1;
/** What a file wastes at most at its end on common file systems. */
const BLOCK = 4096;

/** An upper estimate in bytes of the disk space that a part takes unpacked; OpenSLR states none. */
export function unpackedBytes({ bytes, utterances }: CorpusPart): number {
  return Math.ceil(bytes * EXPANSION) + utterances * BLOCK;
}
