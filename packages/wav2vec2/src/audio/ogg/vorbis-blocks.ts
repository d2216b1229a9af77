/**
 * How many samples packets of Vorbis hold: half of two neighbouring blocks each, of which there are two sizes.
 * https://xiph.org/vorbis/doc/Vorbis_I_spec.html#x1-590004
 */
export class VorbisBlocks {
  readonly #sizes: readonly [short: number, long: number];
  /** For each mode that a packet may name, whether its block is long. */
  readonly #modes: readonly boolean[];
  #last: number | undefined;

  /**
   * @param identification, setup the stream's first and third packets
   * @throws Error where they are none
   */
  constructor(identification: Uint8Array, setup: Uint8Array) {
    const sizes = identification[28] ?? 0;
    this.#sizes = [2 ** (sizes & 15), 2 ** (sizes >> 4)];
    this.#modes = modesOf(setup);
  }

  /** The first packet holds none: it begins the overlap. */
  samplesOf(packet: Uint8Array): number {
    const first = packet[0] ?? 1;
    if (first & 1) return 0; // no packet of sound
    const mode = (first >> 1) & (2 ** Math.ceil(Math.log2(this.#modes.length)) - 1);
    const size = this.#sizes[this.#modes[mode] ? 1 : 0]!;
    const samples = this.#last === undefined ? 0 : (this.#last + size) / 4;
    this.#last = size;
    return samples;
  }
}

const MODE_BITS = 41;
const MOST_MODES = 64;

/**
 * The setup packet ends with its modes, and what is before them is long to parse: they are read from the end. A mode is a
 * bit that tells whether its block is long, 32 bits that are 0, and 8 of a mapping; before all are six bits of their count less one.
 */
function modesOf(setup: Uint8Array): boolean[] {
  const bit = (at: number) => (setup[at >> 3]! >> (at & 7)) & 1;
  const bits = (at: number, count: number) =>
    Array.from({ length: count }, (_, i) => bit(at + i) << i).reduce((sum, value) => sum | value, 0);
  let end = setup.length * 8 - 1;
  while (end >= 0 && bit(end) === 0) end--; // the bit that ends the packet
  const modes: boolean[] = [];
  let found: boolean[] = [];
  for (let at = end - MODE_BITS; at >= 6 && modes.length < MOST_MODES; at -= MODE_BITS) {
    if (bits(at + 1, 16) !== 0 || bits(at + 17, 16) !== 0) break;
    modes.unshift(bit(at) === 1);
    if (bits(at - 6, 6) + 1 === modes.length) found = [...modes];
  }
  if (found.length === 0) throw new Error("its setup packet tells no modes");
  return found;
}
