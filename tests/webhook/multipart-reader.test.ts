/** The multipart reader by itself: what it reads and refuses, its limits, and that its work is linear. */
import { BOUND, growthOf } from "../measure.js";
import { describe, expect, it } from "vitest";
import { parseContentType } from "../../src/webhook/content-type.js";
import { MultipartError, readMultipart } from "../../src/webhook/multipart.js";

const LIMITS = { maxFormBytes: 65_536, maxMediaBytes: 1_000_000 };
const CD = "Content-Disposition: form-data; name=";

/** A character for a byte where it is written as such, and UTF-8 for the rest. */
const bytesOf = (body: string | Uint8Array) => (typeof body === "string" ? Buffer.from(body) : body);

const read = (body: string | Uint8Array, boundary: string | undefined = "b", limits = LIMITS) =>
  readMultipart(bytesOf(body), boundary, limits);

/** One part "a" with these headers and content. */
const one = (headers: string, content = "1") => `--b\r\n${headers}\r\n\r\n${content}\r\n--b--\r\n`;

/** The reason of the refusal, or what was read. */
function outcome(body: string | Uint8Array, boundary?: string, limits = LIMITS): unknown {
  try {
    return read(body, boundary, limits);
  } catch (error) {
    if (error instanceof MultipartError) return error.reason;
    throw error;
  }
}

type Told = [name: string, value: string | { name: string; type: string; text: string }];

/** Pairs with the files' bytes, to be compared. */
async function told(body: string | Uint8Array, boundary?: string): Promise<Told[]> {
  return Promise.all(
    read(body, boundary).map(async ([name, value]): Promise<Told> => {
      if (typeof value === "string") return [name, value];
      return [name, { name: value.name, type: value.type, text: await value.text() }];
    }),
  );
}

/**
 * The bytes of deliveries as encoders make them. "Recorded" were sent to a socket on 2026-11-24, and what was changed
 * since is named; the others are written down from what is named, "from memory" from nothing that was looked up.
 * What Twilio's and SignalWire's encoders send is not published: none of these is theirs.
 */
const B = "889208e2cd49056c1b0325c34a32fadb";
const PDF = { name: "fax.pdf", type: "application/pdf", text: "%PDF-1" };
const lines = (...all: string[]) => all.join("\r\n");

