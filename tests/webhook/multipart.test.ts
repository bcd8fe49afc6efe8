/** The multipart parser: bodies of real encoders, framing, headers of parts, limits. */
import { describe, expect, it } from "vitest";
import { parseContentType } from "../../src/webhook/content-type.js";
import { RefusedError } from "../../src/webhook/refusal.js";
import { readMultipart } from "../../src/webhook/multipart.js";

const LIMITS = { maxFormBytes: 65_536, maxMediaBytes: 1_000_000 };
const CD = "Content-Disposition: form-data; name=";

/** The body of one part with these headers and this content. */
const one = (headers: string, content = "1") => `--b\r\n${headers}\r\n\r\n${content}\r\n--b--\r\n`;

const read = (body: string | Uint8Array, boundary: string | undefined = "b", limits = LIMITS) =>
  readMultipart(typeof body === "string" ? Buffer.from(body) : body, boundary, limits);

/** The reason of the refusal, or the number of parts. */
function outcome(...args: Parameters<typeof read>): string | number {
  try {
    return read(...args).length;
  } catch (error) {
    if (error instanceof RefusedError) return error.details.reason;
    throw error;
  }
}

type Pair = [name: string, value: string | { name: string; type: string; text: string }];

/** The pairs of a body. Files are compared by name, type and text. */
async function readPairs(body: string | Uint8Array, boundary?: string): Promise<Pair[]> {
  return Promise.all(
    read(body, boundary).map(async ([name, value]): Promise<Pair> => {
      if (typeof value === "string") return [name, value];
      return [name, { name: value.name, type: value.type, text: await value.text() }];
    }),
  );
}

const PDF = { name: "fax.pdf", type: "application/pdf", text: "%PDF-1" };
const PDF_TYPE = "\r\nContent-Type: application/pdf";
const OCTETS = "\r\nContent-Type: application/octet-stream";
const LATIN1 = "\r\nContent-Type: text/plain; charset=ISO-8859-1";
const BINARY = "\r\nContent-Transfer-Encoding: binary";
const HEX = "889208e2cd49056c1b0325c34a32fadb";
const GUID = "4b39ed14-752b-480a-9846-fc0019132d15";

/**
 * The boundary and the parts (headers and content) that encoders write. "Recorded" bodies were sent to a socket on
 * 2026-11-24; the names say what was removed. The others are from the named source, or from memory. No bodies of
 * Twilio's and SignalWire's encoders are published.
 */
