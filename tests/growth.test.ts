/** Growth: sixteen times the input takes about sixteen times as long, for every pattern and every loop of src/. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it, vi } from "vitest";
import { FaxResponse, parseFaxCallback, parseFaxRequest, parseTwiml, receive, toTwiml } from "../src/index.js";
import { type FaxWebhookOptions, type HandleRequest, verifyRequest } from "../src/webhook/index.js";
import { parseDisposition, parseHeader } from "../src/webhook/content-type.js";
import { BOUND, boundOf, growthOf, type Run, SHORT, TIMES } from "./measure.js";
import { FORM, open, ORIGIN, setUp, stream, TOKEN } from "./webhook/support.js";

// Linear growth takes a second or two. Quadratic growth takes longer to fail.
vi.setConfig({ testTimeout: 120_000 });

/** A function that creates each text once: the creation is not measured. */
const cached = (create: (length: number) => string) => {
  const texts = new Map<number, string>();
  return (length: number): string => {
    const text = texts.get(length) ?? create(length);
    texts.set(length, text);
    return text;
  };
};

/** Repeats `unit` up to `length` characters, between a start and an end. */
const pumped = (start: string, unit: string, end = "") =>
  cached((length) => start + unit.repeat(Math.max((length / unit.length) | 0, 1)) + end);

/** Joins numbered units up to `length` characters, so that every name differs. */
const numbered = (unit: (i: number) => string, separator = "&") =>
  cached((length) => Array.from({ length: (length / unit(0).length) | 0 }, (_, i) => unit(i)).join(separator));

async function expectLinear(run: Run, label?: string, short?: number): Promise<void> {
  expect(await growthOf(run, short), label).toBeLessThan(BOUND);
}

/** Runs a call, and ignores the library's own errors: it refuses much of this text. */
function refusing(run: Run): Run {
  return (length) => {
    try {
      return run(length);
    } catch (error) {
      if (!(error instanceof Error) || !/^(TwimlError|FaxRequestError)$/.test(error.name)) throw error;
      return undefined;
    }
  };
}

/** Text in URLs and headers. Node's server accepts 16 KiB of headers; other servers accept more. */
const PLACES: Record<string, (length: number) => string> = {
  slashes: pumped("", "/", "x"),
  "slashes at the end": pumped("x", "/"),
  "at signs": pumped("", "@", "/"),
  "escaped at signs": pumped("", "%40"),
  "nearly escaped at signs": pumped("", "%2525", "4"),
  colons: pumped("", ":"),
  "a long port": pumped("a:", "1", "x"),
  ports: pumped("", ":1", "@x"),
  "question marks": pumped("", "?"),
  "hash signs": pumped("", "#"),
  quotes: pumped("?", "'"),
  pairs: pumped("?", "&a='%27"),
  spaces: pumped("", " ", "x"),
  commas: pumped("", ","),
  semicolons: pumped("", ";="),
  controls: pumped("", "\x7f"),
  letters: pumped("", "a"),
  digits: pumped("", "1a"),
  "letters and a line break": pumped("", "a", "\n"),
  "digits and a letter": pumped("", "1", "x"),
  "at signs after slashes": pumped("http:", "/", "@"),
  "at signs in a URL": pumped("http://", "@"),
  "a URL of letters": pumped("http://", "a"),
  "a URL of international letters": pumped("http://", "é"),
  "a URL of controls": pumped("http://a/", "\x7f"),
  "text to escape": pumped("/", '&<"\t'),
  "text that XML cannot represent": pumped("/", "a", "\0"),
  surrogates: pumped("/", "\ud83d\ude00", "\ud800"),
  "one colon": pumped("", "a", ":"),
  hyphens: pumped("x", "- ", "--"),
  separators: pumped("", "-_ "),
  "slashes and a backslash": pumped("", "/", "\\"),
};
describe("growthOf", () => {
  // Retried, because a disturbed short run makes quadratic growth look smaller than it is.
  it("growthOf exceeds BOUND for a quadratic pattern, and not for a linear one", { retry: 5 }, async () => {
    const slashes = pumped("", "/", "x");
    expect(await growthOf((length) => /\/+$/.test(slashes(length)))).toBeGreaterThan(BOUND);
    expect(await growthOf((length) => /\/$/.test(slashes(length)))).toBeLessThan(BOUND);
  });
});

