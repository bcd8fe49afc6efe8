/** Properties of writing TwiML and of reading parameters. */
import fc from "fast-check";
import { describe, it } from "vitest";
import {
  FaxRequestError,
  FaxResponse,
  parseFaxCallback,
  parseFaxRequest,
  receive,
  type ReceiveAttributes,
  reject,
  toTwiml,
  TwimlError,
  type TwimlErrorCode,
  type Verb,
} from "../../src/index.js";
import { readParams } from "../../src/params/received-params.js";
import { isChar, reread } from "./reread.js";
import {
  assertSame,
  assertTrue,
  attributeValues,
  oneOf,
  readRuns,
  receiveAttributes,
  text,
  TIMEOUT,
} from "./support.js";

const runs = readRuns(1000);
console.log(`core properties: FUZZ_SEED=${runs.seed} FUZZ_RUNS=${runs.numRuns}`);

/** Tests a property for every case. */
function holds(name: string, property: fc.IProperty<any>): void {
  it(name, { timeout: TIMEOUT }, () => fc.assert(property, runs));
}

type Documented = typeof TwimlError | typeof FaxRequestError;
/** The result of a call, or undefined for an error of the documented class. The property fails for any other error. */
function getResult<Result>(call: () => Result, Documented: Documented): Result | undefined {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof Documented)) throw error;
    assertTrue(/^[\x20-\x7e…]{1,4000}$/.test(error.message), `message: ${error.message}`);
    return undefined;
  }
}

/** The result of a call, or the code of its TwimlError. */
function getOutcome<Value>(call: () => Value): { value: Value } | { code: TwimlErrorCode } {
  try {
    return { value: call() };
  } catch (error) {
    if (!(error instanceof TwimlError)) throw error;
    return { code: error.code };
  }
}

const collections = { withMap: true, withSet: true, withTypedArray: true, withSparseArray: true };
const anything = fc.anything({ ...collections, withBigInt: true, withDate: true, withNullPrototype: true });
const nearName = fc.oneof(
  oneOf("pagesize Action METHOD store_media __proto__ constructor xmlns a:b later a-b _ é"),
  text,
);
const nearValue = fc.oneof(oneOf("get post pdf A4 Letter true false __proto__"), fc.constantFrom(0, 1), text, anything);
const action = fc.oneof(
  attributeValues.action,
  text,
  fc.webUrl().map((each) => new URL(each)),
  text.map((href) => ({ href })),
  fc.constantFrom("localhost:3000/x", "javascript:alert(1)", "//[bad", "https:/typo", ""),
);
const orWrong = (value: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 12, arbitrary: value },
    { weight: 2, arbitrary: fc.constantFrom(null, undefined) },
    { weight: 1, arbitrary: nearValue },
  );
const values = Object.entries<fc.Arbitrary<unknown>>({ ...attributeValues, action });
const mostlyValid = fc
  .record(Object.fromEntries(values.map(([name, value]) => [name, orWrong(value)])), { requiredKeys: [] })
  .chain((attributes) => fc.shuffledSubarray(Object.entries(attributes), { minLength: Object.keys(attributes).length }))
  .map((pairs) => Object.fromEntries(pairs));
const oneMore = fc.tuple(mostlyValid, nearName, nearValue).map(([all, name, value]) => ({ ...all, [name]: value }));
const anyAttributes = fc.oneof(
  { weight: 4, arbitrary: mostlyValid },
  { weight: 1, arbitrary: oneMore },
  { weight: 1, arbitrary: anything },
);

/** The attributes to expect in the document: own properties with a value, and the href of a URL object. */
function getExpected(attributes: unknown): [string, string][] {
  return Object.entries((attributes ?? {}) as object)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => [name, typeof value === "object" ? (value as URL).href : String(value)]);
}

