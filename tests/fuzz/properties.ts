/** Properties of the core, each a function of how often it is tried: the suite and a long run use the same. */
import fc from "fast-check";
import {
  FaxRequestError,
  FaxResponse,
  parseFaxCallback,
  parseFaxRequest,
  receive,
  type ReceiveAttributes,
  toTwiml,
  TwimlError,
} from "../../src/index.js";
import { readParams } from "../../src/params/received-params.js";
import { reread } from "./reread.js";
import type { fuzzRuns } from "./runs.js";

export type Property = (runs: ReturnType<typeof fuzzRuns>) => void | Promise<void>;

const MAX_MESSAGE = 4000;

/**
 * The result, or undefined for an error of the documented class; any other error goes through, and fails the property.
 */
function resultOf<Result>(
  call: () => Result,
  Documented: typeof TwimlError | typeof FaxRequestError,
): Result | undefined {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof Documented)) throw error;
    if (!/^[\x20-\x7e…]+$/.test(error.message) || error.message.length > MAX_MESSAGE)
      throw new Error(`message: ${error.message}`);
    return undefined;
  }
}

function same(actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${a} instead of ${b}`);
}

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  // Lone surrogates too.
  fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
  fc
    .array(
      fc.constantFrom(
        "&",
        "<",
        ">",
        '"',
        "'",
        "\t",
        "\n",
        "\r",
        "--",
        "]]>",
        "&amp;",
        "&#x41;",
        "\0",
        "\ufffe",
        "\ud800",
        "é",
        "a",
        "/",
        ":",
        "//",
        "@",
      ),
    )
    .map((parts) => parts.join("")),
);
const url = fc.oneof(
  text,
  text.map((each) => `/${each}`),
  text.map((each) => `https://example.com/${each}`),
  fc.webUrl(),
  fc.webUrl().map((each) => new URL(each)),
  text.map((href) => ({ href })),
  fc.constantFrom("localhost:3000/x", "javascript:alert(1)", "//[bad", "https:/typo", ""),
);
const absent = fc.constantFrom(null, undefined);
const valid = {
  action: url,
  method: fc.constantFrom("GET", "POST"),
  mediaType: fc.constantFrom("application/pdf", "image/tiff"),
  pageSize: fc.constantFrom("letter", "legal", "a4"),
  storeMedia: fc.boolean(),
};
const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withTypedArray: true,
  withSparseArray: true,
});
const nearValue = fc.oneof(
  fc.constantFrom("get", "post", "pdf", "A4", "Letter", "true", "false", 0, 1, "__proto__"),
  text,
  anything,
);

const PROBABLY_VALID = fc
  .record(
    Object.fromEntries(
      Object.entries(valid).map(([name, value]) => [
        name,
        fc.oneof(
          { weight: 12, arbitrary: value as fc.Arbitrary<unknown> },
          { weight: 2, arbitrary: absent },
          { weight: 1, arbitrary: nearValue },
        ),
      ]),
    ),
    { requiredKeys: [] },
  )
  .chain((attributes) => fc.shuffledSubarray(Object.entries(attributes), { minLength: Object.keys(attributes).length }))
  .map((pairs) => Object.fromEntries(pairs) as Record<string, unknown>);
const nearName = fc.oneof(
  fc.constantFrom("pagesize", "Action", "METHOD", "store_media", "__proto__", "constructor", "xmlns", "a:b", "later"),
  text,
);
const anyAttributes = fc.oneof(
  { weight: 4, arbitrary: PROBABLY_VALID },
  {
    weight: 1,
    arbitrary: fc.tuple(PROBABLY_VALID, nearName, nearValue).map(([some, name, value]) => ({ ...some, [name]: value })),
  },
  { weight: 1, arbitrary: anything },
);

/** What must come back: own data that is present, a URL object as its href. */
function expectedOf(attributes: unknown): [string, string][] {
  return Object.entries((attributes ?? {}) as object)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => [name, typeof value === "object" ? (value as URL).href : String(value)]);
}

