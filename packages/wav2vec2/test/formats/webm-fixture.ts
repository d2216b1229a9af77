import { oggPages, PacketJoiner } from "../../src/audio/ogg/ogg.js";
import { readOpusHeader } from "../../src/audio/ogg/ogg-opus.js";
import { samplesOf } from "../../src/audio/ogg/opus.js";
import { memorySource } from "../../src/audio/sources/byte-source.js";

// Files of browsers, made of the packets of an Ogg file.

function element(id: number[], body: Uint8Array, isUnknown = false): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(body.length));
  size[0] = 1; // a size of eight bytes
  return Buffer.concat([Buffer.from(id), isUnknown ? Buffer.from([1, ...Array(7).fill(255)]) : size, body]);
}
const number = (id: number[], value: number) => element(id, Buffer.from([value]));

/** The packets of an Ogg file. */
export function oggPackets(bytes: Uint8Array): Uint8Array[] {
  const joiner = new PacketJoiner();
  return [...oggPages(memorySource(bytes), "x")].flatMap((page) => joiner.endingOn(page));
}

export interface Shape {
  /** Packets a block, and how they are divided. */
  lacing?: 0 | 1 | 2 | 3;
  /** Sizes are not known, as browsers write them. */
  isLive?: boolean;
  codec?: string;
}

function vintOf(value: number): number[] {
  return [0x40 | (value >> 8), value & 255]; // two bytes
}

function laces(packets: Uint8Array[], lacing: number): number[] {
  if (lacing === 0) return [];
  const sizes = packets.map(({ length }) => length).slice(0, -1);
  const first = [packets.length - 1];
  if (lacing === 2) return first;
  if (lacing === 1)
    return [...first, ...sizes.flatMap((size) => [...Array(Math.floor(size / 255)).fill(255), size % 255])];
  return [
    ...first,
    ...sizes.flatMap((size, i) => vintOf(i === 0 ? size : size - sizes[i - 1]! + (2 ** 13 - 1))),
  ];
}

/** Packets of an Ogg file in WebM, and how many samples they have. */
export function webm(ogg: Uint8Array, { lacing = 0, isLive = false, codec = "A_OPUS" }: Shape = {}): Buffer {
  const [head, , ...packets] = oggPackets(ogg);
  const { samples } = readOpusHeader(memorySource(ogg), "x");
  const discard = samplesOf(packets) - Buffer.from(head!).readUInt16LE(10) - samples;
  const track = element(
    [0xae],
    Buffer.concat([
      number([0xd7], 1),
      number([0x83], 2),
      element([0x86], Buffer.from(codec)),
      element([0x63, 0xa2], head!),
    ]),
  );
  const groups: Uint8Array[][] = [];
  const most = lacing === 0 ? 1 : 3;
  const isAlike = (group: Uint8Array[], packet: Uint8Array) =>
    lacing !== 2 || group[0]!.length === packet.length;
  for (const packet of packets.slice(0, -1)) {
    const group = groups.at(-1);
    if (group && group.length < most && isAlike(group, packet)) group.push(packet);
    else groups.push([packet]);
  }
  const block = (group: Uint8Array[], flags: number) =>
    Buffer.concat([Buffer.from([0x81, 0, 0, flags]), Buffer.from(laces(group, flags >> 1)), ...group]);
  const blocks = groups.map((group) => element([0xa3], block(group, group.length > 1 ? lacing << 1 : 0)));
  const padding = Buffer.alloc(8);
  padding.writeBigInt64BE(BigInt(Math.round((discard * 1e9) / 48_000)));
  const last = element(
    [0xa0],
    Buffer.concat([element([0xa1], block([packets.at(-1)!], 0)), element([0x75, 0xa2], padding)]),
  );
  const half = Math.floor(blocks.length / 2);
  const cluster = (parts: Buffer[]) =>
    element([0x1f, 0x43, 0xb6, 0x75], Buffer.concat([number([0xe7], 0), ...parts]), isLive);
  const segment = element(
    [0x18, 0x53, 0x80, 0x67],
    Buffer.concat([
      element([0x15, 0x49, 0xa9, 0x66], Buffer.from("an element that is left out")),
      element([0x16, 0x54, 0xae, 0x6b], track),
      cluster(blocks.slice(0, half)),
      cluster([...blocks.slice(half), last]),
    ]),
    isLive,
  );
  return Buffer.concat([element([0x1a, 0x45, 0xdf, 0xa3], number([0x42, 0x86], 1)), segment]);
}