describe("writing", () => {
  holds(
    "any attributes give TwiML that reads back to the same verb and attributes, or a TwimlError",
    fc.property(anyAttributes, (attributes) => {
      const twiml = getResult(() => toTwiml(receive(attributes as ReceiveAttributes)), TwimlError);
      if (twiml === undefined) return;
      assertSame(reread(twiml), { verbs: [{ name: "Receive", attributes: getExpected(attributes) }], comments: [] });
    }),
  );

  const path = fc.webPath({ size: "small" }).map((each) => `/a${each}`);
  const valid = { ...attributeValues, action: fc.oneof(fc.webUrl(), path), storeMedia: fc.constantFrom(true, null) };
  holds(
    "valid attributes are never refused",
    fc.property(fc.record(valid, { requiredKeys: [] }), (attributes) => {
      const twiml = toTwiml(receive(attributes as ReceiveAttributes));
      assertSame(reread(twiml).verbs[0]?.attributes, getExpected(attributes));
    }),
  );

  holds(
    "any unchecked attributes read back after the known ones, or give a TwimlError",
    fc.property(fc.dictionary(nearName, nearValue), (unchecked) => {
      const options = { unchecked: unchecked as Record<string, string> };
      const twiml = getResult(() => toTwiml(receive({ action: "/x" }, options)), TwimlError);
      if (twiml === undefined) return;
      assertSame(reread(twiml).verbs[0]?.attributes, [["action", "/x"], ...getExpected(unchecked)]);
    }),
  );

  const unchecked = fc.dictionary(oneOf("later a-b"), text);
  const verb = fc.oneof(oneOf("Receive Reject receive"), anything);
  const receiving = { verb: fc.constant("Receive"), attributes: mostlyValid, unchecked };
  const rejecting = { verb: fc.constant("Reject"), attributes: fc.constantFrom({}, null, undefined) };
  const data = fc.oneof(
    { weight: 4, arbitrary: fc.record(receiving, { requiredKeys: ["verb"] }) },
    { weight: 1, arbitrary: fc.record(rejecting) },
    { weight: 1, arbitrary: fc.record({ verb, attributes: anyAttributes, unchecked: anything }, { requiredKeys: [] }) },
    { weight: 1, arbitrary: anything },
  );
  holds(
    "any value as a verb gives TwiML with that verb, or a TwimlError",
    fc.property(data, (data) => {
      const twiml = getResult(() => toTwiml(data as Verb), TwimlError);
      if (twiml === undefined) return;
      const names = reread(twiml).verbs.map(({ name }) => name);
      assertSame(names, data === undefined ? [] : [(data as Verb).verb]);
    }),
  );

  const oneUnknown = fc.option(fc.constant("a4"), { freq: 20, nil: undefined });
  const someAttributes = fc.tuple(receiveAttributes, oneUnknown).map(([all, pagesize]) => ({ ...all, pagesize }));
  holds(
    "plain data gives the TwiML of receive(), or its TwimlError",
    fc.property(someAttributes, (attributes) => {
      const verb = { verb: "Receive", attributes } as Verb;
      const expected = getOutcome(() => toTwiml(receive(attributes as ReceiveAttributes)));
      const calls = [() => toTwiml(verb), () => new FaxResponse(verb).toString()];
      assertSame(calls.map(getOutcome), [expected, expected]);
      if (!("value" in expected)) return;
      assertSame(toTwiml(JSON.parse(JSON.stringify(receive(attributes as ReceiveAttributes))) as Verb), expected.value);
    }),
  );
});

type Step = { readonly comment: string } | { readonly verb: ReceiveAttributes | "reject" };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.oneof(receiveAttributes, fc.constant("reject" as const)).map((verb) => ({ verb })),
  text.map((comment) => ({ comment })),
);

/** Runs one step, and compares its outcome with the model's: a second verb is refused, and an error changes nothing. */
function run(step: Step, response: FaxResponse, verb: Verb | undefined): Step | Verb | undefined {
  const isSame = (call: () => FaxResponse) => getOutcome(() => call() === response);
  if ("comment" in step) {
    const { comment } = step;
    const isValid = !comment.includes("--") && [...comment].every((char) => isChar(char.codePointAt(0)!));
    const outcome = isSame(() => response.comment(comment));
    assertSame(outcome, isValid ? { value: true } : { code: "invalid-text" });
    return isValid ? step : undefined;
  }
  const attributes = step.verb === "reject" ? undefined : step.verb;
  const made = getOutcome(() => (attributes ? receive(attributes) : reject()));
  const outcome = isSame(() => (attributes ? response.receive(attributes) : response.reject()));
  assertSame(outcome, "code" in made ? made : verb ? { code: "second-verb" } : { value: true });
  return "value" in made && !verb ? made.value : undefined;
}

describe("FaxResponse", () => {
  holds(
    "any sequence of receive, reject and comment writes what succeeded, in order",
    fc.property(
      fc.constantFrom(undefined, reject(), receive({ action: "/a&b" })),
      fc.array(step, { maxLength: 12 }),
      (first, steps) => {
        const response = new FaxResponse(first);
        const added: (Verb | { comment: string })[] = first ? [first] : [];
        for (const step of steps) {
          const more = run(step, response, response.verb) as Verb | { comment: string } | undefined;
          if (more) added.push(more);
        }
        const verb = added.find((each): each is Verb => "verb" in each);
        assertSame(response.verb, verb);
        const twiml = response.toString();
        const { verbs, comments } = reread(twiml);
        const pairs = verb?.verb === "Receive" ? getExpected(verb.attributes) : [];
        assertSame(verbs, verb ? [{ name: verb.verb, attributes: pairs }] : []);
        // A reader replaces every line break by one newline (XML 1.0, section 2.11).
        const normalize = (text: string) => text.replace(/\r\n?/g, "\n");
        const written = added.flatMap((each) => ("comment" in each ? [` ${each.comment} `] : []));
        assertSame(comments.map(normalize), written.map(normalize));
        const parts = [...twiml.matchAll(/<!-- [^]*? -->|<(?=Receive|Reject)/g)].map(([part]) => part === "<");
        const isVerb = added.map((each) => "verb" in each);
        assertSame(parts, isVerb);
      },
    ),
  );
});

