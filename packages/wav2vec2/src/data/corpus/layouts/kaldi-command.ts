/** A recording that a command of `wav.scp` does nothing to but decode. */
export interface DecodedFile {
  file: string;
  /** The one channel that it takes, counted from 1; all where absent. */
  channel?: number | undefined;
  /** Hz that it brings the recording to, where that is less than the model listens to. */
  rate?: number | undefined;
}

/**
 * The file behind a command of Kaldi's `wav.scp`, `flac -c -d -s a.flac |`, where it is clear that the command only decodes
 * it, maybe at another rate, also in several programs behind one another. Nothing is ever run: commands of others may do anything.
 * @returns undefined where the command may change the sound, or is not known
 */
export function decodedFile(command: string): DecodedFile | undefined {
  const stages = command.replace(/\|\s*$/, "").split("|");
  const [first, ...others] = stages.map(stageOf);
  if (first === undefined || isPiped(first)) return undefined;
  let { channel, rate } = first;
  for (const stage of others) {
    if (stage === undefined || !isPiped(stage)) return undefined;
    channel ??= stage.channel;
    rate ??= stage.rate;
  }
  return { file: first.file, channel, rate };
}

function stageOf(command: string): DecodedFile | undefined {
  const [program = "", ...args] = shellWords(command) ?? [];
  const name = program.slice(program.lastIndexOf("/") + 1);
  return Object.hasOwn(READERS, name) ? READERS[name]!(args) : undefined;
}

/** Whether a program reads what the one before it wrote. */
function isPiped({ file }: DecodedFile): boolean {
  return ["-", "pipe:", "pipe:0"].includes(file);
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
    only(args, { flags: /^--(quiet|force-wav)$/, values: { "--rate": isRate }, ends: ["-"] }),
  oggdec: (args) => only(args, { flags: /^(-Q|--quiet)$/, values: { "-o": isStdout } }),
  sph2pipe: (args) => {
    const values = {
      "-f": (value: string) => /^(wav|rif|sph)$/.test(value),
      "-c": (value: string) => /^[12]$/.test(value),
    };
    const found = only(args, { flags: /^-[pw]$/, values });
    const at = args.indexOf("-c");
    return found && at >= 0 ? { ...found, channel: Number(args[at + 1]) } : found;
  },
  sox: (args) => only(withRateOption(args), { flags: SOX_FLAGS, values: SOX_VALUES, ends: ["-"] }),
  ffmpeg: (args) => {
    const input = args.indexOf("-i");
    if (input < 0 || args.lastIndexOf("-i") > input) return undefined;
    const others = args.toSpliced(input, 1);
    const found = only(others, {
      flags: FFMPEG_FLAGS,
      values: FFMPEG_VALUES,
      ends: ["-", "pipe:", "pipe:1"],
    });
    const [, channel] = /^0\.0\.(\d+)$/.exec(args[args.indexOf("-map_channel") + 1] ?? "") ?? [];
    return found && channel !== undefined ? { ...found, channel: Number(channel) + 1 } : found;
  },
};

type Check = (value: string) => boolean;
const anything: Check = () => true;
const isStdout: Check = (value) => value === "-";
const isMono: Check = (value) => value === "1";
const isRate: Check = (value) => rateOf(value) >= 1000;
const isDeep: Check = (value) => Number(value) >= 16;

function rateOf(value: string): number {
  return Number(value.replace(/k$/i, "e3"));
}

const SOX_FLAGS = /^(-V\d?|-D|-G|-R|-q|--no-dither|--no-show-progress)$/;
const SOX_VALUES = { "-t": anything, "-r": isRate, "-b": isDeep, "-e": anything, "-c": isMono };
const FFMPEG_FLAGS = /^(-y|-vn|-nostdin|-nostats|-hide_banner)$/;
const FFMPEG_VALUES = {
  "-f": (value: string) => value === "wav",
  "-ar": isRate,
  "-map_channel": (value: string) => /^0\.0\.\d+$/.test(value),
  "-ac": isMono,
  "-ab": anything,
  "-acodec": (value: string) => /^pcm_[sf]/.test(value),
  "-c:a": (value: string) => /^pcm_[sf]/.test(value),
  "-sample_fmt": anything,
  "-v": anything,
  "-loglevel": anything,
  "-threads": anything,
};

/** SoX's effect `rate 16k` behind the output as its option `-r 16k`. */
function withRateOption(args: readonly string[]): readonly string[] {
  const at = args.lastIndexOf("rate");
  return at >= 0 && at === args.length - 2 ? ["-r", args[at + 1]!, ...args.slice(0, at)] : args;
}

const RATES = ["-r", "-ar", "--rate"];
/** Of what the model listens to, in Hz. */
const HIGH_RATE = 16000;

/** The single file among arguments that are all known. */
function only(
  args: readonly string[],
  known: { flags?: RegExp; values?: Readonly<Record<string, Check>>; ends?: readonly string[] },
): DecodedFile | undefined {
  const files: string[] = [];
  let rate: number | undefined;
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!;
    const check = known.values && Object.hasOwn(known.values, arg) ? known.values[arg] : undefined;
    if (check) {
      const value = args[++at];
      if (value === undefined || !check(value)) return undefined;
      if (RATES.includes(arg) && rateOf(value) < HIGH_RATE) rate = rateOf(value);
    } else if (known.flags?.test(arg)) continue;
    else if (known.ends?.includes(arg)) {
      if (files.length === 0) files.push(arg);
      else if (at !== args.length - 1) return undefined;
    } else if (arg.startsWith("-")) return undefined;
    else files.push(arg);
  }
  return files.length === 1 ? { file: files[0]!, rate } : undefined;
}
