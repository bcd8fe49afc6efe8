/** Growth: no pattern and no loop takes much more than sixteen times as long for sixteen times as much text. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it, vi } from "vitest";
import { FaxResponse, parseFaxCallback, parseFaxRequest, receive, toTwiml } from "../src/index.js";
import { type FaxWebhookOptions, type HandleRequest, verifyRequest } from "../src/webhook/index.js";
import { parseHeader } from "../src/webhook/content-type.js";
import { BOUND, boundOf, growthOf, type Run, SHORT, TIMES } from "./measure.js";
import { FORM, open, ORIGIN, setUp, stream, TOKEN } from "./webhook/support.js";

// What is linear takes a second or two; what is not takes its time to fail.
vi.setConfig({ testTimeout: 120_000 });

/** A text of `length` characters that is `unit` again and again, between a beginning and an end. */
const pumped = (start: string, unit: string, end = "") => {
  const whole = new Map<number, string>();
  return (length: number): string => {
    const made = whole.get(length) ?? start + unit.repeat(Math.max((length / unit.length) | 0, 1)) + end;
    whole.set(length, made);
    return made;
  };
};

/** As often as the text has units, numbered, so that every name is another. */
const numbered = (unit: (i: number) => string, joint = "&") => {
  const whole = new Map<number, string>();
  return (length: number): string => {
    const count = (length / unit(0).length) | 0;
    const made = whole.get(length) ?? Array.from({ length: count }, (_, i) => unit(i)).join(joint);
    whole.set(length, made);
    return made;
  };
};

/** The library refuses much of this text. Any other error is a mistake of the test. */
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

describe("growth: the measure itself", () => {
  // Retried, because a disturbance of the short run makes quadratic growth look smaller than it is.
  it("finds a quadratic pattern, and leaves a linear one alone", { retry: 5 }, async () => {
    const slashes = pumped("", "/", "x");
    expect(await growthOf((length) => /\/+$/.test(slashes(length)))).toBeGreaterThan(BOUND);
    expect(await growthOf((length) => /\/$/.test(slashes(length)))).toBeLessThan(BOUND);
  });
});

describe("growth: every pattern of src/", () => {
  const root = join(import.meta.dirname, "../src");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  const patterns = files.flatMap(patternsOf);

  /** The regular expressions of a file, as its syntax tree has them. */
  function patternsOf(file: string): [string, RegExp][] {
    const tree = ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.ES2022, true);
    const found: [string, RegExp][] = [];
    const visit = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) found.push([`${file}: ${node.text}`, toPattern(node.text)]);
      ts.forEachChild(node, visit);
    };
    visit(tree);
    return found;
  }

  function toPattern(literal: string): RegExp {
    const end = literal.lastIndexOf("/");
    return new RegExp(literal.slice(1, end), literal.slice(end + 1));
  }

  const STARTS = ["", "/", "http://", "http://a", "http://a/?", "utf-8'", ';a="', ";a", "2022-01-13T21:54:46.", "Thu,"];
  const UNITS = ["a", "A", "1", " ", "\t", "\n", "/", "\\", ":", "@", "%", "%25", "25", "%40", "?", "#", "'", '"', ";"];
  const MORE_UNITS = [
    ";a",
    ';a="',
    "; ",
    "=",
    "&",
    "<",
    "-",
    "_",
    "\0",
    "\x7f",
    "é",
    "\ud800",
    "😀",
    "\\a",
    ":1",
    "a:",
  ];
  const ENDS = ["", "\0", "\n\0", "@\0", "é "];

  it("is there", () => expect(patterns.length).toBeGreaterThan(30));

  it.each(patterns)("%s", async (_label, pattern) => {
    const run = (text: string) => (pattern.global ? text.replace(pattern, "") : text.search(pattern));
    for (const start of STARTS) {
      for (const unit of [...UNITS, ...MORE_UNITS]) {
        for (const end of ENDS) {
          const text = pumped(start, unit, end);
          expect(await growthOf((length) => run(text(length))), JSON.stringify([start, unit, end])).toBeLessThan(BOUND);
        }
      }
    }
  });
});

