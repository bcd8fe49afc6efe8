/** Properties of the multipart reader, compared with busboy. */
import busboy from "busboy";
import fc from "fast-check";
import { describe, it } from "vitest";
import { type MultipartPair, readMultipart } from "../../src/webhook/multipart.js";
import { RefusedError } from "../../src/webhook/refusal.js";
import { oneOf, readRuns, TIMEOUT } from "./support.js";

const runs = readRuns(300);
const timeout = TIMEOUT;
console.log(`multipart properties: FUZZ_SEED=${runs.seed} FUZZ_RUNS=${runs.numRuns}`);
const check = (property: fc.IAsyncProperty<any>) => fc.assert(property, runs);

const LIMITS = { maxFormBytes: 1 << 20, maxMediaBytes: 1 << 20 };

/** One pair. The value of a file is its bytes in hexadecimal. */
type Pair = readonly [name: string, value: string, filename?: string | undefined, type?: string];

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** The pairs that busboy reads, or "refused". busboy skips parts that it does not understand. */
async function readWithBusboy(body: Buffer, boundary: string): Promise<Pair[] | "refused"> {
  const pairs: Pair[] = [];
  const headers = { "content-type": `multipart/form-data; boundary="${boundary}"` };
  const reader = busboy({ headers, preservePath: true, defParamCharset: "utf8" });
  reader.on("field", (name, value) => pairs.push([name, value]));
  reader.on("file", (name, stream, { filename, mimeType }) => {
    const chunks: Buffer[] = [];
    const index = pairs.push([name, "", filename, mimeType]) - 1;
    stream.on("error", () => {});
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => (pairs[index] = [name, hex(Buffer.concat(chunks)), filename, mimeType]));
  });
  return new Promise((resolve) => {
    reader.on("error", () => resolve("refused"));
    reader.on("close", () => resolve(pairs));
    reader.end(body);
  });
}

const toPairs = (pairs: MultipartPair[]): Promise<Pair[]> =>
  Promise.all(
    pairs.map(async ([name, value]): Promise<Pair> => {
      if (typeof value === "string") return [name, value];
      return [name, hex(new Uint8Array(await value.arrayBuffer())), value.name, value.type];
    }),
  );

/** The pairs that readMultipart reads, or "refused" for a RefusedError. Any other error fails the property. */
async function readPairs(body: Buffer, boundary: string): Promise<Pair[] | "refused"> {
  try {
    return await toPairs(readMultipart(body, boundary, LIMITS));
  } catch (error) {
    if (error instanceof RefusedError) return "refused";
    throw error;
  }
}

interface Part {
  readonly name: string;
  readonly text?: string;
  readonly file?: { readonly bytes: Uint8Array; readonly filename: string; readonly type: string };
}

/** The format of an encoder: how it escapes, and which headers and end it adds. */
interface Style {
  readonly escape: (text: string) => string;
  readonly colon: string;
  readonly caseOf: (header: string) => string;
  readonly typeFirst: boolean;
  readonly textHeaders: readonly string[];
  readonly end: string;
}

