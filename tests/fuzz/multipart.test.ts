/** Properties of the multipart reader, against `busboy` as the second implementation. */
import busboy from "busboy";
import fc from "fast-check";
import { describe, it } from "vitest";
import { MultipartError, type MultipartPair, readMultipart } from "../../src/webhook/multipart.js";

const numRuns = Number(process.env.FUZZ_RUNS ?? 300);
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
if (!Number.isInteger(numRuns) || numRuns < 1) throw new Error("FUZZ_RUNS must be a whole number, 1 or more.");
console.log(`multipart properties: FUZZ_SEED=${seed} FUZZ_RUNS=${numRuns}`);
const check = (property: fc.IAsyncProperty<any>) => fc.assert(property, { numRuns, seed });

const LIMITS = { maxFormBytes: 1 << 20, maxMediaBytes: 1 << 20 };

/** A pair as both readers are compared by: a file by its bytes, its name and its type. */
type Pair = readonly [name: string, value: string, filename?: string | undefined, type?: string];

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** What busboy reads: the pairs in order, or that it refuses. It skips parts that it does not understand. */
async function busboyPairs(body: Buffer, boundary: string): Promise<Pair[] | "refused"> {
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

const plain = (pairs: MultipartPair[]): Promise<Pair[]> =>
  Promise.all(
    pairs.map(async ([name, value]): Promise<Pair> => {
      if (typeof value === "string") return [name, value];
      return [name, hex(new Uint8Array(await value.arrayBuffer())), value.name, value.type];
    }),
  );

/** What ours reads, or that it refuses. Anything else that is thrown is a failure. */
async function ourPairs(body: Buffer, boundary: string): Promise<Pair[] | "refused"> {
  try {
    return await plain(readMultipart(body, boundary, LIMITS));
  } catch (error) {
    if (error instanceof MultipartError) return "refused";
    throw error;
  }
}

/** A delivery as it is meant. */
interface Part {
  readonly name: string;
  readonly text?: string;
  readonly file?: { readonly bytes: Uint8Array; readonly filename: string; readonly type: string };
}

/** How an encoder writes: how it escapes, and what it adds. */
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
  { weight: 1, arbitrary: fc.constantFrom("b", "-", "--", "a b", "----WebKitFormBoundaryA1", "b".repeat(70)) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: fc.constantFrom(...BOUNDARY_CHARACTERS), minLength: 1, maxLength: 70 }),
  },
);

/** What a reader stumbles over, if over anything. */
const piece = fc.oneof(
  fc.constantFrom(
    "\r\n",
    "\n",
    "\r",
    "--",
    "-",
    "--b",
    "\r\n--",
    "\r\n--b",
    "b",
    ":",
    ";",
    " ",
    "=",
    "Content-Disposition",
  ),
  fc.string({ unit: "grapheme", maxLength: 6 }),
  fc.string({ unit: "grapheme", maxLength: 200 }),
);
const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));

/** Names without what has two readings: controls, percent signs, and a backslash before a quote or the end. */
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

