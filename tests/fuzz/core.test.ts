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

/** The result of a call, or undefined for an error of the documented class. The property fails for any other error. */
function getResult<Result>(
  call: () => Result,
  Documented: typeof TwimlError | typeof FaxRequestError,
): Result | undefined {
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

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withTypedArray: true,
  withSparseArray: true,
});
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
const mostlyValid = fc
  .record(
    Object.fromEntries(
      Object.entries<fc.Arbitrary<unknown>>({ ...attributeValues, action }).map(([name, value]) => [
        name,
        fc.oneof(
          { weight: 12, arbitrary: value },
          { weight: 2, arbitrary: fc.constantFrom(null, undefined) },
          { weight: 1, arbitrary: nearValue },
        ),
      ]),
    ),
    { requiredKeys: [] },
  )
  .chain((attributes) => fc.shuffledSubarray(Object.entries(attributes), { minLength: Object.keys(attributes).length }))
  .map((pairs) => Object.fromEntries(pairs));
const anyAttributes = fc.oneof(
  { weight: 4, arbitrary: mostlyValid },
  {
    weight: 1,
    arbitrary: fc.tuple(mostlyValid, nearName, nearValue).map(([all, name, value]) => ({ ...all, [name]: value })),
  },
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
  const data = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record(
        { verb: fc.constant("Receive"), attributes: mostlyValid, unchecked },
        { requiredKeys: ["verb"] },
      ),
    },
    {
      weight: 1,
      arbitrary: fc.record({ verb: fc.constant("Reject"), attributes: fc.constantFrom({}, null, undefined) }),
    },
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
      assertSame(
        getOutcome(() => toTwiml(verb)),
        expected,
      );
      assertSame(
        getOutcome(() => new FaxResponse(verb).toString()),
        expected,
      );
      if (!("value" in expected)) return;
      assertSame(toTwiml(JSON.parse(JSON.stringify(receive(attributes as ReceiveAttributes))) as Verb), expected.value);
    }),
  );
});

/** The model of a FaxResponse: its verb, and everything that was added, in order. */
interface Model {
  verb: Verb | undefined;
  added: ({ comment: string } | { verb: Verb })[];
}

/** Compares a response with its model: the verb, and what its document contains in which order. */
function compare(model: Model, response: FaxResponse): void {
  assertSame(response.verb, model.verb);
  const twiml = response.toString();
  assertSame(response.toString(), twiml);
  const { verbs, comments } = reread(twiml);
  assertSame(
    verbs.map(({ name }) => name),
    model.verb ? [model.verb.verb] : [],
  );
  if (model.verb?.verb === "Receive") assertSame(verbs[0]?.attributes, getExpected(model.verb.attributes));
  // A reader replaces every line break by one newline (XML 1.0, section 2.11).
  const normalize = (text: string) => text.replace(/\r\n?/g, "\n");
  const written = model.added.flatMap((each) => ("comment" in each ? [normalize(` ${each.comment} `)] : []));
  assertSame(comments.map(normalize), written);
  const parts = [...twiml.matchAll(/<!-- [^]*? -->|<(?=Receive|Reject)/g)];
  const order = parts.map(([each]) => (each === "<" ? "verb" : "comment"));
  assertSame(order, model.added.flatMap(Object.keys));
}

type Step = fc.Command<Model, FaxResponse>;

/** Adds a verb. A response that has one refuses it, and an error changes nothing. */
const addVerb = (name: string, make: () => Verb, add: (response: FaxResponse) => FaxResponse): Step => ({
  check: () => true,
  run(model, response) {
    const made = getOutcome(make);
    const expected = "code" in made ? made : model.verb ? { code: "second-verb" } : { value: true };
    assertSame(
      getOutcome(() => add(response) === response),
      expected,
    );
    if ("value" in made && !model.verb) {
      model.verb = made.value;
      model.added.push({ verb: made.value });
    }
    compare(model, response);
  },
  toString: () => name,
});

const addComment = (comment: string): Step => ({
  check: () => true,
  run(model, response) {
    const isValid = !comment.includes("--") && [...comment].every((char) => isChar(char.codePointAt(0)!));
    const expected = isValid ? { value: true } : { code: "invalid-text" };
    assertSame(
      getOutcome(() => response.comment(comment) === response),
      expected,
    );
    if (isValid) model.added.push({ comment });
    compare(model, response);
  },
  toString: () => `comment(${JSON.stringify(comment)})`,
});

const receiveStep = receiveAttributes.map((each) =>
  addVerb(
    `receive(${JSON.stringify(each)})`,
    () => receive(each),
    (response) => response.receive(each),
  ),
);
const rejectStep = fc.constant(addVerb("reject()", reject, (response) => response.reject()));
const commands = fc.commands([receiveStep, rejectStep, text.map(addComment)], { maxCommands: 12 });

describe("FaxResponse", () => {
  holds(
    "a FaxResponse equals its model after any sequence of receive, reject and comment",
    fc.property(fc.constantFrom(undefined, reject(), receive({ action: "/a&b" })), commands, (verb, commands) => {
      const start = (): Model => ({ verb, added: verb ? [{ verb }] : [] });
      fc.modelRun(() => ({ model: start(), real: new FaxResponse(verb) }), commands);
    }),
  );
});

const FIVE = "FaxSid=FX1&AccountSid=AC1&From=%2B15017122661&To=%2B15558675310&ApiVersion=v1";
const five = Object.fromEntries(new URLSearchParams(FIVE));
const names =
  "FaxSid faxsid AccountSid From To ApiVersion FaxStatus NumPages MediaUrl MediaSid Timestamp Media __proto__ ";
const values = "FX1 2 02 received https://example.com/a 2022-02-30T00:00:00Z 2022-01-13T21:54:46Z ";
const parameter = fc.oneof(oneOf(names), text);
const value = fc.oneof(oneOf(values), text);
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
  const pairs = [...new URLSearchParams(body)];
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

  const time = fc.date({
    min: new Date("0000-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59.999Z"),
    noInvalidDate: true,
  });
  holds(
    "any time and any number of pages are read as they were written",
    fc.property(time, fc.maxSafeNat(), (time, pages) => {
      const more = { FaxStatus: "received", Timestamp: time.toISOString(), NumPages: String(pages) };
      const { timestamp, numPages } = parseFaxCallback(`${FIVE}&${new URLSearchParams(more)}`);
      assertSame([timestamp?.getTime(), numPages], [time.getTime(), pages]);
    }),
  );
});