const ENCODERS: [encoder: string, boundary: string, parts: [headers: string, pair: Pair][]][] = [
  [
    "curl 7.88.1 -F, recorded",
    "------------------------b50d41891b6547ab",
    [
      [`${CD}"From"`, ["From", "Zoë"]],
      [`${CD}"a%22b\\c"`, ['a"b\\c', "1"]],
      [`${CD}"Media"; filename="a%22b.pdf"${PDF_TYPE}`, ["Media", { ...PDF, name: 'a"b.pdf' }]],
    ],
  ],
  [
    "curl 7.88.1 --form-escape, recorded",
    "------------------------d0962f7836b4b16f",
    [
      [`${CD}"a\\"b\\\\c"`, ['a"b\\c', "1"]],
      [`${CD}"Media"; filename="a\\"b.pdf"${PDF_TYPE}`, ["Media", { ...PDF, name: 'a"b.pdf' }]],
    ],
  ],
  [
    "undici 6.24.1 (Node 20.20.2, FormData), recorded, without a backslash at the end of a name",
    "----formdata-undici-082939138603",
    [
      [`${CD}"From"`, ["From", "Zoë"]],
      [`${CD}"a%22%0D%0Ab"`, ['a"\r\nb', "1\r\n2"]],
      [`${CD}"Media"; filename="f%22ax\\.pdf"${PDF_TYPE}`, ["Media", { ...PDF, name: 'f"ax\\.pdf' }]],
    ],
  ],
  [
    "form-data 4.0.6 (clients of multer), recorded, without one part",
    "--------------------------8daef2406503d93a1a744051",
    [
      [`${CD}"From"`, ["From", "Zoë"]],
      [`${CD}"Media"; filename="fax ü.pdf"${PDF_TYPE}`, ["Media", { ...PDF, name: "fax ü.pdf" }]],
    ],
  ],
  [
    "Python requests 2.34.2 with urllib3 2.7.0, two recorded bodies in one",
    HEX,
    [
      [`${CD}"From"`, ["From", "Zoë"]],
      [`${CD}"Media"; filename="fäx%22.pdf"${PDF_TYPE}`, ["Media", { ...PDF, name: 'fäx".pdf' }]],
      [`${CD}"Cover"; filename="fax.pdf"`, ["Cover", { ...PDF, type: "" }]],
    ],
  ],
  [
    "urllib3 before 1.25 (RFC 2231 for file names), from memory",
    HEX,
    [[`${CD}"Media"; filename*=utf-8''f%C3%A4x.pdf${PDF_TYPE}`, ["Media", { ...PDF, name: "fäx.pdf" }]]],
  ],
  [
    "Go mime/multipart, from src/mime/multipart/writer.go",
    HEX,
    [
      [`${CD}"a\\"b\\\\"`, ['a"b\\', "1"]],
      [`${CD}"Media"; filename="fax.pdf"${OCTETS}`, ["Media", { ...PDF, type: "application/octet-stream" }]],
    ],
  ],
  [
    ".NET MultipartFormDataContent, from dotnet/runtime issues 72447 and 121484",
    GUID,
    [
      [`Content-Type: text/plain; charset=utf-8\r\n${CD}FaxSid`, ["FaxSid", "FX1"]],
      [`${PDF_TYPE.trim()}\r\n${CD}Media; filename=fax.pdf; filename*=utf-8''fax.pdf`, ["Media", PDF]],
      [
        `${CD}Media; filename="=?utf-8?B?c3BlY2lhbOKCrGZpbGVuYW1l?="; filename*=utf-8''special%E2%82%ACfilename`,
        ["Media", { name: "special€filename", type: "", text: "%PDF-1" }],
      ],
    ],
  ],
  [
    "Apache HttpClient 4 (STRICT, DEFAULT_TEXT): disposition from FormBodyPart, the rest from memory",
    HEX,
    [
      [`${CD}"FaxSid"${LATIN1}\r\nContent-Transfer-Encoding: 8bit`, ["FaxSid", "FX1"]],
      [`${CD}"Media"; filename="fax.pdf"${PDF_TYPE}${BINARY}`, ["Media", PDF]],
    ],
  ],
  [
    "Apache HttpClient 5: the quoted filename* from its source, the rest from memory",
    HEX,
    [
      [
        `${CD}"Media"; filename="f?.pdf"; filename*="UTF-8''%C3%A4.pdf"${PDF_TYPE}`,
        ["Media", { ...PDF, name: "ä.pdf" }],
      ],
    ],
  ],
  [
    "Ruby multipart-post 2.3.0, from lib/multipart/post/parts.rb",
    "-----------RubyMultipartPost",
    [
      [`${CD}"FaxSid"`, ["FaxSid", "FX1"]],
      [`${CD}"Media"; filename="fax.pdf"\r\nContent-Length: 6${PDF_TYPE}${BINARY}`, ["Media", PDF]],
    ],
  ],
];

describe("readMultipart, bodies of encoders", () => {
  it.each(ENCODERS)("reads the body of %s", async (_, boundary, parts) => {
    let body = "";
    for (const [headers, [, value]] of parts) {
      body += `--${boundary}\r\n${headers}\r\n\r\n${typeof value === "string" ? value : value.text}\r\n`;
    }
    expect(await readPairs(`${body}--${boundary}--\r\n`, boundary)).toEqual(parts.map(([, pair]) => pair));
  });

  it("reads the body of this platform's FormData byte for byte", async () => {
    const form = new FormData();
    const pages = Uint8Array.from({ length: 70_000 }, (_, i) => (i * i) & 255);
    form.append("From", "Zoë\r\n--\r\n");
    form.append("Media", new Blob([pages], { type: "image/tiff" }), "C:\\fax\\1.tiff");
    const sent = new Response(form);
    const boundary = parseContentType(sent.headers.get("content-type")!)!.parameters.get("boundary");
    const [from, media] = read(new Uint8Array(await sent.arrayBuffer()), boundary);
    expect(from).toEqual(["From", "Zoë\r\n--\r\n"]);
    expect(media![1]).toMatchObject({ name: "C:\\fax\\1.tiff", type: "image/tiff", size: pages.length });
    expect(new Uint8Array(await (media![1] as File).arrayBuffer())).toEqual(pages);
  });
});

