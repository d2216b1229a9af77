// What telephones send: a sign, three bits of an exponent and four of a mantissa (https://www.itu.int/rec/T-REC-G.711).

/** The samples of all 256 codes, full scale [-1, 1), as A-law has them in Europe. */
export const A_LAW = Float32Array.from({ length: 256 }, (_, code) => aLaw(code ^ 0x55));

/** The samples of all 256 codes, full scale [-1, 1), as µ-law has them in America and Japan. */
export const MU_LAW = Float32Array.from({ length: 256 }, (_, code) => muLaw(~code & 255));

function aLaw(code: number): number {
  const exponent = (code >> 4) & 7;
  const step = ((code & 15) << 4) + 8;
  const size = exponent === 0 ? step : (step + 256) << (exponent - 1);
  return (code & 128 ? size : -size) / 32768;
}

function muLaw(code: number): number {
  const size = ((((code & 15) << 3) + 132) << ((code >> 4) & 7)) - 132;
  return (code & 128 ? -size : size) / 32768;
}