describe("growth: every pattern of src/", () => {
  const root = join(import.meta.dirname, "../src");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const patterns = files.flatMap(findPatterns);

  /** The regular expressions in the syntax tree of a file. */
  function findPatterns(file: string): [string, RegExp][] {
    const tree = ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.ES2022, true);
    const found: [string, RegExp][] = [];
    const visit = (node: ts.Node): void => {
      const [, source, flags] = ts.isRegularExpressionLiteral(node) ? /^\/(.*)\/(.*)$/.exec(node.text)! : [];
      if (source !== undefined) found.push([`${file}: /${source}/${flags}`, new RegExp(source, flags)]);
      ts.forEachChild(node, visit);
    };
    visit(tree);
    return found;
  }

  const STARTS = ["", "/", "http://", "http://a", "http://a/?", "utf-8'", ';a="', ";a", "2022-01-13T21:54:46.", "Thu,"];
  const UNITS = ["a", "A", "1", " ", "\t", "\n", "/", "\\", ":", "@", "%", "%25", "25", "%40", "?", "#", "'", '"', ";"];
  const MORE_UNITS = [..."= & < - _ \0 \x7f é \ud800 😀 \\a :1 a: ;a".split(" "), ';a="', "; "];
  const ENDS = ["", "\0", "\n\0", "@\0", "é "];

  it("findPatterns finds more than 30 regular expressions in src/", () => expect(patterns.length).toBeGreaterThan(30));

  it.each(patterns)("matches in linear time: %s", async (_label, pattern) => {
    const run = (text: string) => (pattern.global ? text.replace(pattern, "") : text.search(pattern));
    for (const start of STARTS) {
      for (const unit of [...UNITS, ...MORE_UNITS]) {
        for (const end of ENDS) {
          const text = pumped(start, unit, end);
          await expectLinear((length) => run(text(length)), JSON.stringify([start, unit, end]));
        }
      }
    }
  });
});

describe("growth: parameters", () => {
  const texts: Record<string, (length: number) => string> = {
    separators: pumped("", "&"),
    "names without a value": pumped("", "&a"),
    "one name repeated": pumped("", "a=1&"),
    "one known name repeated": pumped("", "FaxSid=1&"),
    "different names": numbered((i) => `n${String(i).padStart(6, "0")}=1`),
    "different names, each twice": numbered((i) => `n${String(i >> 1).padStart(6, "0")}=1`),
    "nearly known names": numbered((i) => `fax_sid${"-".repeat(i % 16)}${i % 7}=1`),
    "equals signs": pumped("", "="),
    "one name": pumped("", "a"),
    escapes: pumped("a=", "%41"),
    "invalid escapes": pumped("a=", "%"),
    "an invalid escape in every value": pumped("", "a=%ff&"),
    "plus signs": pumped("", "+"),
    "question marks": pumped("", "?"),
    "lone surrogates": pumped("", "\ud800"),
  };
  it.each(Object.entries(texts))("parses text and bytes in linear time: %s", async (_, text) => {
    // indexOf searches ten bytes in a nanosecond, so only long texts show that it is called too often.
    const [short, times] = [4 * SHORT, 4 * TIMES] as const;
    const bytes = new Map([short, short * times].map((length) => [length, Buffer.from(text(length))]));
    const parseText = refusing((length) => parseFaxRequest(text(length)));
    const parseBytes = refusing((length) => parseFaxCallback(bytes.get(length)!));
    expect(await growthOf(parseText, short, times)).toBeLessThan(boundOf(times));
    expect(await growthOf(parseBytes, short, times)).toBeLessThan(boundOf(times));
  });

  const values = {
    ...PLACES,
    "a time with a long fraction": pumped("2022-01-13T21:54:46.", "1"),
    "a time with a long fraction and no offset": pumped("2022-01-13T21:54:46.", "1", "x"),
    "a time with spaces": pumped("Thu,", " ", "x"),
    "control characters": pumped("", "\0"),
  };
  it.each(Object.entries(values))("parses every known parameter in linear time: %s", async (_, text) => {
    const known = "FaxSid AccountSid From To ApiVersion FaxStatus Status NumPages MediaUrl MediaSid OriginalMediaUrl";
    const names = `${known} ErrorCode ErrorMessage RemoteStationId Timestamp Media`.split(" ");
    const record = (length: number) => Object.fromEntries(names.map((each) => [each, text(length)]));
    await expectLinear(refusing((length) => parseFaxCallback(record(length))));
    await expectLinear(refusing((length) => parseFaxRequest(record(length))));
    const timestamp = (length: number) => ({ FaxSid: "FX1", FaxStatus: "x", Timestamp: text(length) });
    await expectLinear(refusing((length) => parseFaxCallback(timestamp(length))));
  });

  it("parses a long unknown name in linear time, with a text and with lists", async () => {
    const name = pumped("", "-_@");
    const lists = (length: number) => ({ [name(length)]: Array.from({ length }, () => ["x"]) });
    await expectLinear(refusing((length) => parseFaxCallback(lists(length))));
    const other = (length: number) => ({ [name(length)]: "1" });
    await expectLinear(refusing((length) => parseFaxRequest(other(length))));
  });
});