/** The headers and content of two parts. */
const A = `${CD}a\r\n\r\n1`;
const C = `${CD}c\r\n\r\n2`;
const EVERY_CHARACTER = "!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~";
const PAIR_A: Pair = ["a", "1"];

describe("readMultipart, framing", () => {
  it.each<[string, string, Pair[], string?]>([
    ["no parts", "--b--", []],
    ["no parts and an empty preamble, as Go writes it", "\r\n--b--\r\n", []],
    ["no line break after the closing boundary", `--b\r\n${A}\r\n--b--`, [PAIR_A]],
    ["LF after the closing boundary", `--b\r\n${A}\r\n--b--\n`, [PAIR_A]],
    ["CR after the closing boundary", `--b\r\n${A}\r\n--b-- \r`, [PAIR_A]],
    ["a preamble", `This is a message.\r\nOr --b not.\r\n--b\r\n${A}\r\n--b--`, [PAIR_A]],
    ["an epilogue", `--b\r\n${A}\r\n--b--\r\nThat was --b.\r\n`, [PAIR_A]],
    ["whitespace after boundaries", `--b \t\r\n${A}\r\n--b\t\r\n${C}\r\n--b-- `, [PAIR_A, ["c", "2"]]],
    ["an empty value", one(`${CD}a`, ""), [["a", ""]]],
    ["line breaks in a value", one(`${CD}a`, "\r\n1\r\n\r\n2\n\r\n"), [["a", "\r\n1\r\n\r\n2\n\r\n"]]],
    ["the boundary inside a line", one(`${CD}a`, "x--b\r\n x--b--"), [["a", "x--b\r\n x--b--"]]],
    ["a boundary that is a hyphen", `---\r\n${CD}a\r\n\r\n--\r\n-----\r\n`, [["a", "--"]], "-"],
    ["a repeated name, in order", `--b\r\n${CD}a\r\n\r\n2\r\n--b\r\n${A}\r\n--b--`, [["a", "2"], PAIR_A]],
    ["a boundary of 70 characters", `--a${" ".repeat(68)}a--`, [], `a${" ".repeat(68)}a`],
    ["every boundary character", `--${EVERY_CHARACTER}--`, [], EVERY_CHARACTER],
  ])("reads a body with %s", async (_, body, pairs, boundary) => {
    expect(await readPairs(body, boundary)).toEqual(pairs);
  });

  it.each<[string, string | undefined, string]>([
    ["is missing", undefined, "--undefined--"],
    ["is empty", "", "----"],
    ["has 71 characters", "a".repeat(71), `--${"a".repeat(71)}--`],
    ["ends with a space", "a ", "--a --"],
    ["contains a quote", 'a"', '--a"--'],
    ["contains a backslash", "a\\", "--a\\--"],
    ["is not ASCII", "é", "--é--"],
    ["contains a line break", "a\r\n", "--a\r\n--"],
  ])("refuses a boundary that %s", (_, boundary, body) => {
    expect(() => readMultipart(Buffer.from(body), boundary, LIMITS)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ reason: "unreadable-body" }) }),
    );
  });

  it.each<[string, string]>([
    ["no bytes", ""],
    ["no closing boundary", `--b\r\n${A}\r\n--b\r\n`],
    ["no boundary after the last part", `--b\r\n${A}\r\n`],
    ["half a closing boundary", `--b\r\n${A}\r\n--b-`],
    ["an end within headers", "--b\r\nContent-Disposition: form-"],
    ["an empty part", "--b\r\n--b--"],
    ["a part without headers", one("")],
    // busboy reads this as text.
    ["an empty line that belongs to the boundary", `--b\r\n${CD}a\r\n\r\n--b\r\n${C}\r\n--b--`],
    ["a part without an empty line", `--b\r\n${CD}a\r\n--b--`],
    ["a longer boundary with the same beginning", `--b\r\n${A}\r\n--bb\r\n${C}\r\n--b--`],
    ["LF line breaks", one(`${CD}a`).replaceAll("\r", "")],
    ["LF before a boundary", `--b\r\n${A}\n--b\r\n${C}\r\n--b--`],
    ["LF after a boundary", `--b\n${A}\r\n--b--`],
    ["LF after a header", `--b\r\nX: y\n${A}\r\n--b--`],
    ["a part after LF after the closing boundary", `--b\r\n${A}\r\n--b--\n--b\r\n${C}\r\n--b--`],
    ["a part after CR after the closing boundary", `--b\r\n${A}\r\n--b--\r\r\n--b\r\n${C}\r\n--b--`],
    ["text after the closing boundary", `--b\r\n${A}\r\n--b--x`],
    ["a part in the preamble for parsers that accept LF", `\n--b\r\n${A}\r\n--b\r\n${C}\r\n--b--`],
    ["a part in the epilogue", `${one(`${CD}a`)}--b\r\n${C}\r\n--b--`],
    ["a part in the epilogue for parsers that accept LF", `${one(`${CD}a`)}x\n--b\r\n${C}\r\n--b--`],
    ["a boundary directly after the closing one", `${one(`${CD}a`)}--b`],
    ["a boundary directly after the first one", `--b\r\n--b: x\r\n${A}\r\n--b--`],
    ["text before the closing hyphen", `--b\r\n${A}\r\n--bx-`],
    ["text and LF after a boundary", `--bx\n${A}\r\n--b--`],
    ["one hyphen and text after a boundary", `--b\r\n${A}\r\n--b-x`],
    ["a lone CR after a boundary", `--b\rx${A}\r\n--b--`],
    ["a boundary among the headers", `--b\r\n${CD}a\r\n--b: x\r\n\r\n1\r\n--b--`],
  ])("refuses a body with %s", (_, body) => {
    expect(outcome(body)).toBe("unreadable-body");
  });

  it("reads a view of a larger buffer", async () => {
    const body = Buffer.from(one(`${CD}a`));
    const larger = new Uint8Array(body.length + 20).fill(0x2d);
    larger.set(body, 10);
    expect(await readPairs(larger.subarray(10, 10 + body.length))).toEqual([PAIR_A]);
  });
});

