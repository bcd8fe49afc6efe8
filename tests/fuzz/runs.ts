/** How often every property is tried (FUZZ_RUNS), and from where (FUZZ_SEED): the seed of a failure repeats it. */

/** The gate tries the same cases every time; `npm run fuzz` draws a seed. */
const GATE_SEED = 20_261_124;

export function fuzzRuns(usual: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: wholeNumber("FUZZ_RUNS", usual), seed: wholeNumber("FUZZ_SEED", GATE_SEED) };
}

function wholeNumber(name: string, usual: number): number {
  const value = process.env[name] ?? String(usual);
  if (/^[1-9]\d{0,9}$/.test(value)) return Number(value);
  throw new Error(`${name} must be a whole number from 1 on, not ${JSON.stringify(value)}.`);
}