const percent = (text: string) => text.replaceAll('"', "%22").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
const backslash = (text: string) => text.replace(/["\\]/g, "\\$&").replaceAll("\r", "%0D").replaceAll("\n", "%0A");

const style: fc.Arbitrary<Style> = fc.record({
  escape: fc.constantFrom(percent, backslash),
  colon: fc.constantFrom(": ", ":", ":\t "),
  caseOf: fc.constantFrom(
    (header: string) => header,
    (header: string) => header.toLowerCase(),
    (header: string) => header.toUpperCase(),
  ),
  typeFirst: fc.boolean(),
  textHeaders: fc.constantFrom<readonly string[]>(
    [],
    ["Content-Type: text/plain; charset=utf-8"],
    ["Content-Type: text/plain;charset=UTF-8", "Content-Transfer-Encoding: 8bit"],
    ["Content-Length: 1"],
  ),
  end: fc.constantFrom("\r\n", "", "\r\n\r\n", "\r\nThe end.\r\n"),
});

const BOUNDARY_CHARACTERS = "!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~";
const boundary = fc.oneof(
  fc.constantFrom("b", "-", "--", "a b", "----WebKitFormBoundaryA1", "b".repeat(70)),
  fc.string({ unit: fc.constantFrom(...BOUNDARY_CHARACTERS), minLength: 1, maxLength: 70 }),
);

/** Text that a reader may take for a boundary or a header. */
const piece = fc.oneof(
  fc.constantFrom("\r\n", "\n", "\r", "\r\n--", "\r\n--b", " "),
  oneOf("-- - --b b : ; = Content-Disposition"),
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.string({ unit: "grapheme", maxLength: 200 }),
);
const text = fc.string({ unit: piece, maxLength: 6 });

/** Names without ambiguous characters: controls, percent signs, and a backslash before a quote or the end. */
const label = fc
  .oneof(
    fc.constantFrom("FaxSid", "From", "Media", "__proto__", 'a"b', "a;b=c", "C:\\fax", "a, b", "Zoë"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }),
  )
  .map((name) => name.replace(/[\0-\x1f\x7f%]/g, "_").replace(/\\+(?=["\\]|$)/g, "_"));
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  text.map((each) => new Uint8Array(Buffer.from(each))),
);
const file = fc.record({
  bytes,
  filename: label,
  type: fc.constantFrom("application/pdf", "image/tiff", "text/plain"),
});
const part: fc.Arbitrary<Part> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ name: label, text }) },
  { weight: 1, arbitrary: fc.record({ name: label, file }) },
);
const parts = fc.array(part, { maxLength: 6 });

function encodePart(boundary: string, { name, text, file }: Part, style: Style): Buffer {
  const quoted = (label: string) => `"${style.escape(label)}"`;
  const filename = file && `; filename=${quoted(file.filename)}`;
  const disposition = `Content-Disposition: form-data; name=${quoted(name)}${filename ?? ""}`;
  const rest = file ? [`Content-Type: ${file.type}`] : style.textHeaders;
  const headers = (style.typeFirst ? [...rest, disposition] : [disposition, ...rest]).map((header) => {
    const [key, value] = header.split(/: (.*)/s) as [string, string];
    return `${style.caseOf(key)}${style.colon}${value}`;
  });
  const head = Buffer.from(`--${boundary}\r\n${headers.join("\r\n")}\r\n\r\n`);
  return Buffer.concat([head, file ? file.bytes : Buffer.from(text!), Buffer.from("\r\n")]);
}

function encode(boundary: string, parts: readonly Part[], style: Style): Buffer {
  const encoded = parts.map((each) => encodePart(boundary, each, style));
  return Buffer.concat([...encoded, Buffer.from(`--${boundary}--${style.end}`)]);
}

const getExpected = (parts: readonly Part[]): Pair[] =>
  parts.map(({ name, text, file }) => (file ? [name, hex(file.bytes), file.filename, file.type] : [name, text!]));

/** Whether the boundary begins no line of the content, which an encoder ensures. */
const isUnambiguous = (boundary: string, parts: readonly Part[]) =>
  !boundary.endsWith(" ") &&
  parts.every(({ text, file }) => {
    const content = `\n${file ? Buffer.from(file.bytes).toString("latin1") : Buffer.from(text!).toString("latin1")}`;
    return !content.includes(`\n--${boundary}`);
  });

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const fail = (what: string, body: Buffer, ...values: unknown[]) => {
  throw new Error([what, ...[body.toString("latin1"), ...values].map((each) => JSON.stringify(each))].join("\n"));
};

/** Compares names without escapes: busboy keeps `%22`, `%0D` and `%0A`, and drops a backslash before any character. */
const withoutEscapes = (pairs: readonly Pair[]) =>
  pairs.map(([name, value, filename, type]) => [removeEscapes(name), value, filename && removeEscapes(filename), type]);
/** The pairs without types: a missing type is "" in readMultipart and text/plain in busboy. */
const content = (pairs: readonly Pair[]) =>
  pairs.map(([name, value, filename]) => [removeEscapes(name), value, filename !== undefined]);