const pairWithFile = (name: string, type = ""): Pair => ["a", { name, type, text: "1" }];

describe("readMultipart, headers of a part", () => {
  it.each<[string, string, Pair]>([
    ["names in any case", 'CONTENT-disposition: Form-Data; NAME="a"', PAIR_A],
    ["no space after the colon", "Content-Disposition:form-data;name=a", PAIR_A],
    ["spaces and tabs", "Content-Disposition: \t form-data \t;\t name=a \t", PAIR_A],
    ["a semicolon at the end", `${CD}a;`, PAIR_A],
    ["other parameters", `${CD}a; x=y; size=3`, PAIR_A],
    ["other and empty headers", `X-Y:\r\n${CD}a\r\nMIME-Version: 1.0`, PAIR_A],
    ["the name __proto__", `${CD}__proto__`, ["__proto__", "1"]],
    ["an empty name", `${CD}""`, ["", "1"]],
    ["a name in UTF-8", `${CD}"Zoë €"`, ["Zoë €", "1"]],
    ["a byte order mark in a name", `${CD}"\ufeffa"`, ["\ufeffa", "1"]],
    ["percent signs that escape nothing", `${CD}"a%2522%20%0d%zz"`, ["a%2522%20%0d%zz", "1"]],
    ["backslashes that escape nothing", `${CD}"a\\b"`, ["a\\b", "1"]],
    ["filename inside another parameter", `${CD}"a; filename=x"`, ["a; filename=x", "1"]],
    ["an empty filename", `${CD}a; filename=""`, pairWithFile("")],
    ["quotes in a filename, as guzzle writes them", `${CD}a; filename="a"b"c.pdf"; x=y`, pairWithFile('a"b"c.pdf')],
    ["a quote at the end of a filename", `${CD}a; filename="a""`, pairWithFile('a"')],
    ["a backslash at the end of a filename", `${CD}a; filename="C:\\"; x="y"`, pairWithFile("C:\\")],
    ["escaped quotes and a semicolon in a filename", `${CD}a; filename="a\\"; b\\""`, pairWithFile('a"; b"')],
    ["control characters in a filename", `${CD}a; filename="a\0\t\x1b\x7fb"`, pairWithFile("a\0\t\x1b\x7fb")],
    ["an unquoted filename with spaces", `${CD}a; filename=my fax (1).pdf ; x=y`, pairWithFile("my fax (1).pdf")],
    ["an unquoted filename in UTF-8", `${CD}a; filename=à`, pairWithFile("à")],
    ["a quoted pair in a filename", `${CD}a; filename="a\\b"`, pairWithFile("a\\b")],
    ["an empty Content-Type", `${CD}a\r\nContent-Type:`, PAIR_A],
    ["a Content-Type of whitespace", `${CD}a\r\nContent-Type: \t`, PAIR_A],
    ["an empty Content-Type of a file", `${CD}a; filename=x\r\nContent-Type:`, pairWithFile("x")],
    ["a quoted pair in a charset", `${CD}a\r\nContent-Type: text/plain; charset="ut\\f-8"`, PAIR_A],
    ["filename* alone", `${CD}a; filename*=UTF-8'en'%e2%82%ac`, pairWithFile("€")],
    ["filename* in another charset", `${CD}a; filename=x; filename*=iso-8859-1''%e9`, pairWithFile("x")],
    ["filename* with a prefix before the charset", `${CD}a; filename*=xutf-8''%20`, pairWithFile("xutf-8''%20")],
    ["filename* that is not UTF-8", `${CD}a; filename*=utf-8''%e9`, pairWithFile("%e9")],
    ["filename* without a charset", `${CD}a; filename*=x`, pairWithFile("x")],
    [
      "a file type with parameters",
      `${CD}a; filename=x\r\nContent-Type: Image/TIFF; name=y`,
      pairWithFile("x", "image/tiff"),
    ],
    ["a malformed file type", `${CD}a; filename=x\r\nContent-Type: pdf, pdf`, pairWithFile("x")],
    [
      "a file in UTF-16",
      `${CD}a; filename=x\r\nContent-Type: text/plain; charset=utf-16`,
      pairWithFile("x", "text/plain"),
    ],
    ["text as an octet-stream", `${CD}a\r\nContent-Type: application/octet-stream`, PAIR_A],
    ["charset UTF8", `${CD}a\r\nContent-Type: text/plain; charset="UTF8"`, PAIR_A],
    ["charset US-ASCII", `${CD}a\r\nContent-Type: text/plain; charset=US-ASCII`, PAIR_A],
    ["charset windows-1252", `${CD}a\r\nContent-Type: text/plain; charset=windows-1252`, PAIR_A],
    ["transfer encoding 7BIT", `${CD}a\r\nContent-Transfer-Encoding: 7BIT`, PAIR_A],
  ])("reads a part with %s", async (_, headers, pair) => {
    expect(await readPairs(one(headers))).toEqual([pair]);
  });

  it.each<[string, string]>([
    ["no Content-Disposition", "Content-Type: text/plain"],
    ["another disposition", "Content-Disposition: attachment; name=a"],
    ["no name", "Content-Disposition: form-data"],
    ["a filename but no name", "Content-Disposition: form-data; filename=a"],
    ["two Content-Dispositions", `${CD}a\r\n${CD}b`],
    ["a name in a filename", `${CD}a; filename="x"; name="y"`],
    ["a name in a filename with quotes", `${CD}a; filename="x"y"; name="z"`],
    ["a name in an unquoted filename", `${CD}a; filename=x y; name=z`],
    ["two filenames with quotes", `${CD}a; filename="x"y"; filename="z"`],
    ["quotes in the name", `${CD}"a"b"`],
    ["quotes in another parameter", `${CD}a; x="a"b"`],
    ["a filename without an end", `${CD}a; filename="x`],
    ["a quote in an unquoted filename", `${CD}a; filename=x"y`],
    ["LF in a filename", `${CD}a; filename="x\ny"`],
    ["CR in a filename", `${CD}a; filename="x\ry"`],
    ["NUL in another parameter", `${CD}a; x="\0"`],
    ["NUL in a Content-Type", `${CD}a; filename=x\r\nContent-Type: text/plain; x="\0"`],
    ["a no-break space as Content-Type", `${CD}a\r\nContent-Type: \u00a0`],
    ["two names", `${CD}a; name=b`],
    ["two names in different case", `${CD}a; NAME=a`],
    ["two filenames", `${CD}a; filename=x; filename=y`],
    ["name*", `${CD}a; name*=utf-8''b`],
    ["two Content-Types", `${CD}a\r\nContent-Type: text/plain\r\ncontent-type: text/html`],
    ["an open quote", `${CD}"a`],
    ["a comma", `${CD}a, form-data; name=b`],
    ["a folded Content-Disposition", `Content-Disposition: form-data;\r\n name=a`],
    ["another folded header", `${CD}a\r\nX: y\r\n\tz`],
    ["a space before the colon", "Content-Disposition : form-data; name=a"],
    ["a header without a colon", `${CD}a\r\nfoo`],
    ["a header without a name", `${CD}a\r\n: x`],
    ["NUL in the name", `${CD}"a\0b"`],
    ["NUL in an ignored header", `${CD}a\r\nX: \0`],
    ["CR in the name", `${CD}"a\rb"`],
    ["transfer encoding base64", `${CD}a\r\nContent-Transfer-Encoding: base64`],
    ["a quoted-printable file", `${CD}a; filename=x\r\nContent-Transfer-Encoding: quoted-printable`],
    ["an empty transfer encoding", `${CD}a\r\nContent-Transfer-Encoding:`],
    ["nested parts", `${CD}a\r\nContent-Type: multipart/mixed; boundary=c`],
    ["nested parts in a file", `${CD}a; filename=x\r\nContent-Type: Multipart/Mixed; boundary=c`],
    ["charset utf-16", `${CD}a\r\nContent-Type: text/plain; charset=utf-16`],
    // In UTF-7, ASCII bytes can encode other characters.
    ["charset utf-7", `${CD}a\r\nContent-Type: text/plain; charset=utf-7`],
    ["charset my-utf-8", `${CD}a\r\nContent-Type: text/plain; charset=my-utf-8`],
    ["charset utf-8-x", `${CD}a\r\nContent-Type: text/plain; charset=utf-8-x`],
    ["charset x-us-ascii", `${CD}a\r\nContent-Type: text/plain; charset=x-us-ascii`],
    ["charset us-ascii-x", `${CD}a\r\nContent-Type: text/plain; charset=us-ascii-x`],
    ["a malformed text type", `${CD}a\r\nContent-Type: text/plain; charset=utf-8, x`],
  ])("refuses a part with %s", (_, headers) => {
    expect(outcome(one(headers))).toBe("unreadable-body");
  });

  const latin1 = (body: string) => Buffer.from(body, "latin1");

  it.each<[string, string | Uint8Array]>([
    ["text", latin1(one(`${CD}a`, "Zo\xeb"))],
    ["a name", latin1(one(`${CD}"Zo\xeb"`))],
    ["text that ends within a character", latin1(one(`${CD}a`, "\xc3"))],
    ["an encoded surrogate", latin1(one(`${CD}a`, "\xed\xa0\x80"))],
    ["ISO-8859-1 text", one(`${CD}a\r\nContent-Type: text/plain; charset=iso-8859-1`, "aë")],
    ["US-ASCII text", one(`${CD}a\r\nContent-Type: text/plain; charset=us-ascii`, "aë")],
    ["ISO-8859-1 text with U+0080", one(`${CD}a\r\nContent-Type: text/plain; charset=iso-8859-1`, "\x80")],
  ])("refuses text that is not UTF-8 or ASCII: %s", (_, body) => expect(outcome(body)).toBe("unreadable-body"));

  it("keeps a file and its name, whatever their encoding", async () => {
    const [[, file]] = read(latin1(one(`${CD}a; filename="Zo\xeb"`, "\xeb"))) as [[string, File]];
    expect(file.name).toBe("Zo\ufffd");
    expect([...new Uint8Array(await file.arrayBuffer())]).toEqual([0xeb]);
  });

  it.each([
    ["a byte order mark, U+FFFD and NUL", "", "\ufeff\ufffd\0"],
    ["DEL in US-ASCII", "; charset=us-ascii", "\x7f"],
  ])("keeps %s in text, as form parsing does", async (_, charset, text) => {
    expect(await readPairs(one(`${CD}a\r\nContent-Type: text/plain${charset}`, text))).toEqual([["a", text]]);
  });
});