/** Every property by the sentence that it holds. Add one here and both runs try it. */
export const CORE: Record<string, Property> = {
  "any attributes give TwiML that reads back to the same verb and attributes, or a TwimlError": (runs) =>
    fc.assert(
      fc.property(anyAttributes, (attributes) => {
        const twiml = resultOf(() => toTwiml(receive(attributes as ReceiveAttributes)), TwimlError);
        if (twiml !== undefined)
          same(reread(twiml), { verbs: [{ name: "Receive", attributes: expectedOf(attributes) }], comments: [] });
      }),
      runs,
    ),

  "valid attributes are never refused": (runs) =>
    fc.assert(
      fc.property(
        fc.record(
          {
            ...valid,
            action: fc.oneof(
              fc.webUrl(),
              fc.webPath({ size: "small" }).map((path) => `/a${path}`),
            ),
            storeMedia: fc.constantFrom(true, null),
          },
          { requiredKeys: [] },
        ),
        (attributes) => {
          const twiml = toTwiml(receive(attributes as ReceiveAttributes));
          same(reread(twiml).verbs[0]?.attributes, expectedOf(attributes));
        },
      ),
      runs,
    ),

  "any unchecked attributes read back, after the others, or give a TwimlError": (runs) =>
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(fc.constantFrom("later", "a-b", "_", "é"), nearName), fc.oneof(text, nearValue)),
        (unchecked) => {
          const twiml = resultOf(
            () => toTwiml(receive({ action: "/x" }, { unchecked: unchecked as Record<string, string> })),
            TwimlError,
          );
          if (twiml !== undefined)
            same(reread(twiml).verbs[0]?.attributes, [["action", "/x"], ...expectedOf(unchecked)]);
        },
      ),
      runs,
    ),

  "any data as a verb gives TwiML with the same verb, or a TwimlError": (runs) =>
    fc.assert(
      fc.property(
        fc.oneof(
          {
            weight: 4,
            arbitrary: fc.record(
              {
                verb: fc.constant("Receive"),
                attributes: PROBABLY_VALID,
                unchecked: fc.dictionary(fc.constantFrom("later", "a-b"), text),
              },
              { requiredKeys: ["verb"] },
            ),
          },
          {
            weight: 1,
            arbitrary: fc.record(
              { verb: fc.constant("Reject"), attributes: fc.constantFrom({}, null, undefined) },
              { requiredKeys: ["verb"] },
            ),
          },
          {
            weight: 1,
            arbitrary: fc.record(
              {
                verb: fc.oneof(fc.constantFrom("Receive", "Reject", "receive"), anything),
                attributes: anyAttributes,
                unchecked: anything,
              },
              { requiredKeys: [] },
            ),
          },
          { weight: 1, arbitrary: anything },
        ),
        (data) => {
          const twiml = resultOf(() => toTwiml(data as never), TwimlError);
          if (twiml === undefined) return;
          const expected = data === undefined ? [] : [(data as { verb: string }).verb];
          same(
            reread(twiml).verbs.map(({ name }) => name),
            expected,
          );
        },
      ),
      runs,
    ),

  "any comments read back around the verb, or give a TwimlError": (runs) =>
    fc.assert(
      fc.property(fc.array(text), fc.boolean(), (comments, rejecting) => {
        const twiml = resultOf(() => {
          const response = new FaxResponse();
          for (const each of comments) response.comment(each);
          return (rejecting ? response.reject() : response.receive()).toString();
        }, TwimlError);
        if (twiml === undefined) return;
        // A reader makes one newline of every line end (XML 1.0, section 2.11).
        const lines = (each: string) => each.replace(/\r\n?/g, "\n");
        same(
          reread(twiml).comments.map(lines),
          comments.map((each) => lines(` ${each} `)),
        );
      }),
      runs,
    ),

  "any body decodes as URLSearchParams decodes it": (runs) =>
    fc.assert(
      fc.property(body, (body) => {
        const pairs = [...new URLSearchParams(body)];
        const repeated = repeatedOf(pairs);
        const { params, repeatedOrNonText: lists } = readParams(body);
        same(Object.entries(params).sort(), firstOf(pairs).sort());
        same([...lists.keys()].sort(), [...new Set(repeated)].sort());
      }),
      runs,
    ),

  "any body beside the five parameters gives all of it, or an error when one of the five is repeated": (runs) =>
    fc.assert(
      fc.property(body, (rest) => {
        const all = `${FIVE}&${rest}`;
        const pairs = [...new URLSearchParams(all)];
        const fax = resultOf(() => parseFaxRequest(all), FaxRequestError);
        const repeated = repeatedOf(pairs);
        const costs = repeated.some((name) => ["FaxSid", "AccountSid", "From", "To", "ApiVersion"].includes(name));
        if ((fax === undefined) !== costs) throw new Error(fax ? "accepted" : "refused");
        if (!fax) return;
        same(Object.entries(fax.params).sort(), firstOf(pairs).sort());
        same(fax.issues.length, new Set(repeated).size);
      }),
      runs,
    ),

  "any source at all gives a value or a FaxRequestError": (runs) =>
    fc.assert(
      fc.property(fc.oneof(source, body, anything, fc.uint8Array()), (source) => {
        resultOf(() => parseFaxRequest(source as object), FaxRequestError);
        const callback = resultOf(() => parseFaxCallback(source as object), FaxRequestError);
        if (callback?.numPages !== undefined && !Number.isSafeInteger(callback.numPages)) throw new Error("numPages");
        if (callback?.timestamp && Number.isNaN(callback.timestamp.getTime())) throw new Error("timestamp");
        if (callback && !/^[A-Za-z0-9_-]{1,64}$/.test(callback.faxSid)) throw new Error("faxSid");
      }),
      runs,
    ),

  "any moment and any number of pages are read as they were written": (runs) =>
    fc.assert(
      fc.property(
        fc.date({
          min: new Date("0000-01-01T00:00:00Z"),
          max: new Date("9999-12-31T23:59:59.999Z"),
          noInvalidDate: true,
        }),
        fc.maxSafeNat(),
        (time, pages) => {
          const more = { FaxStatus: "received", Timestamp: time.toISOString(), NumPages: String(pages) };
          const callback = parseFaxCallback(`${FIVE}&${new URLSearchParams(more)}`);
          same([callback.timestamp?.getTime(), callback.numPages], [time.getTime(), pages]);
        },
      ),
      runs,
    ),
};

