import { keep, noGrad, scope, type Tensor, zeros } from "@wav2vec2/libtorch";
import type { World } from "./world.js";

/** A tensor that one of the processes has. */
export interface Part {
  /** How many elements it has. */
  elements: number;
  /** The tensor itself, contiguous, in the process that has it. */
  own?: Tensor | undefined;
  /**
   * Hears its elements in another process.
   *
   * @param values some of them, [elements]; valid during the call
   * @param first the place of the first of them, in row-major order
   */
  receive?: ((values: Tensor, first: number) => void) | undefined;
}

export interface ExchangeOptions {
  /** Of the tensors' dtype and device. */
  like: Tensor;
  /** Elements of a message, of all processes together. Default: 25 MiB of float32, as a bucket of gradients */
  messageElements?: number | undefined;
}

const MESSAGE_ELEMENTS = (25 * 2 ** 20) / 4;

/**
 * Tells all processes the tensors of each, in flat messages. Where the shares are about equal, a message holds an equally long
 * piece of every process's; otherwise each process sends its own. What a message takes of memory does not grow with the
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
  const lengths = shares.map((share) => share.reduce((sum, { elements }) => sum + elements, 0));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const longest = Math.max(...lengths);
  if (longest * world.size <= 2 * total) {
    const most = Math.max(1, Math.floor(messageElements / world.size));
    for (const piece of piecesOf(longest, most)) await gatherPiece(world, shares, piece, like);
    return;
  }
  for (const [root, share] of shares.entries())
    for (const piece of piecesOf(lengths[root]!, messageElements))
      await sendPiece(world, root, share, piece, like);
}

/** Elements of a process's share, its parts lying one behind the other. */
interface Piece {
  start: number;
  length: number;
}

/** Equally long pieces, but for the last, of at most so many elements. */
function piecesOf(elements: number, most: number): Piece[] {
  const length = Math.ceil(elements / Math.ceil(elements / most));
  return Array.from({ length: Math.ceil(elements / most) }, (_, place) => ({
    start: place * length,
    length: Math.min(length, elements - place * length),
  }));
}

async function gatherPiece(
  world: World,
  shares: readonly (readonly Part[])[],
  piece: Piece,
  like: Tensor,
): Promise<void> {
  const own = pack(shares[world.rank]!, piece, like);
  const arrived = await world.allGather(own);
  for (const [rank, values] of arrived.entries()) {
    if (rank !== world.rank) unpack(values, shares[rank]!, piece);
    values.dispose();
  }
  own.dispose();
}

async function sendPiece(
  world: World,
  root: number,
  share: readonly Part[],
  piece: Piece,
  like: Tensor,
): Promise<void> {
  const values = pack(root === world.rank ? share : [], piece, like);
  await world.broadcast(values, root);
  if (root !== world.rank) unpack(values, share, piece);
  values.dispose();
}

/** @returns a message with the parts' elements and zeros behind them */
function pack(parts: readonly Part[], piece: Piece, { dtype, device }: Tensor): Tensor {
  const values = keep(zeros([piece.length], { dtype, device }));
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