describe("growth: documents", () => {
  it.each(Object.entries(PLACES))("a verb of %s", async (_, text) => {
    const runs: Run[] = [
      (length) => toTwiml(receive({ action: text(length) })),
      (length) => receive({ method: text(length) as "GET" }),
      (length) => receive({ [text(length)]: "1" } as {}),
      (length) => receive({}, { unchecked: { x: text(length) } }),
      (length) => receive({}, { unchecked: { [text(length)]: "1" } }),
      (length) => toTwiml({ verb: text(length) } as never),
      (length) => new FaxResponse().comment(text(length)).toString(),
    ];
    for (const run of runs) await expectLinear(refusing(run));
  });
});

const SIGNATURE = "A".repeat(27) + "=";
const SIGNED = { "x-twilio-signature": SIGNATURE, "x-signalwire-signature": SIGNATURE };

describe("growth: parseTwiml", () => {
  const half = (length: number) => "a".repeat(length / 2 - 4);
  const texts: Record<string, (length: number) => string> = {
    "less-than signs": pumped("", "<"),
    ampersands: pumped("", "&"),
    "ampersands in content": pumped("<Response>", "&", "</Response>"),
    "open character references": pumped('<Response a="', "&#1", '"/>'),
    "a reference of digits": pumped('<Response a="&#', "1", ';"/>'),
    "a reference of letters": pumped('<Response a="&', "a", '"/>'),
    references: pumped('<Response a="', "&amp;", '"/>'),
    "starts of comments": pumped("", "<!--"),
    comments: pumped("<Response>", "<!---->", "</Response>"),
    "hyphens in a comment": pumped("<!--", "- "),
    "a comment without an end": pumped("<!--", "a"),
    "processing instructions": pumped("", "<?a "),
    "spaces in a declaration": pumped("<?xml", " "),
    "spaces after a version": pumped("<?xml version=", " ", "x"),
    "a version of digits": pumped('<?xml version="1.', "1"),
    "ends of CDATA": pumped("<Response>", "]]", "</Response>"),
    "open elements": pumped("", "<a>"),
    "nested elements": cached((length) => "<a>".repeat(length / 8) + "</a>".repeat(length / 8)),
    "a long name": pumped("<", "a", "/>"),
    "a long name, twice": cached((length) => `<${half(length)}></${half(length)}>`),
    "spaces in a tag": pumped("<Response", " "),
    "spaces after a name": pumped("<Response a", " "),
    "an open value": pumped('<Response a="', "'"),
    lines: pumped("<Response>", "\r\n", "<"),
    verbs: pumped("<Response>", "<Reject/>", "</Response>"),
    "a long verb": pumped("<Response><", "Receive", "/></Response>"),
    "a long value": pumped('<Response><Receive pageSize="', "a4", '"/></Response>'),
    attributes: cached(
      (length) => `<Response><Receive ${numbered((i) => `a${i}="1"`, " ")(length * 0.5)}/></Response>`,
    ),
  };
  it.each(Object.entries(texts))("parseTwiml of %s", async (name, text) => {
    // 64,000 characters: a document over 64 KiB is refused at once.
    const run = refusing((length) => parseTwiml(text(length - 30)));
    await expectLinear(run, name, 4000);
  });
});