const FIVE = "FaxSid=FX1&AccountSid=AC1&From=%2B15017122661&To=%2B15558675310&ApiVersion=v1";
const parameter = fc.oneof(
  fc.constantFrom(
    "FaxSid",
    "faxsid",
    "AccountSid",
    "From",
    "To",
    "ApiVersion",
    "FaxStatus",
    "NumPages",
    "MediaUrl",
    "MediaSid",
    "Timestamp",
    "Media",
    "__proto__",
    "",
  ),
  text,
);
const parameterValue = fc.oneof(
  fc.constantFrom(
    "FX1",
    "2",
    "02",
    "received",
    "https://example.com/a",
    "2022-02-30T00:00:00Z",
    "2022-01-13T21:54:46Z",
    "",
  ),
  text,
);
const piece = fc.oneof(
  fc.constantFrom(
    "&",
    "=",
    "+",
    "%",
    "%2",
    "%zz",
    "%C3",
    "%A9",
    "%C3%A9",
    "%ff",
    "%ED%A0%80",
    "%00",
    "?",
    "\ufeff",
    "%EF%BB%BF",
    "\ud800",
    "\udc00",
    "a",
    "b",
    "FaxSid",
  ),
  fc
    .uint8Array({ maxLength: 4 })
    .map((bytes) => [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("")),
  text,
);
const body = fc.oneof(
  fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join("")),
  fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("latin1")),
  fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("utf8")),
  fc.array(fc.tuple(parameter, parameterValue)).map((pairs) => String(new URLSearchParams(pairs))),
);
const five = Object.fromEntries(new URLSearchParams(FIVE));
const source = fc
  .dictionary(parameter, fc.oneof({ weight: 4, arbitrary: parameterValue }, { weight: 1, arbitrary: anything }))
  .chain((some) =>
    fc.constantFrom<unknown>(
      some,
      { ...five, FaxStatus: "received", ...some },
      new Map(Object.entries({ ...five, ...some })),
      Object.entries({ ...five, ...some }),
    ),
  );

function firstOf(pairs: readonly (readonly [string, string])[]) {
  return pairs.filter(([name], i) => pairs.findIndex(([each]) => each === name) === i);
}

function repeatedOf(pairs: readonly (readonly [string, string])[]): string[] {
  const seen = new Set<string>();
  return pairs.map(([name]) => name).filter((name) => seen.size === seen.add(name).size);
}