describe("readMultipart, a part named Media without a filename", () => {
  it.each(["application/pdf", "application/octet-stream", "image/tiff", "Application/X-PDF; q=1"])(
    "is a file if its type is %s",
    async (type) => {
      const media = { name: "", type: type.split(";")[0]!.toLowerCase(), text: "\0\r\n%PDF" };
      expect(await readPairs(one(`${CD}"Media"\r\nContent-Type: ${type}`, media.text))).toEqual([["Media", media]]);
    },
  );

  it("is the same file as one that this platform's FormData encodes with an empty name", async () => {
    const form = new FormData();
    form.append("Media", new File(["\0%PDF"], ""));
    const sent = new Response(form);
    const boundary = parseContentType(sent.headers.get("content-type")!)!.parameters.get("boundary");
    const [pair] = await readPairs(new Uint8Array(await sent.arrayBuffer()), boundary);
    expect(pair).toEqual(["Media", { name: "", type: "application/octet-stream", text: "\0%PDF" }]);
  });

  it.each(["", "\r\nContent-Type: text/plain", "\r\nContent-Type: Text/HTML", "\r\nContent-Type:"])(
    "is text with the header %j",
    async (header) => {
      expect(await readPairs(one(`${CD}Media${header}`))).toEqual([["Media", "1"]]);
    },
  );

  it("is refused if its type is malformed", () => {
    expect(outcome(one(`${CD}Media\r\nContent-Type: pdf`))).toBe("unreadable-body");
  });

  it.each(["media", "Media2", "MEDIA"])("is text if its name is %s", async (name) => {
    expect(await readPairs(one(`${CD}${name}${PDF_TYPE}`))).toEqual([[name, "1"]]);
  });

  it("counts as media", () => {
    const body = one(`${CD}Media${PDF_TYPE}`, "x".repeat(10));
    expect(outcome(body, "b", { maxFormBytes: 5, maxMediaBytes: 10 })).toBe(1);
    expect(outcome(body, "b", { maxFormBytes: 5, maxMediaBytes: 9 })).toBe("too-large");
  });
});