describe("growth: signatures", () => {
  it.each(Object.entries(PLACES))("verifyRequest takes linear time for %s", async (_, text) => {
    const check = { authToken: TOKEN, signature: SIGNATURE, url: ORIGIN };
    const runs: Run[] = [
      (length) => verifyRequest({ ...check, url: "https://" + text(length) }),
      (length) => verifyRequest({ ...check, url: "https://u:p@h:1/x" + text(length) + "#f" }),
      (length) => verifyRequest({ ...check, params: text(length) }),
      (length) => verifyRequest({ ...check, params: { [text(length)]: text(length) } }),
      (length) => verifyRequest({ ...check, signature: text(length) }),
    ];
    for (const run of runs) await expectLinear(run);
  });

  it("verifyRequest takes linear time for many names, many values, and lists", async () => {
    const names = numbered((i) => `n${String((i * 7919) % 100_003).padStart(6, "0")}=1`);
    const twice = numbered((i) => `n${String(i >> 1).padStart(6, "0")}=${i}`);
    const check = { authToken: TOKEN, signature: SIGNATURE, url: ORIGIN };
    const lists = (length: number) => ({ a: Array.from({ length }, (_, i) => String((i * 7919) % 100_003)) });
    await expectLinear((length) => verifyRequest({ ...check, params: names(length) }));
    await expectLinear((length) => verifyRequest({ ...check, params: twice(length) }));
    await expectLinear((length) => verifyRequest({ ...check, params: lists(length) }));
  });
});

/** Every part of a request that an attacker controls. */
const REQUESTS: Record<string, (text: string) => Partial<HandleRequest> & { headers?: Record<string, string> }> = {
  path: (text) => ({ url: "/" + text }),
  query: (text) => ({ url: "/fax?" + text }),
  "absolute URL": (text) => ({ url: "http://" + text }),
  "query of a GET": (text) => ({ method: "GET", url: "/fax?" + text }),
  Host: (text) => ({ headers: { host: text } }),
  "X-Original-Host": (text) => ({ headers: { "x-original-host": text } }),
  "Content-Type": (text) => ({ headers: { "content-type": FORM + text } }),
  boundary: (text) => ({ headers: { "content-type": "multipart/form-data; boundary=" + text } }),
  "X-Forwarded-*": (text) => ({
    headers: { "x-forwarded-host": text, "x-forwarded-proto": text, "x-forwarded-prefix": "/" + text },
  }),
  "X-Forwarded-Host": (text) => ({ headers: { "x-forwarded-host": `h,${text}`, "x-forwarded-prefix": "/" + text } }),
  Forwarded: (text) => ({ headers: { forwarded: text + ";host=x;proto=https" } }),
  signature: (text) => ({ headers: { "x-twilio-signature": text } }),
  body: (text) => ({ body: text }),
  AccountSid: (text) => ({ body: new URLSearchParams({ AccountSid: text }).toString() }),
};