const ENCODERS: [encoder: string, contentType: string, body: string, pairs: Told[]][] = [
  [
    "curl 7.88.1 -F, recorded",
    "multipart/form-data; boundary=------------------------b50d41891b6547ab",
    lines(
      "--------------------------b50d41891b6547ab",
      'Content-Disposition: form-data; name="From"',
      "",
      "Zoë",
      "--------------------------b50d41891b6547ab",
      'Content-Disposition: form-data; name="a%22b\\c"',
      "",
      "1",
      "--------------------------b50d41891b6547ab",
      'Content-Disposition: form-data; name="Media"; filename="a%22b.pdf"',
      "Content-Type: application/pdf",
      "",
      "%PDF-1",
      "--------------------------b50d41891b6547ab--",
      "",
    ),
    [
      ["From", "Zoë"],
      ['a"b\\c', "1"],
      ["Media", { ...PDF, name: 'a"b.pdf' }],
    ],
  ],
  [
    "curl 7.88.1 --form-escape, recorded",
    "multipart/form-data; boundary=------------------------d0962f7836b4b16f",
    lines(
      "--------------------------d0962f7836b4b16f",
      'Content-Disposition: form-data; name="a\\"b\\\\c"',
      "",
      "1",
      "--------------------------d0962f7836b4b16f",
      'Content-Disposition: form-data; name="Media"; filename="a\\"b.pdf"',
      "Content-Type: application/pdf",
      "",
      "%PDF-1",
      "--------------------------d0962f7836b4b16f--",
      "",
    ),
    [
      ['a"b\\c', "1"],
      ["Media", { ...PDF, name: 'a"b.pdf' }],
    ],
  ],
  [
    "undici 6.24.1 (Node 20.20.2, FormData), recorded, less a backslash at the end of a name",
    "multipart/form-data; boundary=----formdata-undici-082939138603",
    lines(
      "------formdata-undici-082939138603",
      'Content-Disposition: form-data; name="From"',
      "",
      "Zoë",
      "------formdata-undici-082939138603",
      'Content-Disposition: form-data; name="a%22%0D%0Ab"',
      "",
      "1\r\n2",
      "------formdata-undici-082939138603",
      'Content-Disposition: form-data; name="Media"; filename="f%22ax\\.pdf"',
      "Content-Type: application/pdf",
      "",
      "%PDF-1",
      "------formdata-undici-082939138603--",
      "",
    ),
    [
      ["From", "Zoë"],
      ['a"\r\nb', "1\r\n2"],
      ["Media", { ...PDF, name: 'f"ax\\.pdf' }],
    ],
  ],
  [
    "form-data 4.0.6 (clients of multer), recorded, less one part",
    "multipart/form-data; boundary=--------------------------8daef2406503d93a1a744051",
    lines(
      "----------------------------8daef2406503d93a1a744051",
      'Content-Disposition: form-data; name="From"',
      "",
      "Zoë",
      "----------------------------8daef2406503d93a1a744051",
      'Content-Disposition: form-data; name="Media"; filename="fax ü.pdf"',
      "Content-Type: application/pdf",
      "",
      "%PDF-1",
      "----------------------------8daef2406503d93a1a744051--",
      "",
    ),
    [
      ["From", "Zoë"],
      ["Media", { ...PDF, name: "fax ü.pdf" }],
    ],
  ],
  [
    "Python requests 2.34.2 with urllib3 2.7.0, recorded, two deliveries made one",
    `multipart/form-data; boundary=${B}`,
    lines(
      `--${B}`,
      'Content-Disposition: form-data; name="From"',
      "",
      "Zoë",
      `--${B}`,
      'Content-Disposition: form-data; name="Media"; filename="fäx%22.pdf"',
      "Content-Type: application/pdf",
      "",
      "%PDF-1",
      `--${B}`,
      'Content-Disposition: form-data; name="Cover"; filename="fax.pdf"',
      "",
      "%PDF-1",
      `--${B}--`,
      "",
    ),
    [
      ["From", "Zoë"],
      ["Media", { ...PDF, name: 'fäx".pdf' }],
      ["Cover", { ...PDF, type: "" }],
    ],
  ],
  [
    "urllib3 before 1.25 (RFC 2231 for file names), from memory",
    `multipart/form-data; boundary=${B}`,
    lines(
      `--${B}`,
      "Content-Disposition: form-data; name=\"Media\"; filename*=utf-8''f%C3%A4x.pdf",
      "Content-Type: application/pdf",
      "",
      "%PDF-1",
      `--${B}--`,
      "",
    ),
    [["Media", { ...PDF, name: "fäx.pdf" }]],
  ],
  [
    "Go mime/multipart, from src/mime/multipart/writer.go",
    `multipart/form-data; boundary=${B}`,
    lines(
      `--${B}`,
      'Content-Disposition: form-data; name="a\\"b\\\\"',
      "",
      "1",
      `--${B}`,
      'Content-Disposition: form-data; name="Media"; filename="fax.pdf"',
      "Content-Type: application/octet-stream",
      "",
      "%PDF-1",
      `--${B}--`,
      "",
    ),
    [
      ['a"b\\', "1"],
      ["Media", { ...PDF, type: "application/octet-stream" }],
    ],
  ],
  ["Go mime/multipart without parts, from the same", `multipart/form-data; boundary=${B}`, `\r\n--${B}--\r\n`, []],
  [
    ".NET MultipartFormDataContent, from dotnet/runtime issues 72447 and 121484",
    'multipart/form-data; boundary="4b39ed14-752b-480a-9846-fc0019132d15"',
    lines(
      "--4b39ed14-752b-480a-9846-fc0019132d15",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Disposition: form-data; name=FaxSid",
      "",
      "FX1",
      "--4b39ed14-752b-480a-9846-fc0019132d15",
      "Content-Type: application/pdf",
      "Content-Disposition: form-data; name=Media; filename=fax.pdf; filename*=utf-8''fax.pdf",
      "",
      "%PDF-1",
      "--4b39ed14-752b-480a-9846-fc0019132d15",
      "Content-Disposition: form-data; name=Media; " +
        "filename=\"=?utf-8?B?c3BlY2lhbOKCrGZpbGVuYW1l?=\"; filename*=utf-8''special%E2%82%ACfilename",
      "",
      "%PDF-1",
      "--4b39ed14-752b-480a-9846-fc0019132d15--",
      "",
    ),
    [
      ["FaxSid", "FX1"],
      ["Media", PDF],
      ["Media", { name: "special€filename", type: "", text: "%PDF-1" }],
    ],
  ],
  [
    "Apache HttpClient 4 (STRICT, DEFAULT_TEXT): disposition from FormBodyPart, the rest from memory",
    `multipart/form-data; boundary=${B}; charset=ISO-8859-1`,
    lines(
      `--${B}`,
      'Content-Disposition: form-data; name="FaxSid"',
      "Content-Type: text/plain; charset=ISO-8859-1",
      "Content-Transfer-Encoding: 8bit",
      "",
      "FX1",
      `--${B}`,
      'Content-Disposition: form-data; name="Media"; filename="fax.pdf"',
      "Content-Type: application/pdf",
      "Content-Transfer-Encoding: binary",
      "",
      "%PDF-1",
      `--${B}--`,
      "",
    ),
    [
      ["FaxSid", "FX1"],
      ["Media", PDF],
    ],
  ],
  [
    "Apache HttpClient 5 (filename* in quotes): that from its source, the rest from memory",
    `multipart/form-data; boundary=${B}`,
    lines(
      `--${B}`,
      'Content-Disposition: form-data; name="Media"; filename="f?x.pdf"; filename*="UTF-8\'\'f%C3%A4x.pdf"',
      "Content-Type: application/pdf",
      "",
      "%PDF-1",
      `--${B}--`,
      "",
    ),
    [["Media", { ...PDF, name: "fäx.pdf" }]],
  ],
  [
    "Ruby multipart-post 2.3.0, from lib/multipart/post/parts.rb",
    "multipart/form-data; boundary=-----------RubyMultipartPost",
    lines(
      "-------------RubyMultipartPost",
      'Content-Disposition: form-data; name="FaxSid"',
      "",
      "FX1",
      "-------------RubyMultipartPost",
      'Content-Disposition: form-data; name="Media"; filename="fax.pdf"',
      "Content-Length: 6",
      "Content-Type: application/pdf",
      "Content-Transfer-Encoding: binary",
      "",
      "%PDF-1",
      "-------------RubyMultipartPost--",
      "",
    ),
    [
      ["FaxSid", "FX1"],
      ["Media", PDF],
    ],
  ],
];