const FIVE = "FaxSid=FX1&AccountSid=AC1&From=%2B15017122661&To=%2B15558675310&ApiVersion=v1";
const five = Object.fromEntries(new URLSearchParams(FIVE));
const names =
  "FaxSid faxsid AccountSid From To ApiVersion FaxStatus NumPages MediaUrl MediaSid Timestamp Media __proto__ ";
const paramValues = "FX1 2 02 received https://example.com/a 2022-02-30T00:00:00Z 2022-01-13T21:54:46Z ";
const parameter = fc.oneof(oneOf(names), text);
const value = fc.oneof(oneOf(paramValues), text);
const piece = fc.oneof(
  oneOf("& = + % %2 %zz %41 %2B %20 %C3 %A9 %C3%A9 %E2%82 %F0%9F%98%80 %ff %ED%A0%80 %00 ? %EF%BB%BF a b é 😀 FaxSid"),
  fc.constantFrom("\ufeff", "\ud800", "\udc00", "__proto__"),
  fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes).toString("hex").replace(/../g, "%$&")),
  text,
);
const body = fc.oneof(
  fc.string({ unit: piece, maxLength: 30 }),
  fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("latin1")),
  fc.uint8Array().map((bytes) => new TextDecoder().decode(bytes)),
  fc.array(fc.tuple(parameter, value)).map((pairs) => String(new URLSearchParams(pairs))),
);
const source = fc
  .dictionary(parameter, fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: anything }))
  .chain((some) => {
    const whole = { ...five, ...some };
    return fc.constantFrom<unknown>(
      some,
      { ...five, FaxStatus: "received", ...some },
      new Map(Object.entries(whole)),
      Object.entries(whole),
    );
  });

/** The first value of each name, and the names that have another one. */
function readPlatform(body: string) {
  // A pair without a name and a value is not a parameter.
  const pairs = [...new URLSearchParams(body)].filter(([name, value]) => name !== "" || value !== "");
  const first = Object.entries(Object.fromEntries([...pairs].reverse())).sort();
  const repeated = new Set(pairs.map(([name]) => name).filter((name, i, all) => all.indexOf(name) !== i));
  return { first, repeated };
}

describe("reading parameters", () => {
  holds(
    "any body gives the names and values of URLSearchParams",
    fc.property(body, (body) => {
      const { first, repeated } = readPlatform(body);
      const { params, repeatedOrNonText } = readParams(body);
      assertSame(Object.entries(params).sort(), first);
      assertSame([...repeatedOrNonText.keys()].sort(), [...repeated].sort());
    }),
  );

  holds(
    "any body after the five parameters is kept, with an issue for each repeated name, or refused if it repeats them",
    fc.property(body, (rest) => {
      const { first, repeated } = readPlatform(`${FIVE}&${rest}`);
      const fax = getResult(() => parseFaxRequest(`${FIVE}&${rest}`), FaxRequestError);
      const isRefused = Object.keys(five).some((name) => repeated.has(name));
      assertTrue((fax === undefined) === isRefused, fax ? "accepted" : "refused");
      if (!fax) return;
      assertSame(Object.entries(fax.params).sort(), first);
      assertSame(fax.issues.length, repeated.size);
    }),
  );

  holds(
    "any source gives a value or a FaxRequestError",
    fc.property(fc.oneof(source, body, anything, fc.uint8Array()), (source) => {
      getResult(() => parseFaxRequest(source as object), FaxRequestError);
      const callback = getResult(() => parseFaxCallback(source as object), FaxRequestError);
      if (callback === undefined) return;
      assertTrue(Number.isSafeInteger(callback.numPages ?? 0), "numPages");
      assertTrue(!Number.isNaN(callback.timestamp?.getTime()), "timestamp");
      assertTrue(/^[A-Za-z0-9_-]{1,40}$/.test(callback.faxSid), "faxSid");
    }),
  );

  const [min, max] = [new Date("0000-01-01T00:00:00Z"), new Date("9999-12-31T23:59:59.999Z")];
  const time = fc.date({ min, max, noInvalidDate: true });
  holds(
    "any time and any number of pages are read as they were written",
    fc.property(time, fc.maxSafeNat(), (time, pages) => {
      const more = { FaxStatus: "received", Timestamp: time.toISOString(), NumPages: String(pages) };
      const { timestamp, numPages } = parseFaxCallback(`${FIVE}&${new URLSearchParams(more)}`);
      assertSame([timestamp?.getTime(), numPages], [time.getTime(), pages]);
    }),
  );
});