const removeEscapes = (label: string | undefined) =>
  label?.replaceAll("%22", '"').replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("\\", "");

describe("readMultipart of a valid body", () => {
  it("readMultipart reads the pairs that were encoded, as busboy does", { timeout }, async () => {
    await check(
      fc.asyncProperty(boundary, parts, style, async (boundary, parts, style) => {
        fc.pre(isUnambiguous(boundary, parts));
        const body = encode(boundary, parts, style);
        const ours = await readPairs(body, boundary);
        if (!same(ours, getExpected(parts))) fail("not the expected pairs", body, ours, getExpected(parts));
        const theirs = await readWithBusboy(body, boundary);
        if (theirs === "refused" || !same(withoutEscapes(ours as Pair[]), withoutEscapes(theirs))) {
          fail("busboy reads other pairs", body, ours, theirs);
        }
      }),
    );
  });

  it("readMultipart reads the pairs of a FormData that the platform encodes", { timeout }, async () => {
    await check(
      fc.asyncProperty(parts, async (parts) => {
        const form = new FormData();
        for (const { name, text, file } of parts) {
          if (!file) form.append(name, text!);
          else form.append(name, new File([Buffer.from(file.bytes)], file.filename, { type: file.type }));
        }
        const sent = new Response(form);
        const boundary = /boundary="?([^"]*)/.exec(sent.headers.get("content-type")!)![1]!;
        const body = Buffer.from(await sent.arrayBuffer());
        const ours = await readPairs(body, boundary);
        // FormData encodes every line break of a text as CR LF.
        const expected = getExpected(parts).map(([name, value, ...file]) => {
          return [name, file.length > 0 ? value : value.replace(/\r\n?|\n/g, "\r\n"), ...file];
        });
        if (!same(ours, expected)) fail("not the expected pairs", body, ours, expected);
      }),
    );
  });
});

/** A change of a body: bytes are cut off, removed, inserted, repeated or replaced. */
type Change = (body: Buffer, boundary: string) => Buffer;

const TOKENS = [
  ...'\r\n|\n|\r|\0| |\t|--|:|;|"|\\|=|%22|\x80|\xff|\r\n\r\n|\r\n |name="x"|; name*=utf-8\'\'x'.split("|"),
  ..."; filename=\"x\"|; filename*=utf-8''%e2%82%ac".split("|"),
  "Content-Disposition: form-data; name=y\r\n",
  "Content-Type: text/plain; charset=utf-16\r\n",
  "Content-Type: multipart/mixed; boundary=c\r\n",
  "Content-Transfer-Encoding: base64\r\n",
];
const inserted = fc.oneof(
  fc.constantFrom(...TOKENS).map((token) => () => Buffer.from(token, "latin1")),
  fc
    .constantFrom("\r\n--B\r\n", "\n--B\r\n", "\r\n--B--\r\n", "\r\n--B--", "--B", "\r\n--B ", "\r\n--BB\r\n")
    .map((token) => (boundary: string) => Buffer.from(token.replaceAll("B", boundary))),
  fc.uint8Array({ maxLength: 4 }).map((each) => () => Buffer.from(each)),
);
const splice = (body: Buffer, from: number, to: number, put: Uint8Array = Buffer.alloc(0)) =>
  Buffer.concat([body.subarray(0, from), put, body.subarray(to)]);

