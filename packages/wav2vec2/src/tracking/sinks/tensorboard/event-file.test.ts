import { appendFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BinaryReader } from "@bufbuild/protobuf/wire";
import { describe, expect, it } from "vitest";
import { temporaryDirectory } from "../../../../test/fixtures/temporary-directory.js";
import { crc32c } from "./crc32c.js";
import { EventFile, recordOf, summary } from "./event-file.js";
import { scalar } from "./summary.js";

/** Records as https://www.tensorflow.org/tutorials/load_data/tfrecord has them, up to a torn one. */
function recordsOf(bytes: Buffer): Buffer[] {
  const unmasked = (checksum: number): number => {
    const rotated = (checksum - 0xa282ead8) >>> 0;
    return ((rotated << 15) | (rotated >>> 17)) >>> 0;
  };
  const records: Buffer[] = [];
  for (let at = 0; at + 12 <= bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    const end = at + 12 + length;
    if (end + 4 > bytes.length) break;
    expect(unmasked(bytes.readUInt32LE(at + 8))).toBe(crc32c(bytes.subarray(at, at + 8)));
    expect(unmasked(bytes.readUInt32LE(end))).toBe(crc32c(bytes.subarray(at + 12, end)));
    records.push(bytes.subarray(at + 12, end));
    at = end + 4;
  }
  return records;
}

/** Wall time and step, and which field tells what it is of. */
function headOf(record: Buffer): (number | undefined)[] {
  const reader = new BinaryReader(record);
  const head: (number | undefined)[] = [];
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    if (field === 1) head[0] = reader.double();
    else if (field === 2) head[1] = Number(reader.int64());
    else {
      head[2] = field;
      reader.skip(wire);
    }
  }
  return head;
}

describe("EventFile", () => {
  it("has checksums as RFC 3720 has them", () => {
    expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  });

  it("begins with its version and a start, and holds what was appended at once", async () => {
    const directory = join(await temporaryDirectory("events"), "tensorboard");
    const file = new EventFile(directory, { step: 31, time: 5000 });
    file.append({ time: 6500, step: 40, what: summary([scalar("loss", 1)]) });
    const [name] = readdirSync(directory);
    const path = join(directory, name!);
    expect(recordsOf(readFileSync(path)).map(headOf)).toEqual([
      [5, 0, 3],
      [5, 31, 7],
      [6.5, 40, 5],
    ]);
    appendFileSync(path, recordOf({ time: 1, step: 2 ** 33, what: summary([]) }).subarray(0, -1));
    expect(recordsOf(readFileSync(path))).toHaveLength(3);
    file.close();
  });

  it("comes behind all that are there, whatever the clock says", async () => {
    const directory = await temporaryDirectory("events");
    writeFileSync(join(directory, "events.out.tfevents.0000009999.host.1.0"), "");
    new EventFile(directory, { step: 0, time: 5000 });
    expect(readdirSync(directory).sort()[1]).toMatch(/^events\.out\.tfevents\.0000010000\./);
  });
});
