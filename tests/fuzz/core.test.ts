/** FUZZ_RUNS says how often every property is tried, FUZZ_SEED where to start: the seed of a failure repeats it. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, it } from "vitest";
import {
  FaxRequestError,
  FaxResponse,
  parseFaxRequest,
  receive,
  type ReceiveAttributes,
  reject,
  toTwiml,
  TwimlError,
  type TwimlErrorCode,
  type Verb,
} from "../../src/index.js";
import { CORE } from "./properties.js";
import { fuzzRuns } from "./runs.js";
import { isChar, reread } from "./reread.js";

const runs = fuzzRuns(1000);
console.log(`core properties: FUZZ_SEED=${runs.seed} FUZZ_RUNS=${runs.numRuns}`);

describe("the core", () => {
  it.each(Object.entries(CORE))("%s", { timeout: 3_600_000 }, (_, property) => property(runs));
});

const hostile = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom(
      "&",
      "<",
      ">",
      '"',
      "'",
      "\t",
      "\n",
      "\r",
      "-",
      "--",
      "]]>",
      "<!--",
      "-->",
      "&#x9;",
      "\0",
      "\ufffe",
      "\ud800",
      "😀",
      "é",
      "a",
    ),
  }),
);
const attributes = fc.record(
  {
    action: fc.oneof(
      hostile.map((each) => `/a${each}`),
      hostile.map((each) => `https://example.com/?${each}`),
      hostile,
    ),
    method: fc.constantFrom("GET", "POST"),
    mediaType: fc.constantFrom("application/pdf", "image/tiff", null),
    pageSize: fc.constantFrom("letter", "legal", "a4", undefined),
    storeMedia: fc.boolean(),
    // Now and then what does not exist.
    pagesize: fc.option(fc.constant("a4"), { freq: 20, nil: undefined }),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<ReceiveAttributes>;

/**
 * What a call gives: its value, or the code of its TwimlError. Any other error goes through, and fails the property.
 */
function outcome<Value>(call: () => Value): { value: Value } | { code: TwimlErrorCode } {
  try {
    return { value: call() };
  } catch (error) {
    if (!(error instanceof TwimlError)) throw error;
    return { code: error.code };
  }
}

