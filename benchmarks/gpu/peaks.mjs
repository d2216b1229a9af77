// Matrix products in bfloat16 that NVIDIA's cards are made for, in 10^12 operations a second, dense, with sums in
// float32, as NVIDIA's data sheets give them (where they tell only the figure with sparsity, half of it).
const PEAKS = [
  [/\bB200\b/, 2250],
  [/\bB100\b/, 1750],
  [/\bGB200\b/, 2500],
  [/\b(H200|GH200)\b/, 989],
  [/\bH100\b.*\b(PCIe|NVL)\b/, 756],
  [/\bH100\b/, 989],
  [/\bH20\b/, 148],
  [/\bA100\b/, 312],
  [/\bA800\b/, 312],
  [/\bA40\b/, 150],
  [/\bA30\b/, 165],
  [/\bA10G\b/, 70],
  [/\bA10\b/, 125],
  [/\bL40S\b/, 362],
  [/\bL40\b/, 181],
  [/\bL4\b/, 121],
  [/RTX 6000 Ada/, 364],
  [/RTX A6000/, 155],
  [/RTX 5090/, 210],
  [/RTX 4090/, 165],
  [/RTX 3090/, 71],
];

/**
 * @param {string} name as the driver gives it
 * @returns {number | undefined} undefined for a card that is not listed, or that has no bfloat16 (before Ampere)
 */
export function publishedPeak(name) {
  return PEAKS.find(([pattern]) => pattern.test(name))?.[1];
}
