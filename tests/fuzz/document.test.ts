/** Properties of parseTwiml, compared with two other readers: fast-xml-parser and xmllint. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FaxResponse, parseTwiml, receive, reject, toTwiml, TwimlError, type Verb } from "../../src/index.js";
import { ProviderError, readDocument } from "../provider/document.js";
import { assertSame, assertTrue, oneOf, readRuns, receiveAttributes, text, TIMEOUT } from "./support.js";

const runs = readRuns(1000);
const timeout = TIMEOUT;
console.log(`document properties: FUZZ_SEED=${runs.seed} FUZZ_RUNS=${runs.numRuns}`);

const unchecked = fc.dictionary(oneOf("later a-b _ constructor __proto__ Foo.1"), text);
/** A verb, or undefined for values that receive() refuses. */
const received = fc.tuple(receiveAttributes, unchecked).map(([attributes, unchecked]): Verb | undefined => {
  try {
    return receive(attributes, { unchecked });
  } catch (error) {
    if (error instanceof TwimlError) return undefined;
    throw error;
  }
});
const verb = fc.oneof({ weight: 1, arbitrary: fc.constant(reject()) }, { weight: 9, arbitrary: received });

describe("parseTwiml", () => {
  it("parseTwiml returns every verb that toTwiml writes", { timeout }, () => {
    fc.assert(
      fc.property(verb, (verb) => {
        const twiml = toTwiml(verb);
        const read = parseTwiml(twiml, { unchecked: true });
        assertSame(read, verb);
        assertSame(toTwiml(read), twiml);
      }),
      runs,
    );
  });
});

const TAGS = "<Response> </Response> <Response/> <Response <Receive <Receive/> <Reject/> <Reject> </Reject> </Receive>";
const MARKUP = "/> > < / ? ! - -- --> <!-- <? ?> <?xml <![CDATA[ ]]>";
const REFERENCES = "& &amp; &lt; &# &#65; &#x41; &#0; &#xD800; &#X41; &nbsp; ;";
const CHARACTERS = "= \" ' é × · a 1 : . 😀 text";
const piece = fc.oneof(
  oneOf(`${TAGS} ${MARKUP} ${REFERENCES} ${CHARACTERS}`),
  fc.constantFrom("<!-- a -->", "<?a b?>", "<!DOCTYPE a>", '<?xml version="1.0"?>'),
  fc.constantFrom('<?xml version="1.0" encoding="UTF-8"?>', ..." |\n|\t|\r\n|\ufeff|\0|\ufffe|\u00a0".split("|")),
  fc.constantFrom('a="1"', ' action="/x"', " method='GET'", ' pageSize="a4"', ' pagesize="a4"', ' xmlns="a"'),
  fc.constantFrom(' storeMedia="true"', ' storeMedia="false"'),
  fc.string({ unit: "grapheme", maxLength: 3 }),
);
const pieces = (maxLength: number) => fc.string({ unit: piece, maxLength });

const written = fc.tuple(verb, fc.array(text, { maxLength: 2 })).map(([verb, comments]) => {
  const response = new FaxResponse(verb);
  const isValid = (comment: string) => !/--|[^\t\n\r\x20-\ud7ff\ue000-\ufffd]/.test(comment);
  for (const comment of comments.filter(isValid)) response.comment(comment);
  return response.toString();
});
const start = fc.constantFrom("", '<?xml version="1.0" encoding="utf-8"?>\r\n', "\ufeff");
const RECEIVE = '<Receive action="/a?b=1&amp;c=2" storeMedia="true"></Receive>';
const whole = fc.oneof(
  written,
  fc.tuple(start, pieces(4)).map(([start, content]) => `${start}<Response>\n  ${RECEIVE}${content}</Response>`),
);
const cut = fc.tuple(whole, fc.nat()).map(([xml, at]) => xml.slice(0, at % (xml.length + 1)));
/** A document in which one piece is inserted, or replaces up to three characters. */
const changed = fc.tuple(whole, fc.nat(), fc.nat(3), piece).map(([xml, where, length, piece]) => {
  const at = where % (xml.length + 1);
  return xml.slice(0, at) + piece + xml.slice(at + length);
});
const documents = fc
  .oneof(whole, pieces(12), cut, { weight: 4, arbitrary: changed })
  // A lone surrogate cannot be written to a file; document.test.ts tests it.
  .map((xml) => Buffer.from(xml).toString());

