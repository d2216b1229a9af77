import { empty, keep, noGrad, scope, type Tensor } from "@wav2vec2/libtorch";
import type { World } from "./world.js";

/** A tensor that one of the processes has. */
export interface Part {
  /** How many elements it has. */
  elements: number;
  /** The tensor itself, contiguous, in the process that has it. */
  own?: Tensor | undefined;
  /**
   * Gets its elements in another process.
   *
   * @param values some of them, [elements]; valid during the call
   * @param first the place of the first of them, in row-major order
   */
  receive?: ((values: Tensor, first: number) => void) | undefined;
}

export interface ExchangeOptions {
  /** Of the tensors' dtype and device. */
  like: Tensor;
  /** Elements of a message. Default: 8 MiB of float32 */
  messageElements?: number | undefined;
}

const MESSAGE_ELEMENTS = (8 * 2 ** 20) / 4;
/** Messages that are under way at once, from different processes: one is packed or unpacked while others are sent. */
const UNDER_WAY = 4;

/**
 * Tells all processes the tensors of each, in flat messages. What they take of memory grows neither with the tensors nor with the
 * number of processes.
 *
 * @param shares the parts that each process has, by rank; the same in all but for `own` and `receive`
 * @throws DistributedError where another process fails or does not come
 */
export async function exchangeParts(
  world: World,
  shares: readonly (readonly Part[])[],
  { like, messageElements = MESSAGE_ELEMENTS }: ExchangeOptions,
): Promise<void> {
  const underWay: Promise<void>[] = [];
  for (const piece of piecesOf(shares, messageElements)) {
    if (underWay.length === UNDER_WAY) await underWay.shift();
    const sent = send(world, shares[piece.root]!, piece, like);
    sent.catch(() => {}); // of several that fail together, the first is told
    underWay.push(sent);
  }
  await Promise.all(underWay);
}

/** Elements of a process's share, its parts lying one behind the other. */
interface Piece {
  /** Whose they are. */
  root: number;
  start: number;
  length: number;
}

/** Of at most so many elements, from the processes in turns. */
function piecesOf(shares: readonly (readonly Part[])[], most: number): Piece[] {
  const lengths = shares.map((share) => share.reduce((sum, { elements }) => sum + elements, 0));
  const starts = Array.from({ length: Math.ceil(Math.max(...lengths) / most) }, (_, turn) => turn * most);
  return starts.flatMap((start) =>
    lengths.flatMap((whole, root) =>
      start < whole ? [{ root, start, length: Math.min(most, whole - start) }] : [],
    ),
  );
}

async function send(world: World, share: readonly Part[], piece: Piece, like: Tensor): Promise<void> {
  const isOwn = piece.root === world.rank;
  const values = isOwn ? pack(share, piece, like) : emptyFor(piece, like);
  await world.broadcast(values, piece.root);
  if (!isOwn) unpack(values, share, piece);
  values.dispose();
}

function emptyFor({ length }: Piece, { dtype, device }: Tensor): Tensor {
  return keep(empty([length], { dtype, device }));
}

function pack(parts: readonly Part[], piece: Piece, like: Tensor): Tensor {
  const values = emptyFor(piece, like);
  noGrad(() =>
    scope(() => {
      for (const { part, first, count, at } of stretchesIn(parts, piece))
        values.narrow(0, at, count).copy_(flat(part.own!).narrow(0, first, count));
    }),
  );
  return values;
}

function unpack(values: Tensor, parts: readonly Part[], piece: Piece): void {
  noGrad(() =>
    scope(() => {
      for (const { part, first, count, at } of stretchesIn(parts, piece))
        part.receive?.(values.narrow(0, at, count), first);
    }),
  );
}

/** Elements of a part in a piece. */
interface Stretch {
  part: Part;
  /** The first of them in the part. */
  first: number;
  count: number;
  /** Where they begin in the piece. */
  at: number;
}

function stretchesIn(parts: readonly Part[], { start, length }: Piece): Stretch[] {
  const stretches: Stretch[] = [];
  let begin = 0;
  for (const part of parts) {
    const from = Math.max(begin, start);
    const to = Math.min(begin + part.elements, start + length);
    if (to > from) stretches.push({ part, first: from - begin, count: to - from, at: from - start });
    begin += part.elements;
  }
  return stretches;
}

/** A tensor's elements in row-major order, in its memory. */
export function flat(values: Tensor): Tensor {
  return values.detach().view([-1]);
}