describe("readMultipart: what encoders write", () => {
  it.each(ENCODERS)("reads %s", async (_, contentType, body, pairs) => {
    expect(await told(body, parseContentType(contentType)!.parameters.get("boundary"))).toEqual(pairs);
  });

  it("reads what this platform's FormData writes, byte for byte", async () => {
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

describe("readMultipart: the frame", () => {
  it.each<[string, string, string, Told[]]>([
    ["no parts", "b", "--b--", []],
    ["no line end behind the last boundary", "b", `--b\r\n${CD}a\r\n\r\n1\r\n--b--`, [["a", "1"]]],
    ["a preamble", "b", `This is a message.\r\nOr --b not.\r\n--b\r\n${CD}a\r\n\r\n1\r\n--b--`, [["a", "1"]]],
    ["an empty preamble", "b", `\r\n--b\r\n${CD}a\r\n\r\n1\r\n--b--`, [["a", "1"]]],
    ["an epilogue", "b", `--b\r\n${CD}a\r\n\r\n1\r\n--b--\r\nThat was --b.\r\n`, [["a", "1"]]],
    [
      "white space behind boundaries",
      "b",
      `--b \t\r\n${CD}a\r\n\r\n1\r\n--b\t\r\n${CD}b\r\n\r\n2\r\n--b-- `,
      [
        ["a", "1"],
        ["b", "2"],
      ],
    ],
    ["an empty value", "b", one(`${CD}a`, ""), [["a", ""]]],
    ["line ends in a value", "b", one(`${CD}a`, "\r\n1\r\n\r\n2\n\r\n"), [["a", "\r\n1\r\n\r\n2\n\r\n"]]],
    ["the boundary within a line", "b", one(`${CD}a`, "x--b\r\n x--b--"), [["a", "x--b\r\n x--b--"]]],
    ["hyphens alone", "-", `---\r\n${CD}a\r\n\r\n--\r\n-----\r\n`, [["a", "--"]]],
    [
      "names that come twice, in order",
      "b",
      `--b\r\n${CD}a\r\n\r\n1\r\n--b\r\n${CD}a\r\n\r\n2\r\n--b--`,
      [
        ["a", "1"],
        ["a", "2"],
      ],
    ],
    ["a boundary of 70 characters", `a${" ".repeat(68)}a`, `--a${" ".repeat(68)}a--`, []],
    [
      "every character that a boundary may have",
      "!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~",
      "--!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~--",
      [],
    ],
  ])("reads %s", async (_, boundary, body, pairs) => {
    expect(await told(body, boundary)).toEqual(pairs);
  });

  it.each<[string, string | undefined, string]>([
    ["nothing at all", "b", ""],
    ["no boundary in its type", undefined, "----"],
    ["an empty boundary", "", "----"],
    ["a boundary of 71 characters", "a".repeat(71), `--${"a".repeat(71)}--`],
    ["a boundary that ends in a space", "a ", "--a --"],
    ["a boundary with a quote", 'a"', '--a"--'],
    ["a boundary with a backslash", "a\\", "--a\\--"],
    ["a boundary beyond ASCII", "é", "--é--"],
    ["a boundary with a line end", "a\r\n", "--a\r\n--"],
    ["no closing boundary", "b", `--b\r\n${CD}a\r\n\r\n1\r\n--b\r\n`],
    ["no boundary behind the last part", "b", `--b\r\n${CD}a\r\n\r\n1\r\n`],
    ["half a closing boundary", "b", `--b\r\n${CD}a\r\n\r\n1\r\n--b-`],
    ["a cut within headers", "b", "--b\r\nContent-Disposition: form-"],
    ["a part without anything", "b", "--b\r\n--b--"],
    ["a part without headers", "b", one("", "1")],
    [
      "an empty line that is the boundary's, which busboy reads as text",
      "b",
      `--b\r\n${CD}a\r\n\r\n--b\r\n${CD}c\r\n\r\n1\r\n--b--`,
    ],
    ["a part without an empty line", "b", `--b\r\n${CD}a\r\n--b--`],
    ["a longer boundary that begins like ours", "b", `--b\r\n${CD}a\r\n\r\n1\r\n--bb\r\n${CD}c\r\n\r\n2\r\n--b--`],
    ["LF for line ends", "b", one(`${CD}a`).replaceAll("\r", "")],
    ["LF before a boundary", "b", `--b\r\n${CD}a\r\n\r\n1\n--b\r\n${CD}c\r\n\r\n2\r\n--b--`],
    ["LF behind a boundary", "b", `--b\n${CD}a\r\n\r\n1\r\n--b--`],
    ["LF after a header", "b", `--b\r\nX: y\n${CD}a\r\n\r\n1\r\n--b--`],
    ["LF behind the last boundary", "b", `--b\r\n${CD}a\r\n\r\n1\r\n--b--\n`],
    ["text behind the last boundary", "b", `--b\r\n${CD}a\r\n\r\n1\r\n--b--x`],
    ["a part in the preamble, for readers of LF", "b", `\n--b\r\n${CD}a\r\n\r\n1\r\n--b\r\n${CD}c\r\n\r\n2\r\n--b--`],
    ["a part in the epilogue", "b", `${one(`${CD}a`)}--b\r\n${CD}c\r\n\r\n2\r\n--b--`],
    ["a part in the epilogue, for readers of LF", "b", `${one(`${CD}a`)}x\n--b\r\n${CD}c\r\n\r\n2\r\n--b--`],
    ["a boundary right behind the last one", "b", `${one(`${CD}a`)}--b`],
    ["a boundary right behind the first one", "b", `--b\r\n--b: x\r\n${CD}a\r\n\r\n1\r\n--b--`],
    ["one hyphen and more behind a boundary", "b", `--b\r\n${CD}a\r\n\r\n1\r\n--b-x`],
    ["a CR alone behind a boundary", "b", `--b\rx${CD}a\r\n\r\n1\r\n--b--`],
    ["a boundary among the headers", "b", `--b\r\n${CD}a\r\n--b: x\r\n\r\n1\r\n--b--`],
  ])("refuses %s", (_, boundary, body) => {
    expect(() => readMultipart(Buffer.from(body), boundary, LIMITS)).toThrow(
      expect.objectContaining({ name: "MultipartError", reason: "unreadable-body" }),
    );
  });

  it("reads bytes that are a part of a larger buffer", async () => {
    const body = Buffer.from(one(`${CD}a`));
    const larger = new Uint8Array(body.length + 20).fill(0x2d);
    larger.set(body, 10);
    expect(await told(larger.subarray(10, 10 + body.length))).toEqual([["a", "1"]]);
  });
});

describe("readMultipart: the headers of a part", () => {
  it.each<[string, string, Told]>([
    ["any case", 'CONTENT-disposition: Form-Data; NAME="a"', ["a", "1"]],
    ["no space behind the colon", "Content-Disposition:form-data;name=a", ["a", "1"]],
    ["much space", "Content-Disposition: \t form-data \t;\t name=a \t", ["a", "1"]],
    ["a semicolon at the end", `${CD}a;`, ["a", "1"]],
    ["other parameters", `${CD}a; x=y; size=3`, ["a", "1"]],
    ["other headers, empty ones too", `X-Y:\r\n${CD}a\r\nMIME-Version: 1.0`, ["a", "1"]],
    ["names as record keys", `${CD}__proto__`, ["__proto__", "1"]],
    ["an empty name", `${CD}""`, ["", "1"]],
    ["a name in UTF-8", `${CD}"Zoë €"`, ["Zoë €", "1"]],
    ["a byte order mark in a name", `${CD}"\ufeffa"`, ["\ufeffa", "1"]],
    ["percent signs that are nobody's escape", `${CD}"a%2522%20%0d%zz"`, ["a%2522%20%0d%zz", "1"]],
    ["backslashes that escape nothing", `${CD}"a\\b"`, ["a\\b", "1"]],
    ["filename within another parameter", `${CD}"a; filename=x"`, ["a; filename=x", "1"]],
    ["an empty filename", `${CD}a; filename=""`, ["a", { name: "", type: "", text: "1" }]],
    ["filename* alone", `${CD}a; filename*=UTF-8'en'%e2%82%ac`, ["a", { name: "€", type: "", text: "1" }]],
    [
      "filename* of another charset",
      `${CD}a; filename=x; filename*=iso-8859-1''%e9`,
      ["a", { name: "x", type: "", text: "1" }],
    ],
    ["filename* that is broken", `${CD}a; filename*=utf-8''%e9`, ["a", { name: "%e9", type: "", text: "1" }]],
    ["filename* without a charset", `${CD}a; filename*=x`, ["a", { name: "x", type: "", text: "1" }]],
    [
      "a file's type without parameters",
      `${CD}a; filename=x\r\nContent-Type: Image/TIFF; name=y`,
      ["a", { name: "x", type: "image/tiff", text: "1" }],
    ],
    [
      "a file's type that is malformed",
      `${CD}a; filename=x\r\nContent-Type: pdf, pdf`,
      ["a", { name: "x", type: "", text: "1" }],
    ],
    [
      "a file in any charset",
      `${CD}a; filename=x\r\nContent-Type: text/plain; charset=utf-16`,
      ["a", { name: "x", type: "text/plain", text: "1" }],
    ],
    ["text of an octet-stream", `${CD}a\r\nContent-Type: application/octet-stream`, ["a", "1"]],
    ["utf8", `${CD}a\r\nContent-Type: text/plain; charset="UTF8"`, ["a", "1"]],
    ["us-ascii", `${CD}a\r\nContent-Type: text/plain; charset=US-ASCII`, ["a", "1"]],
    ["7bit", `${CD}a\r\nContent-Transfer-Encoding: 7BIT`, ["a", "1"]],
  ])("reads %s", async (_, headers, pair) => {
    expect(await told(one(headers))).toEqual([pair]);
  });

  it.each<[string, string]>([
    ["no Content-Disposition", "Content-Type: text/plain"],
    ["another disposition", "Content-Disposition: attachment; name=a"],
    ["no name", "Content-Disposition: form-data"],
    ["a filename alone", "Content-Disposition: form-data; filename=a"],
    ["two Content-Dispositions", `${CD}a\r\n${CD}b`],
    ["two names", `${CD}a; name=b`],
    ["two names in two cases", `${CD}a; NAME=a`],
    ["two filenames", `${CD}a; filename=x; filename=y`],
    ["name*", `${CD}a; name*=utf-8''b`],
    ["two Content-Types", `${CD}a\r\nContent-Type: text/plain\r\ncontent-type: text/html`],
    ["a quote that is not closed", `${CD}"a`],
    ["a quote that an escape leaves open", `${CD}"a\\"`],
    ["text behind a quote", `${CD}"a"b`],
    ["a name with a quote that nobody escaped", `${CD}"a"b"`],
    ["a name without quotes that needs them", `${CD}a b`],
    ["a comma", `${CD}a, form-data; name=b`],
    ["no-break space", `${CD}a\u00a0`],
    ["a folded line", `Content-Disposition: form-data;\r\n name=a`],
    ["a folded line of another header", `${CD}a\r\nX: y\r\n\tz`],
    ["space before the colon", "Content-Disposition : form-data; name=a"],
    ["a line without a colon", `${CD}a\r\nfoo`],
    ["a header without a name", `${CD}a\r\n: x`],
    ["NUL in a name", `${CD}"a\0b"`],
    ["NUL in a header that nobody reads", `${CD}a\r\nX: \0`],
    ["an escape character", `${CD}"a\x1b"`],
    ["DEL", `${CD}"a\x7f"`],
    ["a lone CR", `${CD}"a\rb"`],
    ["base64", `${CD}a\r\nContent-Transfer-Encoding: base64`],
    ["quoted-printable", `${CD}a; filename=x\r\nContent-Transfer-Encoding: quoted-printable`],
    ["an empty transfer encoding", `${CD}a\r\nContent-Transfer-Encoding:`],
    ["parts within a part", `${CD}a\r\nContent-Type: multipart/mixed; boundary=c`],
    ["parts within a file", `${CD}a; filename=x\r\nContent-Type: Multipart/Mixed; boundary=c`],
    ["utf-16", `${CD}a\r\nContent-Type: text/plain; charset=utf-16`],
    ["utf-7, whose ASCII is no ASCII", `${CD}a\r\nContent-Type: text/plain; charset=utf-7`],
    ["a text's type that is malformed", `${CD}a\r\nContent-Type: text/plain; charset=utf-8, x`],
  ])("refuses %s", (_, headers) => {
    expect(outcome(one(headers))).toBe("unreadable-body");
  });

  const latin1 = (body: string) => Buffer.from(body, "latin1");
  it("takes text and names for UTF-8 and nothing else, and file names and files for what they are", async () => {
    expect(outcome(latin1(one(`${CD}a`, "Zo\xeb")))).toBe("unreadable-body");
    expect(outcome(latin1(one(`${CD}"Zo\xeb"`)))).toBe("unreadable-body");
    for (const charset of ["iso-8859-1", "us-ascii", "windows-1252"]) {
      expect(outcome(one(`${CD}a\r\nContent-Type: text/plain; charset=${charset}`, "ë"))).toBe("unreadable-body");
    }
    const [[, file]] = read(latin1(one(`${CD}a; filename="Zo\xeb"`, "\xeb"))) as [[string, File]];
    expect(file.name).toBe("Zo\ufffd");
    expect([...new Uint8Array(await file.arrayBuffer())]).toEqual([0xeb]);
    // What the form reader keeps, this keeps: a byte order mark and U+FFFD that came as such.
    expect(await told(one(`${CD}a`, "\ufeff\ufffd\0"))).toEqual([["a", "\ufeff\ufffd\0"]]);
  });
});

describe("readMultipart: limits", () => {
  const part = (name: string, value: string) => `--b\r\n${CD}"${name}"\r\n\r\n${value}\r\n`;
  const file = (size: number) => `--b\r\n${CD}"f"; filename="x"\r\n\r\n${"x".repeat(size)}\r\n`;
  const lengthOf = (result: unknown) => (Array.isArray(result) ? result.length : result);

  it.each<[string, string, Partial<typeof LIMITS>, number | string]>([
    ["1,000 parts", part("a", "").repeat(1000), {}, 1000],
    ["1,001 parts", part("a", "").repeat(1001), {}, "too-large"],
    ["text of the limit, names counted", part("ab", "123"), { maxFormBytes: 5 }, 1],
    ["text over the limit", part("ab", "1234"), { maxFormBytes: 5 }, "too-large"],
    ["names alone over the limit", part("abcdef", ""), { maxFormBytes: 5 }, "too-large"],
    ["text over the limit in all", part("a", "12") + part("b", "12"), { maxFormBytes: 5 }, "too-large"],
    ["bytes, not characters", part("a", "€€"), { maxFormBytes: 6 }, "too-large"],
    ["bytes of a name", part("€", ""), { maxFormBytes: 2 }, "too-large"],
    ["the name of a file", file(9), { maxFormBytes: 0 }, "too-large"],
    ["a file of the limit", file(9), { maxFormBytes: 1, maxMediaBytes: 9 }, 1],
    ["a file over the limit", file(10), { maxMediaBytes: 9 }, "too-large"],
    ["files over the limit in all", file(5) + file(5), { maxMediaBytes: 9 }, "too-large"],
  ])("%s", (_, parts, limits, expected) => {
    expect(lengthOf(outcome(`${parts}--b--`, "b", { ...LIMITS, ...limits }))).toBe(expected);
  });

  it("takes 4,096 bytes of headers with their empty line, and not one more", () => {
    const padded = (size: number) => one(`${CD}a\r\nX: ${"x".repeat(size - `${CD}a\r\nX: \r\n\r\n`.length)}`);
    expect(lengthOf(outcome(padded(4096)))).toBe(1);
    expect(outcome(padded(4097))).toBe("too-large");
  });

  it("takes 16 headers, and not one more", () => {
    const headers = (count: number) => [`${CD}a`, ...Array.from({ length: count - 1 }, (_, i) => `X${i}: y`)];
    expect(lengthOf(outcome(one(headers(16).join("\r\n"))))).toBe(1);
    expect(outcome(one(headers(17).join("\r\n")))).toBe("too-large");
  });
});

describe("readMultipart: work", () => {
  const MIB = 1 << 20;
  const filled = (text: string, size: number) => Buffer.alloc(size, text);
  const around = (middle: Buffer, boundary = "b", headers = `${CD}a; filename=x`) =>
    Buffer.concat([Buffer.from(`--${boundary}\r\n${headers}\r\n\r\n`), middle, Buffer.from(`\r\n--${boundary}--`)]);
  const big = { maxFormBytes: 64 * MIB, maxMediaBytes: 64 * MIB };
  const bound = "a".repeat(70);

  /** Bodies of about `size` bytes that a stranger would choose. */
  const WORST: [string, string, (size: number) => Buffer][] = [
    ["half a boundary again and again", bound, (size) => around(filled(`\r\n--${bound.slice(1)}b`, size), bound)],
    ["a boundary but for its first hyphen", bound, (size) => around(filled(`\n-x${bound}`, size), bound)],
    ["hyphens", "-".repeat(70), (size) => around(filled("-", size).fill("x", 0, 1), "-".repeat(70))],
    [
      "hyphens before the first boundary",
      "-".repeat(70),
      (size) => Buffer.concat([Buffer.from("x"), filled("-", size)]),
    ],
    ["line ends", "b", (size) => around(filled("\r\n", size))],
    ["tiny parts", "b", (size) => filled(`--b\r\n${CD}a\r\n\r\n\r\n`, size)],
    ["boundaries alone", "b", (size) => filled("--b\r\n", size)],
    ["headers in one part", "b", (size) => around(filled("a:\r\n", size), "b", "X: y")],
    ["one long header", "b", (size) => around(filled("a", size), "b", `${CD}a\r\nX: `).fill("a", 40, size)],
    ["white space behind a boundary", "b", (size) => Buffer.concat([Buffer.from("--b"), filled(" ", size)])],
    [
      "an epilogue of half boundaries",
      bound,
      (size) => Buffer.concat([Buffer.from(`--${bound}--\r\n`), filled(`\r\n--${bound.slice(1)}b`, size)]),
    ],
    [
      "1,000 parts of 16 headers",
      "b",
      (size) => {
        const headers = Array.from({ length: 15 }, (_, i) => `X${i}: ${"y".repeat(250)}`).join("\r\n");
        return Buffer.concat([filled(`--b\r\n${CD}a\r\n${headers}\r\n\r\n\r\n`, size), Buffer.from("--b--")]);
      },
    ],
  ];

  it.each(WORST)(
    "reads or refuses sixteen times as much in no more than its share of time: %s",
    async (_, boundary, make) => {
      const bodies = new Map([MIB / 2, 8 * MIB].map((size) => [size, make(size)]));
      expect(await growthOf((size) => outcome(bodies.get(size)!, boundary, big), MIB / 2)).toBeLessThan(BOUND);
    },
  );
});

describe("readMultipart: what it says", () => {
  const field = (headers: string, body = "1") => `--b\r\n${headers}\r\n\r\n${body}\r\n--b--\r\n`;
  const named = (more: string, body?: string) => field(`${CD}"a"\r\n${more}`, body);
  it.each<[string, string, number?]>([
    ["--b\r\n" + CD + '"a"\r\n\r\n1\r\n', "Look for what cuts the delivery"],
    ["--b\r\n" + CD + '"a"\r\n\r\n1\n--b--\r\n', "End every line before a boundary with CR LF"],
    ["--b\r\n" + CD + '"a"\r\n\r\n1\r\n--bx\r\n--b--\r\n', "Choose a boundary that begins no other line"],
    [field(CD + '"a"') + "--b\r\n", "Send nothing behind the closing boundary"],
    [named("Content-Type: multipart/mixed; boundary=c"), "Send each file as a part: a part holds parts."],
    [named("Content-Transfer-Encoding: base64"), "Send the parts as they are: one has a Content-Transfer-Encoding"],
    [field("Content-Disposition: attachment"), 'Give every part one "Content-Disposition: form-data'],
    [named(CD + '"b"'), "Send each header of a part once, on one line"],
    [named("Content-Type: text/plain; charset=utf-16"), "Send text as UTF-8: a part names another charset."],
    [named("Content-Type: text/plain; charset=my-utf-8"), "Send text as UTF-8: a part names another charset."],
    [named("Content-Type: text/plain; charset=utf-8-x"), "Send text as UTF-8: a part names another charset."],
    [field(CD + '"a"', "x".repeat(65_537)), "Raise maxFormBytes, or send less"],
    [field(CD + '"Media"; filename="a.pdf"', "x".repeat(1_000_001)), "Raise maxMediaBytes, or send less"],
    ["--b\r\n" + CD + '"a"\r\n1\r\n--b--\r\n', "Put an empty line behind the headers of every part"],
    [named("X: " + "x".repeat(20_000)), "Send shorter headers: those of a part are over"],
    [named(Array.from({ length: 40 }, (_, i) => `X-${i}: 1`).join("\r\n")), "Send fewer headers: a part has more than"],
    [Array(1001).fill(`--b\r\n${CD}"a"\r\n\r\n\r\n`).join("") + "--b--\r\n", "Send fewer parts: more than 1000 came."],
  ])("case %#: %s", (body, words) => {
    expect(() => read(body)).toThrow(words);
  });

  it("says that names have to be UTF-8", () => {
    const body = Buffer.from(field(CD + '"\xe9"'), "latin1");
    expect(() => read(body)).toThrow("Send names and text as UTF-8: some of it is not.");
  });
});
