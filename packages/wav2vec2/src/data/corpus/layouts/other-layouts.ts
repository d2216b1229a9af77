import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { shellName } from "../../../files/shell-name.js";
import { listDirectory, orReport } from "../corpus-directory.js";
import { isManifestName } from "../manifest/manifest.js";
import { audioNames, isHidden } from "./audio-names.js";

/** A form of corpora that has to be converted first. */
interface OtherForm {
  files: RegExp;
  /** As a sentence says it of a file: "is a Parquet file of Hugging Face's datasets". */
  is: string;
  advice: (file: string) => string;
}

const FORMS: readonly OtherForm[] = [
  {
    files: /\.(parquet|arrow)$/i,
    is: "is a table of Hugging Face's datasets",
    advice: (file) => `Unpack it with: npx wav2vec2 data unpack ${shellName(rootOfTables(file))} --to OUTPUT`,
  },
  {
    files: /^(.*[._-])?(cuts|supervisions|recordings).*\.jsonl(\.gz)?$/i,
    is: "is a manifest of Lhotse's",
    advice: (file) => `Convert it with: ${lhotseCommand(file)}`,
  },
  {
    files: /\.jsonl\.gz$/i,
    is: "is compressed",
    advice: (file) => `Unpack it with: gunzip -k ${shellName(file)}`,
  },
  {
    files: /\.(c|t)sv\.gz$/i,
    is: "is compressed",
    advice: (file) => `Unpack it with: gunzip -k ${shellName(file)}`,
  },
  {
    files: /\.(tar|tar\.gz|tgz|tar\.bz2|tar\.xz)$/i,
    is: "is an archive",
    advice: (file) => `Unpack all that lie there with: ${unpackAll(dirname(file), file, "tar -xf")}`,
  },
  {
    files: /\.zip$/i,
    is: "is an archive",
    advice: (file) => `Unpack all that lie there with: ${unpackAll(dirname(file), file, "unzip")}`,
  },
  {
    files: /^wav\.scp$|^segments$|^utt2spk$/,
    is: "belongs to one of Kaldi's data directories",
    advice: (file) => `Give the directory: ${dirname(file)}.`,
  },
  {
    files: /\.(ark|scp)$/i,
    is: "is one of Kaldi's archives or their lists, of features or of samples",
    advice: () => "Give the data directory with wav.scp that it was made of.",
  },
];

/** Directories and files are looked at until so many were seen: a hint must not cost a walk of everything. */
const MOST_SEEN = 200;
const DEEPEST = 3;

/** What to do with a file that is no manifest; empty where nothing is known of it. */
export function adviceOnFile(path: string): string {
  if (audioNames([basename(path)]).length > 0)
    return ` It is a recording: give the directory that it lies in, ${dirname(path)}.`;
  const form = FORMS.find(({ files }) => files.test(basename(path)));
  return form ? ` It ${form.is}. ${form.advice(path)}` : "";
}

/** What to do with a directory that has no splits, by what lies in it or below; empty where nothing is known. */
export function adviceOnDirectory(root: string): string {
  for (const { path, files } of near(root)) {
    const file = files.find((name) => FORMS.some((form) => form.files.test(name)));
    if (file !== undefined) {
      const { is, advice } = FORMS.find((form) => form.files.test(file))!;
      return ` ${join(path, file)} ${is}. ${advice(join(path, file))}`;
    }
  }
  return "";
}

/** The directory below `root` that has a manifest or, where none has, a directory of a split's name. */
export function directoryOfSplit(root: string, split: string): string | undefined {
  const isSplit = (name: string) => isManifestName(name) && name.slice(0, name.lastIndexOf(".")) === split;
  const below = near(root).slice(1);
  const listing = below.find(({ files }) => files.some(isSplit));
  return (listing ?? below.find(({ directories }) => directories.includes(split)))?.path;
}

interface Near {
  path: string;
  directories: string[];
  files: string[];
}

/** A directory and some of those below it, the nearest first. */
function near(root: string): Near[] {
  const found: Near[] = [];
  let level = [root];
  for (let depth = 0; depth < DEEPEST; depth++) {
    const next: string[] = [];
    for (const path of level) {
      if (found.length >= MOST_SEEN) return found;
      const listing = orReport(listDirectory, path, "", []);
      if (!listing) continue;
      const directories = listing.directories.filter((name) => !isHidden(name));
      found.push({ path, directories, files: listing.files });
      next.push(...directories.map((name) => join(path, name)));
    }
    level = next;
  }
  return found;
}

/** The directory of all splits' tables: `data/train-00000-of-00002.parquet` and `train/data-00000-of-00001.arrow` lie below it. */
function rootOfTables(file: string): string {
  const directory = dirname(file);
  const above = dirname(directory);
  return existsSync(join(above, "dataset_dict.json")) ? above : directory;
}

/** https://lhotse.readthedocs.io/en/latest/kaldi.html */
function lhotseCommand(file: string): string {
  const directory = dirname(file);
  const sibling = (kind: string) =>
    join(directory, basename(file).replace(/cuts|supervisions|recordings/, kind));
  if (/cuts/.test(basename(file)))
    return (
      `lhotse cut decompose ${shellName(file)} OUTPUT && ` +
      "lhotse kaldi export OUTPUT/recordings.jsonl.gz OUTPUT/supervisions.jsonl.gz OUTPUT/kaldi"
    );
  const [recordings, supervisions] = ["recordings", "supervisions"].map((kind) => shellName(sibling(kind)));
  return `lhotse kaldi export ${recordings} ${supervisions} OUTPUT`;
}

/** A command that unpacks all archives of a directory, each in its place. */
function unpackAll(directory: string, file: string, program: string): string {
  const ending = /(\.tar)?\.[^.]+$/.exec(basename(file))![0];
  return `(cd ${shellName(directory)} && for f in *${ending}; do ${program} "$f"; done)`;
}