describe("growth: a request with a wrong signature", () => {
  /** Without white space, which publicUrl must not contain. */
  const base = ({ headers }: { headers: Readonly<Record<string, string>> }) =>
    `https://h/${(headers["x-original-host"] ?? "").replaceAll(/\s/g, "")}`;
  const SETTINGS: [string, Partial<FaxWebhookOptions>][] = [
    ["no publicUrl", { publicUrl: undefined }],
    ["a publicUrl from a function", { publicUrl: base, maxMediaBytes: 1 << 20 }],
    ["a publicUrl with all parts", { publicUrl: "https://u:p@fax.example.com:1/fax?a=1#f", authToken: () => "t" }],
  ];

  describe.each(SETTINGS)("%s", (_, options) => {
    it.each(Object.entries(REQUESTS))("a request with a long %s", async (_, createPart) => {
      const { handle } = setUp(options);
      for (const [name, text] of Object.entries(PLACES)) {
        const made = new Map([SHORT, SHORT * TIMES].map((length) => [length, addPart(createPart(text(length)))]));
        const run = async (length: number) => {
          expect((await handle(made.get(length)!)).status).toBeGreaterThanOrEqual(400);
        };
        await expectLinear(run, name);
      }
    });
  });

  const addPart = ({ headers, ...rest }: ReturnType<(typeof REQUESTS)[string]>): HandleRequest => {
    const all = { host: "fax.example.com", "content-type": FORM, ...SIGNED, ...headers };
    return { method: "POST", url: "/fax", body: "FaxSid=FX1&AccountSid=AC1", ...rest, headers: all };
  };

  it("handle takes linear time for a publicUrl of 15,500 slashes from a header", async () => {
    const publicUrl = (r: { headers: Readonly<Record<string, string>> }) => "https://h" + r.headers["x-original-host"];
    const { handle } = setUp({ publicUrl });
    const slashes = pumped("", "/");
    const headers = (length: number) => ({ "content-type": FORM, ...SIGNED, "x-original-host": slashes(length) + "x" });
    const run = (length: number) => handle({ method: "POST", url: "/fax", headers: headers(length), body: "a=1" });
    await expectLinear(run, undefined, 968);
  });
});

