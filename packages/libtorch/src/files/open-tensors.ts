import { RandomAccessFile } from "./random-access-file.js";
import { SafetensorsFile } from "./safetensors.js";
import { ShardedTensors } from "./sharded.js";
import { TensorFileError, type TensorSource } from "./tensor-source.js";

type Kind = "safetensors" | "index" | "pytorch";

const SNIFFED_BYTES = 64;

/** By the first bytes, as Hugging Face directories rename files at will. */
function kindOf(first: Uint8Array, path: string): Kind {
  const text = Buffer.from(first).toString("latin1");
  // A length whose upper half is 0, and the header that it counts.
  if (text.startsWith("\0\0\0\0{", 4)) return "safetensors";
  if (text.startsWith("PK")) return "pytorch";
  // The opcode of a pickle's protocol.
  if (first[0] === 0x80 && first[1]! <= 5) {
    throw new TensorFileError(
      `${path} must be in the zip format of PyTorch 1.6 and later, but is in the older one. ` +
        "Load it in PyTorch and save it again: torch.save(torch.load(path, weights_only=True), path).",
    );
  }
  if (text.startsWith("version https://git-lfs")) {
    throw new TensorFileError(
      `${path} must hold tensors, but is only a pointer of Git LFS. Fetch the file itself: git lfs pull.`,
    );
  }
  // Whatever is left is for the reader of safetensors to refuse.
  return /^\s*\{/.test(text) ? "index" : "safetensors";
}

async function open(path: string, kinds: readonly Kind[]): Promise<TensorSource> {
  const file = await RandomAccessFile.open(path);
  let kind: Kind;
  try {
    const first = new Uint8Array(SNIFFED_BYTES);
    kind = kindOf(first.subarray(0, await file.read(first, 0)), path);
    if (!kinds.includes(kind))
      throw new TensorFileError(`${path} must hold tensors, but is an index itself.`);
  } catch (error) {
    await file.close();
    throw error;
  }
  if (kind === "safetensors") return SafetensorsFile.from(file);
  if (kind === "pytorch") {
    // Hardly any run opens one: its reader of zip archives is not loaded for the others.
    const { PytorchFile } = await import("./pytorch-file.js");
    return PytorchFile.from(file);
  }
  return ShardedTensors.from(file, (shard) => open(shard, ["safetensors", "pytorch"]));
}

/**
 * Opens tensors on disk: a safetensors file, a `torch.save` of a state dict (PyTorch 1.6 or later), or the
 * `.index.json` of several such files. Nothing of a tensor is read before it is asked for. `close` it.
 *
 * @throws {TensorFileError} naming the file and what is wrong with it
 */
export function openTensors(path: string): Promise<TensorSource> {
  return open(path, ["safetensors", "index", "pytorch"]);
}