describe("growth: parameters", () => {
  const texts: Record<string, (length: number) => string> = {
    "separators alone": pumped("", "&"),
    "names without a value": pumped("", "&a"),
    "one name, again and again": pumped("", "a=1&"),
    "one known name, again and again": pumped("", "FaxSid=1&"),
    "other names": numbered((i) => `n${String(i).padStart(6, "0")}=1`),
    "other names, each twice": numbered((i) => `n${String(i >> 1).padStart(6, "0")}=1`),
    "names that are nearly known": numbered((i) => `fax_sid${"-".repeat(i % 16)}${i % 7}=1`),
    "equals signs": pumped("", "="),
    "one name": pumped("", "a"),
    escapes: pumped("a=", "%41"),
    "escapes that are none": pumped("a=", "%"),
    "an escape that is none, in every value": pumped("", "a=%ff&"),
    "plus signs": pumped("", "+"),
    "question marks": pumped("", "?"),
    "lone surrogates": pumped("", "\ud800"),
  };
  it.each(Object.keys(texts))("text and bytes of %s", async (name) => {
    const text = texts[name]!;
    // The platform looks for a character at ten bytes in a nanosecond: only long texts show who asks for it too often.
    const [short, times] = [4 * SHORT, 4 * TIMES] as const;
    const bytes = new Map([short, short * times].map((length) => [length, Buffer.from(text(length))]));
    const parseText = refusing((length) => parseFaxRequest(text(length)));
    const parseBytes = refusing((length) => parseFaxCallback(bytes.get(length)!));
    expect(await growthOf(parseText, short, times)).toBeLessThan(boundOf(times));
    expect(await growthOf(parseBytes, short, times)).toBeLessThan(boundOf(times));
  });

  const values: Record<string, (length: number) => string> = {
    "at signs": pumped("", "@"),
    "escaped at signs": pumped("", "%40"),
    "at signs behind slashes": pumped("http:", "/", "@"),
    letters: pumped("", "a", "@"),
    "letters and a line end": pumped("", "a", "\n"),
    digits: pumped("", "1"),
    "digits that end otherwise": pumped("", "1", "x"),
    "a URL of letters": pumped("http://", "a"),
    "a URL of international letters": pumped("http://", "é"),
    "a URL of controls": pumped("http://a/", "\x7f"),
    "a time with a long fraction": pumped("2022-01-13T21:54:46.", "1"),
    "a time with a long fraction and no offset": pumped("2022-01-13T21:54:46.", "1", "x"),
    "a time with spaces": pumped("Thu,", " ", "x"),
    controls: pumped("", "\0"),
  };
  it.each(Object.keys(values))("every known parameter of %s", async (name) => {
    const known = "FaxSid AccountSid From To ApiVersion FaxStatus Status NumPages MediaUrl MediaSid OriginalMediaUrl";
    const names = `${known} ErrorCode ErrorMessage RemoteStationId Timestamp Media`.split(" ");
    const record = (length: number) => Object.fromEntries(names.map((each) => [each, values[name]!(length)]));
    expect(await growthOf(refusing((length) => parseFaxCallback(record(length))))).toBeLessThan(BOUND);
    expect(await growthOf(refusing((length) => parseFaxRequest(record(length))))).toBeLessThan(BOUND);
    const odd = (length: number) => ({ FaxSid: "FX1", FaxStatus: "x", Timestamp: values[name]!(length) });
    expect(await growthOf(refusing((length) => parseFaxCallback(odd(length))))).toBeLessThan(BOUND);
  });

  it("names of a stranger, as one and as a list", async () => {
    const name = pumped("", "-_@");
    const lists = (length: number) => ({ [name(length)]: Array.from({ length }, () => ["x"]) });
    expect(await growthOf(refusing((length) => parseFaxCallback(lists(length))))).toBeLessThan(BOUND);
    const other = (length: number) => ({ [name(length)]: "1" });
    expect(await growthOf(refusing((length) => parseFaxRequest(other(length))))).toBeLessThan(BOUND);
  });
});

