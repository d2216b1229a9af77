// Draws docs/images/quickstart.svg: a minute of what `npm run quickstart` really writes to a terminal, with long waits shortened and
// the real time in the corner.
//
//   node scripts/cast.mjs                    runs it, in a quarter of an hour, and draws it
//   node scripts/cast.mjs --from DIRECTORY   draws a recording that is there
import { mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { framesOf } from "./cast/frames.mjs";
import { pictureOf } from "./cast/picture.mjs";
import { readRecording, record } from "./cast/recording.mjs";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const SIZE = { columns: 90, rows: 22 };
const USAGE = `usage: node scripts/cast.mjs [--command COMMAND] [--from DIRECTORY] [--output FILE]

  --command COMMAND  what is run and shown (default: npm run quickstart)
  --from DIRECTORY   draws what was recorded there before, without running anything
  --output FILE      default: docs/images/quickstart.svg
`;

/**
 * @param {string} directory of a recording
 * @param {string} command as it is shown
 * @returns {string} SVG
 */
export function castOf(directory, command) {
  const root = ROOT.slice(0, -1);
  const pieces = readRecording(directory).map(({ seconds, text }) => ({
    seconds,
    text: text.replaceAll(root, "~/wav2vec2"), // where the checkout lies is nobody's concern
  }));
  const frames = framesOf(pieces, { ...SIZE, seconds: 52, gap: 0.45 });
  return pictureOf(frames, { ...SIZE, command, title: `What ${command} writes, in a minute` });
}

/** @param {string[]} args */
async function main(args) {
  const { values } = parseArgs({
    args,
    options: {
      command: { type: "string", default: "npm run quickstart" },
      from: { type: "string" },
      output: { type: "string", default: join(ROOT, "docs/images/quickstart.svg") },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const directory = values.from ?? mkdtempSync(join(tmpdir(), "cast-"));
  if (values.from === undefined) await record(values.command, directory, SIZE);
  const picture = castOf(directory, values.command);
  writeFileSync(values.output, picture);
  process.stdout.write(
    `${values.output}, ${Math.round(picture.length / 1000)} kB, of the recording in ${directory}\n`,
  );
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  await main(process.argv.slice(2));