describe("readMultipart, limits", () => {
  const part = (name: string, value: string) => `--b\r\n${CD}"${name}"\r\n\r\n${value}\r\n`;
  const file = (size: number) => `--b\r\n${CD}"f"; filename="x"\r\n\r\n${"x".repeat(size)}\r\n`;
  const headers = (count: number) =>
    `--b\r\n${CD}a${Array.from({ length: count - 1 }, (_, i) => `\r\nX${i}: y`).join("")}\r\n\r\n1\r\n`;
  const headerBytes = (size: number) => `--b\r\n${`${CD}a\r\nX: `.padEnd(size - 4, "x")}\r\n\r\n1\r\n`;

  it.each<[string, string, Partial<typeof LIMITS>, number | string]>([
    ["accepts 1,000 parts", part("a", "").repeat(1000), {}, 1000],
    ["refuses 1,001 parts", part("a", "").repeat(1001), {}, "too-large"],
    ["accepts 16 headers in a part", headers(16), {}, 1],
    ["refuses 17 headers in a part", headers(17), {}, "too-large"],
    ["accepts 4,096 bytes of headers with their empty line", headerBytes(4096), {}, 1],
    ["refuses 4,097 bytes of headers with their empty line", headerBytes(4097), {}, "too-large"],
    ["refuses 4,096 bytes without an empty line", `--b\r\n${"x".repeat(4096)}\r\n`, {}, "too-large"],
    ["refuses 4,095 bytes without an empty line", `--b\r\n${"x".repeat(4095)}\r\n`, {}, "unreadable-body"],
    ["does not count the preamble", `${"x".repeat(4096)}\r\n--b\r\nX\r\n`, {}, "unreadable-body"],
    ["accepts names and text of maxFormBytes", part("ab", "123"), { maxFormBytes: 5 }, 1],
    ["refuses names and text over maxFormBytes", part("ab", "1234"), { maxFormBytes: 5 }, "too-large"],
    ["refuses a name over maxFormBytes", part("abcdef", ""), { maxFormBytes: 5 }, "too-large"],
    ["refuses several texts over maxFormBytes", part("a", "12") + part("b", "12"), { maxFormBytes: 5 }, "too-large"],
    ["counts bytes of text, not characters", part("a", "€€"), { maxFormBytes: 6 }, "too-large"],
    ["counts bytes of a name, not characters", part("€", ""), { maxFormBytes: 2 }, "too-large"],
    ["refuses the name of a file over maxFormBytes", file(9), { maxFormBytes: 0 }, "too-large"],
    ["accepts a file of maxMediaBytes", file(9), { maxFormBytes: 1, maxMediaBytes: 9 }, 1],
    ["refuses a file over maxMediaBytes", file(10), { maxMediaBytes: 9 }, "too-large"],
    ["refuses several files over maxMediaBytes", file(5) + file(5), { maxMediaBytes: 9 }, "too-large"],
  ])("readMultipart %s", (_, parts, limits, expected) => {
    expect(outcome(`${parts}--b--`, "b", { ...LIMITS, ...limits })).toBe(expected);
  });
});