function encodedPart(boundary: string, { name, text, file }: Part, style: Style): Buffer {
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

const encoded = (boundary: string, parts: readonly Part[], style: Style) =>
  Buffer.concat([
    ...parts.map((each) => encodedPart(boundary, each, style)),
    Buffer.from(`--${boundary}--${style.end}`),
  ]);

const meant = (parts: readonly Part[]): Pair[] =>
  parts.map(({ name, text, file }) => (file ? [name, hex(file.bytes), file.filename, file.type] : [name, text!]));

/** An encoder takes care that the boundary begins no line of what it sends. */
const isWellChosen = (boundary: string, parts: readonly Part[]) =>
  !boundary.endsWith(" ") &&
  parts.every(({ text, file }) => {
    const content = `\n${file ? Buffer.from(file.bytes).toString("latin1") : Buffer.from(text!).toString("latin1")}`;
    return !content.includes(`\n--${boundary}`);
  });

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
const fail = (what: string, body: Buffer, ...values: unknown[]) => {
  throw new Error(
    `${what}\n${JSON.stringify(body.toString("latin1"))}\n${values.map((v) => JSON.stringify(v)).join("\n")}`,
  );
};

/** busboy leaves `%22`, `%0D` and `%0A` as they are, and drops a backslash before any character. */
const withoutEscapes = (pairs: readonly Pair[]) =>
  pairs.map(([name, value, filename, type]) => [bare(name), value, filename && bare(filename), type]);
/** Text pairs and the bytes of files. A type that says nothing is "" here and text/plain there. */
const content = (pairs: readonly Pair[]) =>
  pairs.map(([name, value, filename]) => [bare(name), value, filename !== undefined]);
const bare = (label: string | undefined) =>
  label?.replaceAll("%22", '"').replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("\\", "");

describe("readMultipart, of deliveries that are right", () => {
  it("reads what was meant, and what busboy reads", { timeout: 3_600_000 }, async () => {
    await check(
      fc.asyncProperty(boundary, parts, style, async (boundary, parts, style) => {
        fc.pre(isWellChosen(boundary, parts));
        const body = encoded(boundary, parts, style);
        const ours = await ourPairs(body, boundary);
        if (!same(ours, meant(parts))) fail("not what was meant", body, ours, meant(parts));
        const theirs = await busboyPairs(body, boundary);
        if (theirs === "refused" || !same(withoutEscapes(ours as Pair[]), withoutEscapes(theirs))) {
          fail("busboy reads otherwise", body, ours, theirs);
        }
      }),
    );
  });

  it("reads what this platform's FormData writes", { timeout: 3_600_000 }, async () => {
    await check(
      fc.asyncProperty(parts, async (parts) => {
        const form = new FormData();
        for (const { name, text, file } of parts) {
          if (file)
            form.append(name, new Blob([file.bytes as Uint8Array<ArrayBuffer>], { type: file.type }), file.filename);
          else form.append(name, text!);
        }
        const sent = new Response(form);
        const boundary = /boundary="?([^"]*)/.exec(sent.headers.get("content-type")!)![1]!;
        const body = Buffer.from(await sent.arrayBuffer());
        const ours = await ourPairs(body, boundary);
        // Encoders of forms write every line end of a text as CR LF.
        const expected = meant(parts).map(([name, value, ...file]) =>
          file.length > 0 ? [name, value, ...file] : [name, value.replace(/\r\n?|\n/g, "\r\n")],
        );
        if (!same(ours, expected)) fail("not what was meant", body, ours, expected);
      }),
    );
  });
});

/** A change of a delivery: bytes cut off, taken out, put in, doubled, replaced. */
type Change = (body: Buffer, boundary: string) => Buffer;