type Place = [at: number, near: string, shift: number];
/** A place in a body: any, or next to a delimiter, where readers differ. */
const place: fc.Arbitrary<Place> = fc.tuple(
  fc.nat(),
  fc.constantFrom("", "\r\n", "--", '"', ";", ":", "="),
  fc.integer({ min: -1, max: 3 }),
);
function findPlace(body: Buffer, [at, near, shift]: Place): number {
  const found = near === "" ? at % (body.length + 1) : body.indexOf(near, at % (body.length + 1)) + shift;
  return Math.min(Math.max(found, 0), body.length);
}
const change: fc.Arbitrary<Change> = fc.oneof(
  place.map((place) => (body: Buffer) => body.subarray(0, findPlace(body, place))),
  fc.tuple(place, inserted).map(([place, token]) => (body: Buffer, boundary: string) => {
    return splice(body, findPlace(body, place), findPlace(body, place), token(boundary));
  }),
  fc.tuple(place, fc.integer({ min: 1, max: 4 })).map(([place, length]) => (body: Buffer) => {
    return splice(body, findPlace(body, place), findPlace(body, place) + length);
  }),
  fc.tuple(place, fc.nat(255)).map(([place, byte]) => (body: Buffer) => {
    return splice(body, findPlace(body, place), findPlace(body, place) + 1, Buffer.of(byte));
  }),
  fc.tuple(place, place).map(([a, b]) => (body: Buffer) => {
    const [from, to] = [findPlace(body, a), findPlace(body, b)].sort((x, y) => x - y) as [number, number];
    return splice(body, to, to, body.subarray(from, to));
  }),
);

/**
 * Whether busboy differs by design, so that the two cannot be compared:
 * - white space after a boundary (RFC 2046, section 5.1.1) makes the boundary text for busboy;
 * - busboy skips a part with an empty parameter (";;", or ";" at the end; RFC 9110, section 5.6.6);
 * - busboy skips a part with `filename*` in quotes or of an unknown charset, or an empty value without quotes;
 * - busboy skips a part whose filename has an unescaped quote, a control character or, unquoted, a space;
 * - for busboy an octet-stream without a filename is a file, a PDF named Media without a filename is text, and an empty
 *   name or filename is absent.
 */
const SKIPPED_BY_BUSBOY = /;[ \t]*(;|\r\n)|filename\*|octet-stream|name=""/;
const LENIENT_FILENAME = /filename=(?!(?:"(?:[^"\\\0-\x1f\x7f]|\\.)*"|[!#$%&'*+.^`|~\w-]+)[ \t]*(?:;|\r\n))/i;
const differsByDesign = (body: string, boundary: string) =>
  SKIPPED_BY_BUSBOY.test(body) ||
  LENIENT_FILENAME.test(body) ||
  body.includes(`--${boundary} `) ||
  body.includes(`--${boundary}\t`);

const hasUnnamedMedia = (pairs: readonly Pair[]) =>
  pairs.some(([name, , filename]) => name === "Media" && filename === "");

describe("readMultipart of an invalid body", () => {
  it("readMultipart refuses an invalid body, or reads it as busboy does", { timeout }, async () => {
    const counts = { compared: 0, refused: 0 };
    await check(
      fc.asyncProperty(
        boundary,
        parts.filter((all) => all.length > 0),
        style,
        fc.array(change, { minLength: 1, maxLength: 3 }),
        async (boundary, parts, style, changes) => {
          fc.pre(isUnambiguous(boundary, parts));
          const right = encode(boundary, parts, style);
          const body = changes.reduce<Buffer>((all, change) => Buffer.from(change(all, boundary)), right);
          const ours = await readPairs(body, boundary);
          if (ours === "refused") return void counts.refused++;
          if (differsByDesign(body.toString("latin1"), boundary) || hasUnnamedMedia(ours)) return;
          counts.compared++;
          const theirs = await readWithBusboy(body, boundary);
          if (theirs === "refused" || !same(content(ours), content(theirs))) {
            fail("busboy reads other pairs", body, ours, theirs);
          }
        },
      ),
    );
    // A generator that makes every body invalid, or none, tests nothing.
    if (runs.numRuns >= 300 && Math.min(counts.compared, counts.refused) < runs.numRuns / 20)
      throw new Error("one-sided");
  });

  it("readMultipart reads any bytes or throws a RefusedError", { timeout }, async () => {
    await check(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, framed) => {
        const frame = framed ? ["--b\r\n", "\r\n--b--"] : ["", ""];
        await readPairs(Buffer.concat([Buffer.from(frame[0]!), bytes, Buffer.from(frame[1]!)]), "b");
      }),
    );
  });
});
