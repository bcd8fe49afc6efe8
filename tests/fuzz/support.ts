/** Runs, comparisons and text generators that the properties share. */
import fc from "fast-check";
import type { ReceiveAttributes } from "../../src/index.js";

/** The seed of `npm test`, which tries the same cases every time. `npm run fuzz` chooses another one. */
const GATE_SEED = 20_261_124;

export const TIMEOUT = 3_600_000;

/** The number of cases for each property (FUZZ_RUNS), and their seed (FUZZ_SEED). A failed run prints its seed. */
export function readRuns(usual: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: readWholeNumber("FUZZ_RUNS", usual), seed: readWholeNumber("FUZZ_SEED", GATE_SEED) };
}

function readWholeNumber(name: string, usual: number): number {
  const value = process.env[name] ?? String(usual);
  if (/^[1-9]\d{0,9}$/.test(value)) return Number(value);
  throw new Error(`${name} must be a whole number from 1 on, not ${JSON.stringify(value)}.`);
}

/** Throws unless both values have the same JSON: much faster than `expect`, a million times. */
export function assertSame(actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${a} instead of ${b}`);
}

export function assertTrue(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** One of the words of a text, which single spaces separate. */
export const oneOf = (words: string) => fc.constantFrom(...words.split(" "));

/** Text that a writer, a reader or a decoder may handle wrongly. */
const special = fc.oneof(
  oneOf("& < > \" ' - -- ]]> <!-- --> &amp; &#x41; &#38; &#x9; é 😀 a / : // @"),
  fc.constantFrom("\t", "\n", "\r", "\0", "\ufffe", "\ud800", " "),
);
export const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
  fc.string({ unit: special }),
);

export const attributeValues = {
  action: fc.oneof(
    text.map((each) => `/a${each}`),
    text.map((each) => `https://example.com/${each}`),
    fc.webUrl(),
  ),
  method: oneOf("GET POST"),
  mediaType: oneOf("application/pdf image/tiff"),
  pageSize: oneOf("letter legal a4"),
  storeMedia: fc.boolean(),
};
/** Attributes of <Receive>, of which few are refused: an `action` that is not valid, or pages that would be lost. */
export const receiveAttributes = fc.record(attributeValues, { requiredKeys: [] }) as fc.Arbitrary<ReceiveAttributes>;
