/** FUZZ_RUNS says how often every property is tried, FUZZ_SEED where to start: the seed of a failure repeats it. */
import { BOUND, growthOf } from "../measure.js";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  parseTwiml,
  receive,
  type ReceiveAttributes,
  reject,
  toTwiml,
  TwimlError,
  type Verb,
} from "../../src/index.js";
import { ProviderError, readDocument } from "../provider/document.js";
import { fuzzRuns } from "./runs.js";

const runs = fuzzRuns(1000);
const timeout = 3_600_000;
console.log(`document properties: FUZZ_SEED=${runs.seed} FUZZ_RUNS=${runs.numRuns}`);

const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({
    unit: fc.constantFrom("&", "<", ">", '"', "'", "\t", "\n", "\r", "]]>", "&amp;", "&#38;", "é", "😀", "a"),
  }),
);
const attributes = fc.record(
  {
    action: fc.oneof(
      text.map((each) => `/a${each}`),
      fc.webUrl(),
      text.map((each) => `https://example.com/${each}`),
    ),
    method: fc.constantFrom("GET", "POST"),
    mediaType: fc.constantFrom("application/pdf", "image/tiff"),
    pageSize: fc.constantFrom("letter", "legal", "a4"),
    storeMedia: fc.boolean(),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<ReceiveAttributes>;
const unchecked = fc.dictionary(fc.constantFrom("later", "a-b", "_", "constructor", "__proto__", "Foo.1"), text);

/** A verb, or undefined for values that receive() refuses. */
const verb = fc.oneof(
  { weight: 1, arbitrary: fc.constant(reject() as Verb | undefined) },
  {
    weight: 9,
    arbitrary: fc.tuple(attributes, unchecked).map(([attributes, unchecked]) => {
      try {
        return receive(attributes, { unchecked });
      } catch (error) {
        if (error instanceof TwimlError) return undefined;
        throw error;
      }
    }),
  },
);

describe("parseTwiml", () => {
  it("gives back every verb that toTwiml writes, with its text", { timeout }, () => {
    fc.assert(
      fc.property(verb, (verb) => {
        const twiml = toTwiml(verb);
        const read = parseTwiml(twiml, { unchecked: true });
        if (JSON.stringify(read) !== JSON.stringify(verb)) throw new Error(`${JSON.stringify(read)} from ${twiml}`);
        if (toTwiml(read) !== twiml) throw new Error("not the same document");
      }),
      runs,
    );
  });
});

const piece = fc.oneof(
  fc.constantFrom(
    "<Response>",
    "</Response>",
    "<Response/>",
    "<Response",
    "<Receive",
    "<Receive/>",
    "<Reject/>",
    "<Reject>",
    "</Reject>",
    "</Receive>",
    "/>",
    ">",
    "<",
    "/",
    "?",
    "!",
    "-",
    "--",
    "-->",
    "<!--",
    "<!-- a -->",
    "<?",
    "?>",
    "<?a b?>",
    "<?xml",
    '<?xml version="1.0"?>',
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<![CDATA[",
    "]]>",
    "<!DOCTYPE a>",
    "&",
    "&amp;",
    "&lt;",
    "&#",
    "&#65;",
    "&#x41;",
    "&#0;",
    "&#xD800;",
    "&#X41;",
    "&nbsp;",
    ";",
    "=",
    '"',
    "'",
    " ",
    "\n",
    "\t",
    "\r\n",
    "\ufeff",
    "\0",
    "\ufffe",
    "é",
    "×",
    "·",
    "a",
    "1",
    ":",
    ".",
    'a="1"',
    ' action="/x"',
    " method='GET'",
    ' pageSize="a4"',
    ' storeMedia="true"',
    ' storeMedia="false"',
    ' pagesize="a4"',
    ' xmlns="a"',
    "text",
    "\u00a0",
    "😀",
  ),
  fc.string({ unit: "grapheme", maxLength: 3 }),
);
const whole = fc.oneof(
  verb.map((each) => toTwiml(each)),
  fc
    .tuple(
      fc.constantFrom("", '<?xml version="1.0" encoding="utf-8"?>\r\n', "\ufeff"),
      fc.array(piece, { maxLength: 4 }),
    )
    .map(
      ([start, pieces]) =>
        `${start}<Response>\n  <Receive action="/a?b=1&amp;c=2" ` +
        `storeMedia="true"></Receive>${pieces.join("")}</Response>`,
    ),
);
/** Whole documents, cut, with a piece put in or in place of something, and pieces alone. */
const documents = fc
  .oneof(
    { weight: 1, arbitrary: whole },
    { weight: 1, arbitrary: fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("")) },
    { weight: 1, arbitrary: fc.tuple(whole, fc.nat()).map(([xml, at]) => xml.slice(0, at % (xml.length + 1))) },
    {
      weight: 4,
      arbitrary: fc.tuple(whole, fc.nat(), fc.nat(3), piece).map(([xml, where, cut, piece]) => {
        const at = where % (xml.length + 1);
        return xml.slice(0, at) + piece + xml.slice(at + cut);
      }),
    },
  )
  // Half a surrogate pair cannot be written to a file; the tables of document.test.ts have it.
  .map((xml) => Buffer.from(xml).toString());

function outcome(xml: string): Verb | TwimlError | undefined {
  try {
    return parseTwiml(xml, { unchecked: false });
  } catch (error) {
    if (error instanceof TwimlError && /^[\x20-\x7e…]{1,400}$/.test(error.message)) return error;
    throw error;
  }
}

/** What the reader of tests/provider says: the provider's number, or 0. */
function oracle(xml: string): number {
  try {
    readDocument(xml);
    return 0;
  } catch (error) {
    if (error instanceof ProviderError) return error.code;
    throw error;
  }
}

/**
 * Where that reader refuses what is right: white space in a verb, as in `<Reject> </Reject>`, is content for it, and
 * fast-xml-parser knows names of ASCII letters only, and no processing instruction but simple ones.
 */
const isStricter = (xml: string) => /[^\x00-\x7f]|<\?(?!xml )|(\s|-->)<\/(Receive|Reject)/.test(xml);
/** Where it takes what is wrong: it executes the first verb and forgets the others, and takes any `action`. */
const isLenient = ({ code, attribute }: TwimlError) =>
  code === "second-verb" || code === "pages-lost" || attribute === "action";

describe("any document", () => {
  it("gives a verb, undefined or a TwimlError, and what is read is what a provider takes", { timeout }, () => {
    fc.assert(
      fc.property(documents, (xml) => {
        const read = outcome(xml);
        if (!(read instanceof TwimlError)) {
          if (parseTwiml(toTwiml(read)) === undefined && read !== undefined) throw new Error("does not read back");
          const code = oracle(xml);
          if (code !== 0 && !isStricter(xml)) throw new Error(`accepted, but the provider says ${code}`);
          return;
        }
        if (!(read.line! >= 1 && read.column! >= 1)) throw new Error("no place");
        // U+FEFF is a character of XML's names, and white space for fast-xml-parser.
        if (xml.includes("\ufeff", 1)) return;
        // fast-xml-parser takes much that is not well-formed; xmllint decides about that, below.
        if (oracle(xml) === 0 && read.code !== "malformed" && !isLenient(read)) throw new Error(`${read.message}`);
      }),
      runs,
    );
  });
});

const hasXmllint = spawnSync("xmllint", ["--version"]).status === 0;
if (!hasXmllint) console.warn("LEFT OUT: xmllint is not installed (libxml2-utils), so well-formedness is not compared");

/** The documents that libxml2 finds not well-formed. What it says of namespaces is none of XML 1.0's business. */
function malformedFor(xmllint: readonly string[]): Set<number> {
  const directory = mkdtempSync(join(tmpdir(), "twiml-fax-"));
  try {
    const files = xmllint.map((xml, i) => {
      writeFileSync(join(directory, `${i}.xml`), xml);
      return `${i}.xml`;
    });
    const { stderr } = spawnSync("xmllint", ["--noout", "--nonet", ...files], {
      cwd: directory,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });
    return new Set([...stderr.matchAll(/^(\d+)\.xml:\d+: parser error/gm)].map(([, i]) => Number(i)));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * What is well-formed and refused as malformed all the same: DOCTYPE, CDATA, and an encoding that is not UTF-8. And
 * where
 * libxml2 is lenient: it takes U+0000 for the end of a document, and warns only of unusual versions in a declaration.
 */
const isOutside = (xml: string) =>
  /<!DOCTYPE|<!\[CDATA\[|\0/.test(xml) || /^\ufeff?<\?xml\s(?!version="1\.0"( encoding="(UTF-8|utf-8)")?\?>)/.test(xml);

describe.skipIf(!hasXmllint)("xmllint", () => {
  it("agrees on which documents are well-formed", { timeout }, () => {
    const different: string[] = [];
    let compared = 0;
    for (let done = 0; done < runs.numRuns; done += 2000) {
      const sample = fc.sample(documents, { seed: runs.seed + done, numRuns: Math.min(2000, runs.numRuns - done) });
      const bad = malformedFor(sample);
      for (const [i, xml] of sample.entries()) {
        if (isOutside(xml)) continue;
        compared++;
        const read = outcome(xml);
        if ((read instanceof TwimlError && read.code === "malformed") !== bad.has(i)) different.push(xml);
      }
    }
    console.log(`xmllint: ${compared} documents compared`);
    expect(different.slice(0, 20)).toEqual([]);
  });
});

describe("pathological documents", () => {
  const repeated = (unit: string) => (bytes: number) => unit.repeat(Math.floor(bytes / unit.length));
  const within = (start: string, unit: string, end: string) => (bytes: number) =>
    start + repeated(unit)(bytes - start.length - end.length) + end;

  it.each<[string, (bytes: number) => string]>([
    ["<", repeated("<")],
    ["&", repeated("&")],
    ["& in content", within("<Response>", "&", "</Response>")],
    ["&#", within('<Response a="', "&#1", '"/>')],
    ["digits", within('<Response a="&#', "1", ';"/>')],
    ["word", within('<Response a="&', "a", '"/>')],
    ["references", within('<Response a="', "&amp;", '"/>')],
    ["<!--", repeated("<!--")],
    ["comments", within("<Response>", "<!---->", "</Response>")],
    ["- in a comment", within("<!--", "- ", "")],
    ["a comment without end", within("<!--", "a", "")],
    ["<?", repeated("<?a ")],
    ["<?xml and space", within("<?xml", " ", "")],
    ["<?xml version and space", within("<?xml version=", " ", "x")],
    ["version digits", within('<?xml version="1.', "1", "")],
    ["]]>", within("<Response>", "]]", "</Response>")],
    ["depth", repeated("<a>")],
    ["depth, closed", (bytes) => "<a>".repeat(bytes / 8) + "</a>".repeat(bytes / 8)],
    ["a long name", within("<", "a", "/>")],
    ["a long name, twice", (bytes) => `<${"a".repeat(bytes / 2 - 4)}></${"a".repeat(bytes / 2 - 4)}>`],
    ["space in a tag", within("<Response", " ", "")],
    ["space after a name", within("<Response a", " ", "")],
    ["an open value", within('<Response a="', "'", "")],
    ["lines", within("<Response>", "\r\n", "<")],
    ["verbs", within("<Response>", "<Reject/>", "</Response>")],
    ["a long verb", within("<Response><", "Receive", "/></Response>")],
    ["a long value", within('<Response><Receive pageSize="', "a4", '"/></Response>')],
    [
      "attributes",
      (bytes) =>
        `<Response><Receive${Array.from({ length: bytes / 12 }, (_, i) => ` a${i}="1"`)
          .join("")
          .slice(0, bytes - 100)}/></Response>`,
    ],
  ])("of %s take time in proportion", async (_, make) => {
    const texts = new Map([4000, 64_000].map((size) => [size, make(size)]));
    expect(await growthOf((size) => outcome(texts.get(size)!), 4000)).toBeLessThan(BOUND);
  });
});