const TOKENS = [
  "\r\n",
  "\n",
  "\r",
  "\0",
  " ",
  "\t",
  "--",
  ":",
  ";",
  '"',
  "\\",
  "=",
  "%22",
  "\x80",
  "\xff",
  "\r\n\r\n",
  "\r\n ",
  'name="x"',
  "; name*=utf-8''x",
  '; filename="x"',
  "; filename*=utf-8''%e2%82%ac",
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
const splice = (body: Buffer, from: number, to: number, put: Buffer) =>
  Buffer.concat([body.subarray(0, from), put, body.subarray(to)]);
/** A place in a body: anywhere, or where something ends, which is where readers differ. */
const place = fc.tuple(
  fc.nat(),
  fc.constantFrom("", "\r\n", "--", '"', ";", ":", "="),
  fc.integer({ min: -1, max: 3 }),
);
function placeIn(body: Buffer, [at, near, shift]: [number, string, number]): number {
  const found = near === "" ? at % (body.length + 1) : body.indexOf(near, at % (body.length + 1)) + shift;
  return Math.min(Math.max(found, 0), body.length);
}
const change: fc.Arbitrary<Change> = fc.oneof(
  place.map((at) => (body: Buffer) => body.subarray(0, placeIn(body, at))),
  fc.tuple(place, inserted).map(([at, token]) => (body: Buffer, boundary: string) => {
    return splice(body, placeIn(body, at), placeIn(body, at), token(boundary));
  }),
  fc.tuple(place, fc.integer({ min: 1, max: 4 })).map(([at, length]) => (body: Buffer) => {
    return splice(body, placeIn(body, at), Math.min(placeIn(body, at) + length, body.length), Buffer.alloc(0));
  }),
  fc.tuple(place, fc.nat(255)).map(([at, byte]) => (body: Buffer) => {
    return splice(body, placeIn(body, at), Math.min(placeIn(body, at) + 1, body.length), Buffer.of(byte));
  }),
  fc.tuple(place, place).map(([a, b]) => (body: Buffer) => {
    const [from, to] = [placeIn(body, a), placeIn(body, b)].sort((x, y) => x - y) as [number, number];
    return splice(body, to, to, body.subarray(from, to));
  }),
);

/**
 * Where busboy differs by design, so that the two cannot be compared. Each is something that only one of them reads:
 * - white space behind a boundary (RFC 2046, section 5.1.1) makes it a text for busboy;
 * - an empty parameter (";;", or ";" at the end; RFC 9110, section 5.6.6) makes busboy skip the part;
 * - `filename*` in quotes or of an unknown charset, and an empty value without quotes, make busboy skip the part;
 * - an octet-stream without a filename is a file for busboy, an empty name or filename is none.
 */
const SKIPPED_BY_BUSBOY = /;[ \t]*(;|\r\n)|filename\*|octet-stream|name=""/;
const differsByDesign = (body: string, boundary: string) =>
  SKIPPED_BY_BUSBOY.test(body) || body.includes(`--${boundary} `) || body.includes(`--${boundary}\t`);

describe("readMultipart, of deliveries that were broken", () => {
  it("reads nothing that busboy reads otherwise", { timeout: 3_600_000 }, async () => {
    const counts = { accepted: 0, compared: 0, refused: 0 };
    await check(
      fc.asyncProperty(
        boundary,
        parts.filter((all) => all.length > 0),
        style,
        fc.array(change, { minLength: 1, maxLength: 3 }),
        async (boundary, parts, style, changes) => {
          fc.pre(isWellChosen(boundary, parts));
          const right = encoded(boundary, parts, style);
          const body = changes.reduce<Buffer>((all, change) => Buffer.from(change(all, boundary)), right);
          const ours = await ourPairs(body, boundary);
          counts[ours === "refused" ? "refused" : "accepted"]++;
          const latin1 = body.toString("latin1");
          if (ours === "refused" || differsByDesign(latin1, boundary)) return;
          counts.compared++;
          const theirs = await busboyPairs(body, boundary);
          if (theirs === "refused" || !same(content(ours), content(theirs))) {
            fail("busboy reads otherwise", body, ours, theirs);
          }
        },
      ),
    );
    console.log(
      `broken deliveries: ${counts.accepted} accepted (${counts.compared} compared), ${counts.refused} refused`,
    );
    // Neither all nor nothing: a generator that breaks everything tests nothing.
    if (numRuns >= 300 && Math.min(counts.compared, counts.refused) < numRuns / 20) throw new Error("one-sided");
  });

  it("refuses or reads any bytes, and throws nothing else", { timeout: 3_600_000 }, async () => {
    await check(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, framed) => {
        const frame = framed ? ["--b\r\n", "\r\n--b--"] : ["", ""];
        await ourPairs(Buffer.concat([Buffer.from(frame[0]!), bytes, Buffer.from(frame[1]!)]), "b");
      }),
    );
  });
});
