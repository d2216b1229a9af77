/** A recording that a command of `wav.scp` does nothing to but decode. */
export interface DecodedFile {
  file: string;
  /** The one channel that it takes, counted from 1; all where absent. */
  channel?: number | undefined;
}

/**
 * The file behind a command of Kaldi's `wav.scp`, `flac -c -d -s a.flac |`, where it is clear that the command only decodes
 * it, maybe at a higher rate. Nothing is ever run: commands of others may do anything.
 * @returns undefined where the command may change the sound, or is not known
 */
export function decodedFile(command: string): DecodedFile | undefined {
  const words = shellWords(command.replace(/\|\s*$/, ""));
  const [program = "", ...args] = words ?? [];
  const reader = READERS[program.slice(program.lastIndexOf("/") + 1)];
  return reader?.(args);
}

/** The words of a command in which a shell would replace nothing; undefined of any other. */
function shellWords(command: string): string[] | undefined {
  const words: string[] = [];
  const word = /\s*((?:[\w@%+=:,./~-]|\\.|'[^']*'|"[^"$`\\]*"|[^\0-\x7f])+)/gy;
  const text = command.trim();
  let end = 0;
  for (let match = word.exec(text); match; match = word.exec(text)) {
    end = word.lastIndex;
    if (match[1]!.startsWith("~")) return undefined;
    words.push(match[1]!.replace(/\\(.)|'([^']*)'|"([^"]*)"/g, (_, ...parts) => parts.slice(0, 3).join("")));
  }
  return end === text.length && words.length > 0 ? words : undefined;
}

type Reader = (args: readonly string[]) => DecodedFile | undefined;

const READERS: Record<string, Reader> = {
  cat: (args) => only(args, {}),
  flac: (args) => only(args, { flags: /^-[cds]+$|^--(decode|stdout|silent|totally-silent)$/, ends: ["-"] }),
  mpg123: (args) => only(args, { flags: /^(-q|-s|-w|--quiet|--stdout|--wav)$/, ends: ["-"] }),
  lame: (args) => only(args, { flags: /^--(decode|quiet|silent)$/, ends: ["-"] }),
  opusdec: (args) =>
    only(args, { flags: /^--(quiet|force-wav)$/, values: { "--rate": isHighRate }, ends: ["-"] }),
  oggdec: (args) => only(args, { flags: /^(-Q|--quiet)$/, values: { "-o": isStdout } }),
  sph2pipe: (args) => {
    let channel: number | undefined;
    const values = {
      "-f": (value: string) => /^(wav|rif|sph)$/.test(value),
      "-c": (value: string) => {
        channel = Number(value);
        return channel === 1 || channel === 2;
      },
    };
    const found = only(args, { flags: /^-[pw]$/, values });
    return found && { ...found, channel };
  },
  sox: (args) => only(withoutRateEffect(args), { flags: SOX_FLAGS, values: SOX_VALUES, ends: ["-"] }),
  ffmpeg: (args) => {
    const input = args.indexOf("-i");
    if (input < 0 || args.lastIndexOf("-i") > input) return undefined;
    const others = args.toSpliced(input, 1);
    return only(others, { flags: FFMPEG_FLAGS, values: FFMPEG_VALUES, ends: ["-", "pipe:", "pipe:1"] });
  },
};

type Check = (value: string) => boolean;
const anything: Check = () => true;
const isStdout: Check = (value) => value === "-";
const isMono: Check = (value) => value === "1";
/** A lower one takes away what the model listens to. */
const isHighRate: Check = (value) => Number(value.replace(/k$/i, "e3")) >= 16000;
const isDeep: Check = (value) => Number(value) >= 16;

const SOX_FLAGS = /^(-V\d?|-D|-G|-R|-q|--no-dither|--no-show-progress)$/;
const SOX_VALUES = { "-t": anything, "-r": isHighRate, "-b": isDeep, "-e": anything, "-c": isMono };
const FFMPEG_FLAGS = /^(-y|-vn|-nostdin|-nostats|-hide_banner)$/;
const FFMPEG_VALUES = {
  "-f": (value: string) => value === "wav",
  "-ar": isHighRate,
  "-ac": isMono,
  "-ab": anything,
  "-acodec": (value: string) => /^pcm_[sf]/.test(value),
  "-c:a": (value: string) => /^pcm_[sf]/.test(value),
  "-sample_fmt": anything,
  "-v": anything,
  "-loglevel": anything,
  "-threads": anything,
};

/** SoX's `rate 16k` behind the output, which changes nothing else. */
function withoutRateEffect(args: readonly string[]): readonly string[] {
  const at = args.lastIndexOf("rate");
  return at >= 0 && at === args.length - 2 && isHighRate(args[at + 1]!) ? args.slice(0, at) : args;
}

/** The single file among arguments that are all known. */
function only(
  args: readonly string[],
  known: { flags?: RegExp; values?: Readonly<Record<string, Check>>; ends?: readonly string[] },
): DecodedFile | undefined {
  const files: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    const check = known.values && Object.hasOwn(known.values, arg) ? known.values[arg] : undefined;
    if (check) {
      const value = args[++at];
      if (value === undefined || !check(value)) return undefined;
    } else if (known.flags?.test(arg)) continue;
    else if (known.ends?.includes(arg)) {
      if (files.length === 0 || at !== args.length - 1) return undefined;
    } else if (arg.startsWith("-")) return undefined;
    else files.push(arg);
  }
  return files.length === 1 ? { file: files[0]! } : undefined;
}
