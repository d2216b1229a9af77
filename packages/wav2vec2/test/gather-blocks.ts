/** What a stream of blocks gives, one behind the other, their lengths, and what it throws at last. */
export async function gather(blocks: AsyncIterable<Float32Array>) {
  const parts: Float32Array[] = [];
  let error: unknown;
  try {
    for await (const block of blocks) parts.push(block);
  } catch (thrown) {
    error = thrown;
  }
  const lengths = parts.map((part) => part.length);
  const samples = new Float32Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    samples.set(part, at);
    at += part.length;
  }
  return { samples, lengths, error };
}

/** Whether two arrays hold the same samples to the bit; faster than an expectation that could show where they do not. */
export function sameBits(a: Float32Array, b: Float32Array): boolean {
  const bits = ({ buffer, byteOffset, byteLength }: Float32Array) =>
    Buffer.from(buffer, byteOffset, byteLength);
  return bits(a).equals(bits(b));
}