describe("growth: multipart callbacks", () => {
  const head = 'Content-Disposition: form-data; name="';
  const bound = "a".repeat(70);
  const hyphens = "-".repeat(70);
  const headers = Array.from({ length: 15 }, (_, i) => `X${i}: ${"y".repeat(250)}\r\n`).join("");
  const open = `--b\r\n${head}a"\r\n`;
  const close = "\r\n\r\n1\r\n--b--";

  it.each<[string, (length: number) => string, string?]>([
    ["empty parts", pumped("--b", "\r\n\r\n\r\n--b")],
    ["boundaries alone", pumped("", "--b\r\n")],
    ["parts of text", pumped(`--b`, `\r\n${head}a"\r\n\r\n\r\n--b`, "--")],
    ["parts with 16 headers", pumped("", `${open}${headers}\r\n\r\n`, "--b--")],
    ["different names", numbered((i) => `--b\r\n${head}n${String(i).padStart(6, "0")}"\r\n\r\n1`, "\r\n")],
    ["many headers", numbered((i) => (i ? `x${i}:1` : "--b"), "\r\n")],
    ["a long header", pumped("--b\r\nx:", "a")],
    ["a long name", pumped(`--b\r\n${head}`, "a", `"${close}`)],
    ["a name of escapes", pumped(`--b\r\n${head}`, '\\"', `"${close}`)],
    ["an open quote", pumped(`--b\r\n${head}`, "\\a", close)],
    ["a filename of quotes", pumped(`--b\r\n${head}a"; filename*=utf-8''`, "'%27", close)],
    ["starts of the boundary", pumped("--b\r\n", "\r\n--")],
    ["line breaks", pumped("--b\r\n", "\r\n")],
    ["line breaks before the boundary", pumped("", "\r\n", "--b--")],
    ["line breaks in text", pumped(`${open}\r\n`, "\r\n", "--b--")],
    ["spaces after the boundary", pumped("--b", " ")],
    ["hyphens", pumped("--b", "-")],
    ["one long text", pumped(`${open}\r\n`, "a", "\r\n--b--")],
    ["an unknown charset", pumped(`${open}Content-Type: a/b; charset=x\r\n\r\n`, "a", "\r\n--b--")],
    ["half boundaries", pumped(`--${bound}\r\n${head}a"\r\n\r\n`, `\r\n--${bound.slice(1)}b`), bound],
    ["half boundaries in the epilogue", pumped(`--${bound}--\r\n`, `\r\n--${bound.slice(1)}b`), bound],
    ["boundaries without their first hyphen", pumped(`--${bound}\r\n`, `\n-x${bound}`), bound],
    ["nearly the longest boundary", pumped(`--${hyphens}\r\n`, `\r\n${hyphens}-`), hyphens],
    ["hyphens in text", pumped(`--${hyphens}\r\n${head}a"\r\n\r\nx`, "-", `\r\n--${hyphens}--`), hyphens],
    ["hyphens before the first boundary", pumped("x", "-"), hyphens],
  ])("a multipart body of %s", async (_, body, boundary = "b") => {
    const { handle } = setUp({ onCallback: () => {}, maxMediaBytes: 1 << 24, maxFormBytes: 1 << 24 });
    const made = new Map([64 * SHORT, 64 * TIMES * SHORT].map((length) => [length, Buffer.from(body(length))]));
    const headers = { "content-type": `multipart/form-data; boundary=${boundary}`, ...SIGNED };
    const run = (length: number) => handle({ method: "POST", url: "/fax", headers, body: made.get(length) });
    await expectLinear(run, undefined, 64 * SHORT);
  });

  const values = ["a", ";", "; ", ";a", ';a="', ';a="\\', ' ;a="b"', "\\", '"', "/", "a=", "; a=b", "\t"];
  it.each(values)("parseHeader takes linear time for %j", async (unit) => {
    for (const start of ["", "a/b", "a/b;", 'a/b; c="', "a/b; c=", "a/b "]) {
      for (const end of ["", "\0", '"', '"\0']) {
        const text = pumped(start, unit, end);
        await expectLinear((length) => parseHeader(text(length)), JSON.stringify([start, end]), 16 * SHORT);
      }
    }
    const distinct = numbered((i) => `;n${String(i).padStart(6, "0")}="\\a"`, unit === ";" ? ";" : "");
    await expectLinear((length) => parseHeader("a/b" + distinct(length)));
  });

  const filenames = ['"', '" ', '\\"', ';filename="', ';x="";filename="', " x", " ", ";filename=x "];
  it.each(filenames)("parseDisposition of a filename of %j", async (unit) => {
    for (const start of ['filename="', 'filename="a"', "filename=", "filename=x"]) {
      for (const end of ["x", '"']) {
        const text = pumped(`form-data;${start}`, unit, end);
        await expectLinear((length) => parseDisposition(text(length)), JSON.stringify([start, end]), 16 * SHORT);
      }
    }
  });

  it("handle takes linear time for a stream of single bytes, and for many headers of one name", async () => {
    const { handle } = setUp();
    const headers = { "content-type": FORM, ...SIGNED };
    const one = Uint8Array.of(97);
    const bytes = (length: number) => stream(...Array.from({ length }, () => one));
    const streamed = (length: number) => handle({ method: "POST", url: "/fax", headers, body: bytes(length) });
    await expectLinear(streamed);
    const values = (length: number) => ({ ...headers, "x-a": Array.from({ length }, () => "a") });
    const many = (length: number) => handle({ method: "POST", url: "/fax", headers: values(length), body: "a=1" });
    await expectLinear(many);
  });
});

describe("growth: replies", () => {
  it.each(Object.entries(PLACES))(
    "handle takes linear time for If-None-Match and reply headers with %s",
    async (_, text) => {
      const { handle } = open({
        onFax: (_, { headers }) => ({ twiml: receive(), headers: { "x-a": headers["x-a"]! } }),
      });
      const url = "/fax?FaxSid=FX1&AccountSid=AC1&From=1&To=2&ApiVersion=v1";
      const headers = (length: number) => ({ "if-none-match": "W/" + text(length), "x-a": text(length) });
      const run = (length: number) => handle({ method: "GET", url, headers: headers(length) }).catch(() => undefined);
      await expectLinear(run);
    },
  );
});