function getOutcome(xml: string): Verb | TwimlError | undefined {
  try {
    return parseTwiml(xml, { unchecked: false });
  } catch (error) {
    if (error instanceof TwimlError && /^[\x20-\x7e…]{1,400}$/.test(error.message)) return error;
    throw error;
  }
}

/** The error number of the reader in tests/provider, which uses fast-xml-parser, or 0. */
function getProviderError(xml: string): number {
  try {
    readDocument(xml);
    return 0;
  } catch (error) {
    if (error instanceof ProviderError) return error.code;
    throw error;
  }
}

/**
 * Whether that reader may refuse a valid document. White space in a verb is content for it, as in `<Reject> </Reject>`.
 * fast-xml-parser reads names of ASCII letters only, and only simple processing instructions.
 */
const isStricter = (xml: string) => /[^\x00-\x7f]|<\?(?!xml )|(\s|-->)<\/(Receive|Reject)/.test(xml);
/** Whether it may accept an invalid document. It executes the first verb of several, and accepts any `action`. */
const isLenient = ({ code, attribute }: TwimlError) =>
  code === "second-verb" || code === "pages-lost" || attribute === "action";

describe("any document", () => {
  it("parseTwiml accepts what the provider accepts, or throws a TwimlError with line and column", { timeout }, () => {
    fc.assert(
      fc.property(documents, (xml) => {
        const read = getOutcome(xml);
        const code = getProviderError(xml);
        if (!(read instanceof TwimlError)) {
          assertSame(parseTwiml(toTwiml(read)), read);
          assertTrue(code === 0 || isStricter(xml), `accepted, but the provider's error is ${code}`);
          return;
        }
        assertTrue(read.line! >= 1 && read.column! >= 1, "no line or column");
        // U+FEFF is a character of XML's names, and white space for fast-xml-parser.
        if (xml.includes("\ufeff", 1)) return;
        // fast-xml-parser accepts much that is not well-formed; xmllint decides that, below.
        assertTrue(code !== 0 || read.code === "malformed" || isLenient(read), read.message);
      }),
      runs,
    );
  });
});

const hasXmllint = spawnSync("xmllint", ["--version"]).status === 0;
if (!hasXmllint) console.warn("SKIPPED: xmllint (libxml2-utils) is not installed, so well-formedness is not compared");

/** The indexes of the documents that libxml2 reports as not well-formed. Namespaces are not part of XML 1.0. */
function findMalformed(documents: readonly string[]): Set<number> {
  const cwd = mkdtempSync(join(tmpdir(), "twiml-fax-"));
  try {
    const files = documents.map((_, i) => `${i}.xml`);
    for (const [i, xml] of documents.entries()) writeFileSync(join(cwd, files[i]!), xml);
    const options = { cwd, encoding: "utf8", maxBuffer: 2 ** 28 } as const;
    const { stderr } = spawnSync("xmllint", ["--noout", "--nonet", ...files], options);
    return new Set([...stderr.matchAll(/^(\d+)\.xml:\d+: parser error/gm)].map(([, i]) => Number(i)));
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

/**
 * Whether xmllint cannot decide. DOCTYPE, CDATA and encodings other than UTF-8 are well-formed, but refused as
 * malformed. libxml2 ends a document at U+0000, and only warns of unusual versions in a declaration.
 */
const isOutside = (xml: string) =>
  /<!DOCTYPE|<!\[CDATA\[|\0/.test(xml) || /^\ufeff?<\?xml\s(?!version="1\.0"( encoding="(UTF-8|utf-8)")?\?>)/.test(xml);

describe.skipIf(!hasXmllint)("xmllint", () => {
  it("xmllint and parseTwiml agree on which documents are well-formed", { timeout }, () => {
    const different: string[] = [];
    for (let done = 0; done < runs.numRuns; done += 2000) {
      const sample = fc.sample(documents, { seed: runs.seed + done, numRuns: Math.min(2000, runs.numRuns - done) });
      const malformed = findMalformed(sample);
      for (const [i, xml] of sample.entries()) {
        if (isOutside(xml)) continue;
        const read = getOutcome(xml);
        if ((read instanceof TwimlError && read.code === "malformed") !== malformed.has(i)) different.push(xml);
      }
    }
    expect(different.slice(0, 20)).toEqual([]);
  });
});