describe("growth: documents", () => {
  const texts: Record<string, (length: number) => string> = {
    "to escape": pumped("/", '&<"\t'),
    "not to escape": pumped("/", "a"),
    "that XML cannot carry": pumped("/", "a", "\0"),
    "of surrogates": pumped("/", "\ud83d\ude00", "\ud800"),
    "with one colon": pumped("", "a", ":"),
    "of colons": pumped("", ":"),
    "of slashes": pumped("", "/", "\\"),
    "of hyphens": pumped("x", "- ", "--"),
    "of separators": pumped("", "-_ "),
    "of at signs": pumped("http://", "@"),
  };
  it.each(Object.keys(texts))("text %s", async (name) => {
    const text = texts[name]!;
    const runs: Run[] = [
      (length) => toTwiml(receive({ action: text(length) })),
      (length) => receive({ method: text(length) as "GET" }),
      (length) => receive({ [text(length)]: "1" } as {}),
      (length) => receive({}, { unchecked: { x: text(length) } }),
      (length) => receive({}, { unchecked: { [text(length)]: "1" } }),
      (length) => toTwiml({ verb: text(length) } as never),
      (length) => new FaxResponse().comment(text(length)).toString(),
    ];
    for (const run of runs) expect(await growthOf(refusing(run))).toBeLessThan(BOUND);
  });
});

/** What stands in URLs, hosts and other headers. Node's server takes 16 KiB of them; other servers take more. */
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
};
const SIGNATURE = "A".repeat(27) + "=";
const SIGNED = { "x-twilio-signature": SIGNATURE, "x-signalwire-signature": SIGNATURE };

describe("growth: signatures", () => {
  it.each(Object.keys(PLACES))("verifyRequest with %s", async (name) => {
    const text = PLACES[name]!;
    const check = { authToken: TOKEN, signature: SIGNATURE, url: ORIGIN };
    const runs: Run[] = [
      (length) => verifyRequest({ ...check, url: "https://" + text(length) }),
      (length) => verifyRequest({ ...check, url: "https://u:p@h:1/x" + text(length) + "#f" }),
      (length) => verifyRequest({ ...check, params: text(length) }),
      (length) => verifyRequest({ ...check, params: { [text(length)]: text(length) } }),
      (length) => verifyRequest({ ...check, signature: text(length) }),
    ];
    for (const run of runs) expect(await growthOf(run)).toBeLessThan(BOUND);
  });

  it("verifyRequest with many names, many values, and lists", async () => {
    const names = numbered((i) => `n${String((i * 7919) % 100_003).padStart(6, "0")}=1`);
    const twice = numbered((i) => `n${String(i >> 1).padStart(6, "0")}=${i}`);
    const check = { authToken: TOKEN, signature: SIGNATURE, url: ORIGIN };
    const lists = (length: number) => ({ a: Array.from({ length }, (_, i) => String((i * 7919) % 100_003)) });
    expect(await growthOf((length) => verifyRequest({ ...check, params: names(length) }))).toBeLessThan(BOUND);
    expect(await growthOf((length) => verifyRequest({ ...check, params: twice(length) }))).toBeLessThan(BOUND);
    expect(await growthOf((length) => verifyRequest({ ...check, params: lists(length) }))).toBeLessThan(BOUND);
  });
});