function same(actual: unknown, expected: unknown): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected))
    throw new Error(`${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
}

describe("plain data", () => {
  it("gives toTwiml exactly what receive() gives it, or the same TwimlError", { timeout: 3_600_000 }, () => {
    fc.assert(
      fc.property(attributes, (attributes) => {
        const made = outcome(() => toTwiml(receive(attributes)));
        same(
          outcome(() => toTwiml({ verb: "Receive", attributes } as Verb)),
          made,
        );
        same(
          outcome(() => new FaxResponse().receive(attributes).toString()),
          made,
        );
        same(
          outcome(() => new FaxResponse({ verb: "Receive", attributes } as Verb).toString()),
          made,
        );
        // A verb that was written to JSON and read again is the same verb.
        if ("value" in made) same(toTwiml(JSON.parse(JSON.stringify(receive(attributes))) as Verb), made.value);
      }),
      runs,
    );
  });
});

describe("a body of little but what decoding is about", () => {
  const unit = fc.constantFrom(
    "+",
    "+",
    "%",
    "%2",
    "%41",
    "%2B",
    "%20",
    "%00",
    "%C3",
    "%A9",
    "%C3%A9",
    "%E2%82",
    "%F0%9F%98%80",
    "%ED%A0%80",
    "%ff",
    "%EF%BB%BF",
    "=",
    "&",
    "?",
    "a",
    "b",
    "é",
    "😀",
    "\ud800",
    "\udc00",
    "\ufeff",
    "__proto__",
  );
  const body = fc.oneof(
    fc.string({ unit }),
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("latin1")),
    fc.uint8Array().map((bytes) => new TextDecoder().decode(bytes)),
  );

  it(
    "gives the first values that URLSearchParams gives, and an issue for what is repeated and nothing else",
    { timeout: 3_600_000 },
    () => {
      fc.assert(
        fc.property(body, (body) => {
          const form = `FaxSid=FX1&AccountSid=AC1&From=&To=%2B1&ApiVersion=v1&${body}`;
          const pairs = [...new URLSearchParams(form)];
          const expected = Object.fromEntries([...pairs].reverse());
          const repeated = pairs.length - Object.keys(expected).length;
          try {
            const { params, issues } = parseFaxRequest(form);
            same(Object.entries(params).sort(), Object.entries(expected).sort());
            if (repeated > 0 !== issues.length > 0) throw new Error("not noted");
          } catch (error) {
            if (repeated === 0 || !(error instanceof FaxRequestError)) throw error;
            if (error.issues.some(({ code }) => code !== "repeated")) throw error;
          }
        }),
        runs,
      );
    },
  );
});

/** What a response is, in the fewest words: its verb, and what was written in which order. */
interface Model {
  verb: Verb | undefined;
  written: ({ comment: string } | { verb: Verb })[];
}
type Step = fc.Command<Model, FaxResponse>;

/**
 * Every step of a command ends here: the response has the model's verb, and its document reads back to what was
 * written.
 */
function holds(model: Model, response: FaxResponse): void {
  same(response.verb, model.verb);
  const twiml = response.toString();
  same(response.toString(), twiml);
  const { verbs, comments } = reread(twiml);
  same(
    verbs.map(({ name }) => name),
    model.verb ? [model.verb.verb] : [],
  );
  if (model.verb?.verb === "Receive")
    same(
      verbs[0]?.attributes,
      Object.entries(model.verb.attributes).map(([name, value]) => [name, String(value)]),
    );
  // A reader makes one newline of every line end (XML 1.0, section 2.11).
  const lines = (text: string) => text.replace(/\r\n?/g, "\n");
  const written = model.written.flatMap((each) => ("comment" in each ? [lines(` ${each.comment} `)] : []));
  same(comments.map(lines), written);
  // The order of comments and verb, which reread() does not tell.
  const order = [...twiml.matchAll(/<!-- [^]*? -->|<(?=Receive|Reject)/g)].map(([each]) =>
    each === "<" ? "verb" : "comment",
  );
  same(
    order,
    model.written.map((each) => Object.keys(each)[0]),
  );
}

/** Adds a verb, which the response refuses when it has one; an error changes nothing. */
const adding = (name: string, verb: () => Verb, add: (response: FaxResponse) => FaxResponse): Step => ({
  check: () => true,
  run(model, response) {
    const made = outcome(verb);
    const expected = "code" in made ? made : model.verb ? { code: "second-verb" } : { value: true };
    const actual = outcome(() => add(response) === response);
    same(actual, expected);
    if ("value" in made && !model.verb) {
      model.verb = made.value;
      model.written.push({ verb: made.value });
    }
    holds(model, response);
  },
  toString: () => name,
});

const commenting = (text: string): Step => ({
  check: () => true,
  run(model, response) {
    const sayable = !text.includes("--") && [...text].every((char) => isChar(char.codePointAt(0)!));
    same(
      outcome(() => response.comment(text) === response),
      sayable ? { value: true } : { code: "invalid-text" },
    );
    if (sayable) model.written.push({ comment: text });
    holds(model, response);
  },
  toString: () => `comment(${JSON.stringify(text)})`,
});

describe("FaxResponse", () => {
  it("is what a model of it is, after any sequence of receive, reject and comment", { timeout: 3_600_000 }, () => {
    const commands = fc.commands(
      [
        attributes.map((each) =>
          adding(
            `receive(${JSON.stringify(each)})`,
            () => receive(each),
            (response) => response.receive(each),
          ),
        ),
        fc.constant(0).map(() => adding("reject()", reject, (response) => response.reject())),
        hostile.map(commenting),
      ],
      { maxCommands: 12 },
    );
    const starts = fc.oneof(fc.constant(undefined), fc.constant(reject()), fc.constant(receive({ action: "/a&b" })));
    fc.assert(
      fc.property(starts, commands, (verb, commands) => {
        fc.modelRun(
          () => ({ model: { verb, written: verb ? [{ verb }] : [] }, real: new FaxResponse(verb) }),
          commands,
        );
      }),
      runs,
    );
  });
});

const hasXmllint = spawnSync("xmllint", ["--version"]).status === 0;

describe.skipIf(!hasXmllint)("xmllint", () => {
  it("finds nothing wrong in a sample of documents", { timeout: 3_600_000 }, () => {
    const documents = fc
      .sample(fc.tuple(attributes, fc.array(hostile), fc.boolean()), { ...runs, numRuns: Math.min(runs.numRuns, 2000) })
      .flatMap(([attributes, comments, rejecting]) => {
        const response = new FaxResponse();
        for (const each of comments) outcome(() => response.comment(each));
        outcome(() => (rejecting ? response.reject() : response.receive(attributes)));
        return response.toString();
      });
    const directory = mkdtempSync(join(tmpdir(), "twiml-fax-"));
    try {
      const files = documents.map((each, i) => {
        const file = join(directory, `${i}.xml`);
        writeFileSync(file, each);
        return file;
      });
      const { status, stderr } = spawnSync("xmllint", ["--noout", "--nonet", ...files], {
        encoding: "utf8",
        maxBuffer: 2 ** 26,
      });
      if (status !== 0 || stderr !== "") throw new Error(stderr.slice(0, 2000));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
