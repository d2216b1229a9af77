// AssemblyScript, compiled by scripts/kernels.mjs. What a polyphase filter costs are its products: four at once
// (WebAssembly SIMD), whose sums stay in registers. Every output sample is summed in one order, whichever loop it falls
// into, so that it does not depend on where a signal is divided.

/** Output samples that `slide` makes at once. */
const RUN: usize = 6;

/**
 * Output samples of a polyphase filter, one behind the other.
 * @param signal address of the samples under the filter at the first output sample
 * @param rows [up, taps], addresses of float32 as all others
 * @param out [count]
 * @param phase of the first output sample
 * @param taps a multiple of 4
 */
export function convert(
  signal: usize,
  rows: usize,
  out: usize,
  count: i32,
  phase: i32,
  up: i32,
  down: i32,
  taps: i32,
): void {
  const end = out + ((<usize>count) << 2);
  const wide = (<usize>up) << 2; // between two output samples of one phase
  const far = (<usize>down) << 2; // between what they lie over
  const width = (<usize>taps) << 2;
  // Output samples of one phase share its row of coefficients. Where those four samples of the signal apart are of one
  // phase, they share the signal as well.
  const turns = down <= 2 ? 4 / down : 0;
  const first = min(up, count);
  for (let i = 0; i < first; i++) {
    const row = rows + <usize>phase * width;
    let at = signal;
    let to = out + ((<usize>i) << 2);
    if (turns > 0) {
      const step = <usize>turns * wide;
      for (; to + RUN * step - wide < end; to += (RUN - 1) * step, at += (RUN - 1) * 16)
        for (let turn = 0; turn < turns; turn++, to += wide, at += far) slide(at, row, width, to, step);
    }
    for (; to + 3 * wide < end; to += 4 * wide, at += 4 * far) four(at, far, row, width, to, wide);
    for (; to < end; to += wide, at += far) one(at, row, width, to);
    phase += down;
    signal += (<usize>(phase / up)) << 2;
    phase %= up;
  }
}

function one(at: usize, row: usize, width: usize, to: usize): void {
  let a = f32x4.splat(0);
  for (const end = row + width; row < end; row += 16, at += 16)
    a = f32x4.add(a, f32x4.mul(v128.load(at), v128.load(row)));
  f32.store(to, total(a));
}

/** Each coefficient that was loaded serves four output samples, whose sums do not wait for each other. */
function four(at: usize, far: usize, row: usize, width: usize, to: usize, wide: usize): void {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  let at1 = at + far;
  let at2 = at1 + far;
  let at3 = at2 + far;
  for (const end = row + width; row < end; row += 16) {
    const r = v128.load(row);
    a = f32x4.add(a, f32x4.mul(v128.load(at), r));
    b = f32x4.add(b, f32x4.mul(v128.load(at1), r));
    c = f32x4.add(c, f32x4.mul(v128.load(at2), r));
    d = f32x4.add(d, f32x4.mul(v128.load(at3), r));
    at += 16;
    at1 += 16;
    at2 += 16;
    at3 += 16;
  }
  f32.store(to, total(a));
  f32.store(to + wide, total(b));
  f32.store(to + 2 * wide, total(c));
  f32.store(to + 3 * wide, total(d));
}

/** Six output samples whose signal is shifted by four samples each: one is loaded where `four` loads four. */
function slide(at: usize, row: usize, width: usize, to: usize, step: usize): void {
  let a = f32x4.splat(0);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  let d = f32x4.splat(0);
  let e = f32x4.splat(0);
  let f = f32x4.splat(0);
  let w0 = v128.load(at);
  let w1 = v128.load(at, 16);
  let w2 = v128.load(at, 32);
  let w3 = v128.load(at, 48);
  let w4 = v128.load(at, 64);
  for (const end = row + width; row < end; row += 16, at += 16) {
    const r = v128.load(row);
    const next = v128.load(at, 80);
    a = f32x4.add(a, f32x4.mul(w0, r));
    b = f32x4.add(b, f32x4.mul(w1, r));
    c = f32x4.add(c, f32x4.mul(w2, r));
    d = f32x4.add(d, f32x4.mul(w3, r));
    e = f32x4.add(e, f32x4.mul(w4, r));
    f = f32x4.add(f, f32x4.mul(next, r));
    w0 = w1;
    w1 = w2;
    w2 = w3;
    w3 = w4;
    w4 = next;
  }
  f32.store(to, total(a));
  f32.store(to + step, total(b));
  f32.store(to + 2 * step, total(c));
  f32.store(to + 3 * step, total(d));
  f32.store(to + 4 * step, total(e));
  f32.store(to + 5 * step, total(f));
}

function total(v: v128): f32 {
  return (
    f32x4.extract_lane(v, 0) +
    f32x4.extract_lane(v, 1) +
    (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
  );
}