/** Every place of a request that a stranger writes. */
const REQUESTS: Record<string, (text: string) => Partial<HandleRequest> & { headers?: Record<string, string> }> = {
  path: (text) => ({ url: "/" + text }),
  query: (text) => ({ url: "/fax?" + text }),
  "absolute URL": (text) => ({ url: "http://" + text }),
  "query of a GET": (text) => ({ method: "GET", url: "/fax?" + text }),
  Host: (text) => ({ headers: { host: text } }),
  "host of its own": (text) => ({ headers: { "x-original-host": text } }),
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

describe("growth: a request with a signature that does not fit", () => {
  /** White space in it is refused, as a mistake of the server's owner. */
  const base = ({ headers }: { headers: Readonly<Record<string, string>> }) =>
    `https://h/${(headers["x-original-host"] ?? "").replaceAll(/\s/g, "")}`;
  const SETTINGS: [string, Partial<FaxWebhookOptions>][] = [
    ["no publicUrl", { publicUrl: undefined }],
    ["a publicUrl from a function", { publicUrl: base, maxMediaBytes: 1 << 20 }],
    ["a publicUrl with all parts", { publicUrl: "https://u:p@fax.example.com:1/fax?a=1#f", authToken: () => "t" }],
  ];
  const cases = SETTINGS.flatMap(([label]) => Object.keys(REQUESTS).map((place) => [place, label] as const));

  it.each(cases)("%s, %s", async (place, label) => {
    const { handle } = setUp(SETTINGS.find(([each]) => each === label)![1]);
    for (const [name, text] of Object.entries(PLACES)) {
      const made = new Map([SHORT, SHORT * TIMES].map((length) => [length, requestWith(place, text(length))]));
      const run = async (length: number) => {
        expect((await handle(made.get(length)!)).status).toBeGreaterThanOrEqual(400);
      };
      expect(await growthOf(run), name).toBeLessThan(BOUND);
    }
  });

  function requestWith(place: string, text: string): HandleRequest {
    const { headers, ...rest } = REQUESTS[place]!(text);
    const own = { host: "fax.example.com", "content-type": FORM, ...SIGNED, ...headers };
    return { method: "POST", url: "/fax", body: "FaxSid=FX1&AccountSid=AC1", ...rest, headers: own };
  }

  it("a publicUrl of 15,500 slashes from a header costs no more than a few ordinary ones", async () => {
    const publicUrl = (r: { headers: Readonly<Record<string, string>> }) => "https://h" + r.headers["x-original-host"];
    const { handle } = setUp({ publicUrl });
    const slashes = pumped("", "/");
    const headers = (length: number) => ({ "content-type": FORM, ...SIGNED, "x-original-host": slashes(length) + "x" });
    const run = (length: number) => handle({ method: "POST", url: "/fax", headers: headers(length), body: "a=1" });
    expect(await growthOf(run, 968)).toBeLessThan(BOUND);
  });
});

describe("growth: deliveries", () => {
  const head = 'Content-Disposition: form-data; name="';
  const bodies: Record<string, (length: number) => string> = {
    "empty parts": pumped("--b", "\r\n\r\n\r\n--b"),
    "parts of text": pumped(`--b`, `\r\n${head}a"\r\n\r\n\r\n--b`, "--"),
    "other names": numbered((i) => `--b\r\n${head}n${String(i).padStart(6, "0")}"\r\n\r\n1`, "\r\n"),
    "many headers": numbered((i) => (i ? `x${i}:1` : "--b"), "\r\n"),
    "a long header": pumped("--b\r\nx:", "a"),
    "a long name": pumped(`--b\r\n${head}`, "a", '"\r\n\r\n1\r\n--b--'),
    "a name of escapes": pumped(`--b\r\n${head}`, '\\"', '"\r\n\r\n1\r\n--b--'),
    "an open quote": pumped(`--b\r\n${head}`, "\\a", "\r\n\r\n1\r\n--b--"),
    "a file name of quotes": pumped(`--b\r\n${head}a"; filename*=utf-8''`, "'%27", "\r\n\r\n1\r\n--b--"),
    "beginnings of the boundary": pumped("--b\r\n", "\r\n--"),
    "line ends": pumped("--b\r\n", "\r\n"),
    "line ends before the boundary": pumped("", "\r\n", "--b--"),
    "spaces behind the boundary": pumped("--b", " "),
    hyphens: pumped("--b", "-"),
    "one long text": pumped(`--b\r\n${head}a"\r\n\r\n`, "a", "\r\n--b--"),
    "an odd charset": pumped(`--b\r\n${head}a"\r\nContent-Type: a/b; charset=x\r\n\r\n`, "a", "\r\n--b--"),
  };
  it.each(Object.keys(bodies))("%s", async (name) => {
    const { handle } = setUp({ onCallback: () => {}, maxMediaBytes: 1 << 24, maxFormBytes: 1 << 20 });
    const made = new Map([4 * SHORT, 64 * SHORT].map((length) => [length, Buffer.from(bodies[name]!(length))]));
    const headers = { "content-type": "multipart/form-data; boundary=b", ...SIGNED };
    const run = (length: number) => handle({ method: "POST", url: "/fax", headers, body: made.get(length) });
    expect(await growthOf(run, 4 * SHORT)).toBeLessThan(BOUND);
  });

  it("a boundary that nearly comes, at the longest", async () => {
    const { handle } = setUp({ onCallback: () => {}, maxMediaBytes: 1 << 24 });
    const boundary = "-".repeat(70);
    const headers = { "content-type": `multipart/form-data; boundary=${boundary}`, ...SIGNED };
    const body = pumped(`--${boundary}\r\n`, `\r\n${"-".repeat(71)}`);
    const run = (length: number) => handle({ method: "POST", url: "/fax", headers, body: body(length) });
    expect(await growthOf(run, 4 * SHORT)).toBeLessThan(BOUND);
  });

  const values = ["a", ";", "; ", ";a", ';a="', ';a="\\', ' ;a="b"', "\\", '"', "/", "a=", "; a=b", "\t"];
  it.each(values)("parseHeader of %j", async (unit) => {
    for (const start of ["", "a/b", "a/b;", 'a/b; c="', "a/b; c=", "a/b "]) {
      for (const end of ["", "\0", '"', '"\0']) {
        const text = pumped(start, unit, end);
        expect(await growthOf((length) => parseHeader(text(length)))).toBeLessThan(BOUND);
      }
    }
    const distinct = numbered((i) => `;n${String(i).padStart(6, "0")}="\\a"`, unit === ";" ? ";" : "");
    expect(await growthOf((length) => parseHeader("a/b" + distinct(length)))).toBeLessThan(BOUND);
  });

  it("a stream of single bytes, and many headers with one name", async () => {
    const { handle } = setUp();
    const headers = { "content-type": FORM, ...SIGNED };
    const one = Uint8Array.of(97);
    const bytes = (length: number) => stream(...Array.from({ length }, () => one));
    const streamed = (length: number) => handle({ method: "POST", url: "/fax", headers, body: bytes(length) });
    expect(await growthOf(streamed)).toBeLessThan(BOUND);
    const values = (length: number) => ({ ...headers, "x-a": Array.from({ length }, () => "a") });
    const many = (length: number) => handle({ method: "POST", url: "/fax", headers: values(length), body: "a=1" });
    expect(await growthOf(many)).toBeLessThan(BOUND);
  });
});

describe("growth: replies", () => {
  it.each(Object.keys(PLACES))("If-None-Match and headers of an answer with %s", async (name) => {
    const text = PLACES[name]!;
    const { handle } = open({
      onFax: (_fax, { headers }) => ({ twiml: receive(), headers: { "x-a": headers["x-a"]! } }),
    });
    const url = "/fax?FaxSid=FX1&AccountSid=AC1&From=1&To=2&ApiVersion=v1";
    const headers = (length: number) => ({ "if-none-match": "W/" + text(length), "x-a": text(length) });
    const run = (length: number) => handle({ method: "GET", url, headers: headers(length) }).catch(() => undefined);
    expect(await growthOf(run)).toBeLessThan(BOUND);
  });
});
