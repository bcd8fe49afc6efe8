import { describe, expect, it, vi } from "vitest";
import {
  FAX_STATUSES,
  type FaxCallback,
  type FaxParser,
  type FaxRequest,
  FaxRequestError,
  parseFax,
  parseFaxCallback,
  parseFaxRequest,
} from "../../src/index.js";
import { CALLBACK_PARAM_NAMES, COMMON_PARAM_NAMES, isCallback } from "../../src/params/fax.js";
import { readParams } from "../../src/params/received-params.js";

const REQUEST = { FaxSid: "FX1", AccountSid: "AC1", From: "+15017122661", To: "+15558675310", ApiVersion: "v1" };
const CALLBACK = { ...REQUEST, FaxStatus: "received" };
const PDF = new File(["%PDF-1.7"], "fax.pdf", { type: "application/pdf" });

type AnyParser = FaxParser<FaxRequest | FaxCallback>;

/** The parsers, each with the parameters that it requires. */
const PARSERS: [string, AnyParser, Record<string, string>][] = [
  ["parseFaxRequest", parseFaxRequest, REQUEST],
  ["parseFaxCallback", parseFaxCallback, CALLBACK],
];

/** The parsed fax, or the thrown error. Both have `issues`. */
function attempt(parse: AnyParser, source: unknown): FaxRequest | FaxCallback | FaxRequestError {
  try {
    return parse(source as object);
  } catch (error) {
    expect(error).toBeInstanceOf(FaxRequestError);
    expect(error).toMatchObject({ name: "FaxRequestError", code: "invalid-parameters", status: 400, statusCode: 400 });
    return error as FaxRequestError;
  }
}

function refusal(parse: AnyParser, source: unknown): FaxRequestError {
  const error = attempt(parse, source);
  return error instanceof FaxRequestError ? error : expect.fail("nothing was thrown");
}

/** The issues, thrown or noted, as "parameter code". Checks that they can be logged: short, one line, printable. */
function codes(parse: AnyParser, source: unknown): string[] {
  const result = attempt(parse, source);
  const text = result instanceof FaxRequestError ? result.message : "…";
  expect(text.length).toBeLessThan(2000);
  for (const line of [text, ...result.issues.map(({ message }) => message)]) expect(line).toMatch(/^[\x20-\x7e…]+$/);
  for (const { parameter, message } of result.issues) {
    expect(parameter.length).toBeLessThanOrEqual(64);
    expect(message.length).toBeLessThan(700);
  }
  return result.issues.map(({ parameter, code }) => `${parameter} ${code}`);
}

function without(name: string, source: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(source).filter(([each]) => each !== name));
}

function toForm(params: Record<string, string | Blob>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(params)) form.append(name, value as string);
  return form;
}

function toBody(params: Record<string, string>): string {
  return new URLSearchParams(params).toString();
}

function rows(text: string): string[] {
  return text.trim().split(/ |\n */);
}

describe.each(PARSERS)("%s", (_, parse, params) => {
  const names = Object.keys(params);
  /** In the order of the issues: those that refuse a callback are first. */
  const ordered = names.includes("FaxStatus") ? [...new Set(["FaxSid", "FaxStatus", ...names])] : names;
  const allMissing = ordered.map((name) => `${name} missing`);

  it("reads the parameters of a body, of FormData and of an object", () => {
    for (const source of [toBody(params), toForm(params), params]) {
      const fax = attempt(parse, source);
      expect(fax).toMatchObject({ faxSid: "FX1", accountSid: "AC1", from: "+15017122661", to: "+15558675310" });
      expect(fax).toMatchObject({ apiVersion: "v1", issues: [], params });
    }
  });

  it("returns a plain frozen object", () => {
    const fax = parse(params);
    expect([fax, fax.params, fax.issues].map(Object.isFrozen)).toEqual([true, true, true]);
    expect(Object.getPrototypeOf(fax)).toBe(Object.prototype);
  });

  it("keeps unknown names, also those that objects have or inherit", () => {
    const extra = { New: "1", constructor: "2", toString: "3", "": "4", faxSid: "5" };
    const fax = parse(`${toBody({ ...params, ...extra })}&__proto__=6`);
    expect(Object.entries(fax.params)).toEqual([...Object.entries({ ...params, ...extra }), ["__proto__", "6"]]);
    expect(fax.faxSid).toBe("FX1");
  });

  const numbers = [
    "anonymous",
    "+266696687",
    "12345",
    "sip:fax@example.com;transport=tls",
    'Jörg\'s "Fax" <1>',
    "日本",
  ];
  it.each(["", "\0", ...numbers])("accepts the caller and the called number %j", (text) => {
    const fax = attempt(parse, { ...params, From: text, To: text || "1" });
    expect(fax).toMatchObject({ from: text, to: text || "1", issues: [] });
  });

  it.each([
    ...[`FX${"0".repeat(32)}`, "3f8f1a4e-8d3b-4d1f-9b43-6f1e0d2c5a77", "x".repeat(40), "test_FAX-1"],
    ...["a", "0", "_", "-"],
  ])("accepts the SID %s", (sid) => {
    const fax = attempt(parse, { ...params, FaxSid: sid, AccountSid: sid });
    expect(fax).toMatchObject({ faxSid: sid, accountSid: sid, issues: [] });
  });

  it.each([
    ...["../../etc/passwd", "..", "a.b", "a/b", "a\\b", "C:x", "FX1\0.pdf", "FX1;rm -rf", "<script>", "FX%31"],
    ...["FX1\n", "\nFX1", "FX1\nFX2", " FX1", "FX1 ", " ", "é", "FX１", "FX\u017f\u212a", "😀"],
    ...["x".repeat(41), "x".repeat(40) + "!", "x".repeat(39) + "!"],
  ])("reports a SID that is not safe in a file name: %j", (sid) => {
    for (const name of ["FaxSid", "AccountSid"]) {
      expect(codes(parse, { ...params, [name]: sid })).toEqual([`${name} invalid`]);
    }
  });

  it.each(names)("reports a missing %s", (name) => {
    for (const source of [without(name, params), { ...params, [name]: undefined }, { ...params, [name]: null }]) {
      expect(codes(parse, source)).toEqual([`${name} missing`]);
    }
  });

  it.each(names.filter((name) => name !== "From"))("reports an empty %s", (name) => {
    expect(codes(parse, { ...params, [name]: "" })).toEqual([`${name} empty`]);
  });

  it.each([...names, "Extra"])("reports a repeated %s once", (name) => {
    for (const source of [`${toBody({ Extra: "1", ...params })}&${name}=x`, { ...params, [name]: ["1", ["2"]] }]) {
      expect(codes(parse, source)).toEqual([`${name} repeated`]);
    }
  });

  it.each([...names, "Extra"])("reports a %s that is not text, once", (name) => {
    for (const value of [{ a: { b: "1" } }, {}, ["1"], [], 5, true]) {
      expect(codes(parse, { ...params, [name]: value })).toEqual([`${name} not-text`]);
    }
  });

  it.each(["MediaUrl", "OriginalMediaUrl"])("shows only the length of an invalid %s, whose path is secret", (name) => {
    const { issues } = attempt(parseFaxCallback, { ...params, FaxStatus: "received", [name]: "/secret.pdf" });
    expect(issues).toMatchObject([
      { message: `${name} must be an http(s) URL, but received other text of length 11.` },
    ]);
  });

  it.each(["faxsid", "FAXSID", "fax_sid", "fax-sid", "Fax Sid", "FaxSid ", "_F_a_x_S_i_d_"])(
    "names the received %j if FaxSid is missing",
    (near) => {
      const { issues } = attempt(parse, { ...without("FaxSid", params), [near]: "FX1" });
      expect(issues).toMatchObject([{ code: "missing", message: expect.stringContaining(`"${near}"`) as string }]);
    },
  );

  it.each(["Sid", "FaxSidd", "FxSid", "Fax.Sid", "", "xFaxSid"])("does not name %j if FaxSid is missing", (name) => {
    const { issues } = attempt(parse, { ...without("FaxSid", params), [name]: "FX1" });
    expect(issues).toMatchObject([{ message: "FaxSid is missing." }]);
  });

  it("names the first near name of up to 23 characters, escaped", () => {
    const message = (...received: string[]) => {
      const near = Object.fromEntries(received.map((name) => [name, ""]));
      return attempt(parse, { ...without("To", params), ...near }).issues[0]?.message;
    };
    expect(message("xTo", "TO", "to")).toMatch(/"TO"/);
    expect(message("t\n\u2003o")).toContain('"t\\n\\u2003o"');
    expect(message("_".repeat(21) + "to")).toContain(`"${"_".repeat(21)}to"`);
    expect(message("_".repeat(22) + "to")).toBe("To is missing.");
  });

  it.each<[string, unknown]>([
    ["null", null],
    ["a lone question mark", "?"],
    ["ampersands", "&&"],
    ["an empty object without a prototype", Object.create(null)],
    ["empty FormData", new FormData()],
    ["an empty Map", new Map()],
    ["a number", 5],
    ["false", false],
  ])("reports all parameters as missing and suggests a body parser for %s", (_, source) => {
    expect(codes(parse, source)).toEqual(allMissing);
    expect(refusal(parse, source).message).toMatch(/^The source has no parameters .*body parser/);
  });

  it.each<[string, unknown]>([
    ["a parameter", { To: "1" }],
    ["a number", { Extra: 1 }],
    ["only a file", toForm({ Media: PDF })],
    ["JSON text, which is one name", JSON.stringify(params)],
  ])("does not suggest a body parser for a source with %s", (_, source) => {
    expect(refusal(parse, source).message).toMatch(/^FaxSid is missing\./);
  });

  it("shows six issues in the message, counts the others, and has all of them in issues", () => {
    const six = { ...params, FaxSid: "", a: 1, b: 2, c: 3, d: 4, e: 5 };
    expect(refusal(parse, six).message).toMatch(
      /^FaxSid is empty\. ("[a-e]" must be text, but received a number\. ?){5}$/,
    );
    expect(refusal(parse, { ...six, g: 7 }).message).toMatch(/"e" must[^"]*\. See `issues` for 1 more\.$/);
    const { issues, message } = refusal(parse, { ...six, g: 7, h: 8 });
    expect(message).toMatch(/ 2 more/);
    expect(issues).toHaveLength(8);
    expect(Object.isFrozen(issues)).toBe(true);
    expect(issues[7]).toMatchObject({ parameter: "h", code: "not-text" });
  });

  it.each(["https://*@example.com/", "ftp://*@example.com/", "//*@a/", "https://*@[bad", "*@a"])(
    "keeps a password out of messages: %s",
    (text) => {
      const url = text.replace("*", "user:s3cret");
      for (const pair of [{ FaxSid: url }, { [url]: 1 }, { [url]: ["1", "2"] }, { MediaUrl: `x${url}` }]) {
        const result = attempt(parse, { ...params, ...pair });
        expect(JSON.stringify([result.issues.map(({ message }) => message), String(result)])).not.toContain("s3cret");
      }
    },
  );

  it("keeps the end of a long value out of messages", () => {
    const { message, issues } = refusal(parse, { ...params, FaxSid: "start " + "x".repeat(100) + " end" });
    expect(message).toContain("start");
    expect(JSON.stringify([message, issues])).not.toContain("end");
  });

  const bad = "\u001b[2J\n\u202e\ud800".repeat(1e5);
  const long = "FaxSid AccountSid To NumPages MediaUrl MediaSid OriginalMediaUrl Timestamp Media".split(" ");
  it.each<[string, () => unknown]>([
    ["values", () => Object.fromEntries(long.map((name) => [name, bad]))],
    ["a name", () => ({ [bad]: ["1", "2"] })],
    ["a repeated name", () => `${"%1b%0a".repeat(2e5)}=1&${"%1b%0a".repeat(2e5)}=2`],
    ["many names", () => "a=1&b=2&c=3&".repeat(1e5)],
    [
      "short names of values that are not text",
      () => Object.fromEntries(Array.from({ length: 1e4 }, (_, i) => [`\0${i}`, {}])),
    ],
    ["long names of values that are not text", () => Object.fromEntries(long.map((_, i) => [i + bad, {}]))],
    ["near names", () => Object.fromEntries(names.map((name) => [[...name].join("\u2028".repeat(4)), ""]))],
    ["a long name", () => `${"f".repeat(1e6)}=1`],
    ["surrogates", () => "\ud800".repeat(1e6)],
  ])("keeps messages short and printable for a megabyte of %s", (_, create) => {
    expect(codes(parse, create()).length).toBeGreaterThan(2);
  });
});

describe("parseFaxRequest", () => {
  it("returns exactly the five parameters that Twilio documents", () => {
    const sid = "0123456789abcdef".repeat(2);
    const params = { ...REQUEST, FaxSid: `FX${sid}`, AccountSid: `AC${sid}` };
    const fax = parseFaxRequest(toBody(params));
    expect({ ...fax, params: { ...fax.params } }).toEqual({
      kind: "request",
      faxSid: `FX${sid}`,
      accountSid: `AC${sid}`,
      from: "+15017122661",
      to: "+15558675310",
      apiVersion: "v1",
      issues: [],
      params,
    });
  });

  it("notes a repeated unknown name, and uses its first value", () => {
    for (const source of [`${toBody(REQUEST)}&tag=a&tag=b`, { ...REQUEST, tag: ["a", "b"] }]) {
      expect(parseFaxRequest(source)).toMatchObject({ params: { tag: "a" }, issues: [{ code: "repeated" }] });
    }
  });

  it("parseFaxRequest keeps the parameters of a callback in params, and ignores them otherwise", () => {
    const extra = { NumPages: "two", MediaUrl: "x", Timestamp: "y", Media: "z", FaxStatus: "" };
    const fax = parseFaxRequest({ ...REQUEST, ...extra });
    expect(Object.keys(fax)).toEqual(["kind", "faxSid", "accountSid", "from", "to", "apiVersion", "params", "issues"]);
    expect({ ...fax.params }).toEqual({ ...REQUEST, ...extra });
  });

  it("parseFaxRequest orders its issues: the five parameters, then unknown names", () => {
    const source = { ApiVersion: "", To: ["+1", "+2"], Extra: ["1", "2"], AccountSid: "a b", From: 5 };
    expect(codes(parseFaxRequest, source)).toEqual([
      ...["FaxSid missing", "AccountSid invalid", "From not-text", "To repeated", "ApiVersion empty", "Extra repeated"],
    ]);
  });
});

/** The parameters that become optional properties. */
const OPTIONAL = {
  RemoteStationId: "remoteStationId",
  NumPages: "numPages",
  MediaUrl: "mediaUrl",
  MediaSid: "mediaSid",
  OriginalMediaUrl: "originalMediaUrl",
  ErrorCode: "errorCode",
  ErrorMessage: "errorMessage",
  Timestamp: "timestamp",
  Media: "media",
} as const;

const INVALID_URLS = `
  /fax.pdf fax.pdf //a.example/fax.pdf a.example/fax.pdf http:foo https:/typo https:// https://[bad https://?x
  https://:443/ https://a:65536/ httpss://a/ ftp://a.example/ file:///etc/passwd
  javascript:alert(1) javascript://x/%0aalert(1) data:application/pdf;base64,JVBERg== blob:https://a/1`;
const URL_SPACES = [" ", " https://a.example/", " javascript:alert(1)", "https://a b/", "\0https://a/", "ht\ntps://a/"];

/** Invalid texts by parameter. Those of Timestamp are impossible days, fields out of range, and other formats. */
const INVALID = {
  NumPages: `-1 -0 +2 2.0 2.5 1e3 0x10 1_000 1,000 ２ ٢ Infinity NaN two null 9007199254740992 ${"9".repeat(400)}`,
  MediaSid: `../x a:b é ${"x".repeat(41)}`,
  MediaUrl: INVALID_URLS,
  OriginalMediaUrl: INVALID_URLS,
  Timestamp: `
    2022-02-30T00:00:00Z 2022-02-29T00:00:00Z 1900-02-29T00:00:00Z 2022-04-31T00:00:00Z 2022-06-31T00:00:00Z
    2022-02-30T00:00:00.5Z 2022-02-29T00:00:00+02:00 2022-02-29T00:00:00+0100
    2022-01-00T00:00:00Z 2022-01-32T00:00:00Z 2022-00-01T00:00:00Z 2022-13-30T00:00:00Z
    2022-01-13T24:00:01Z 2022-01-13T25:00:00Z 2022-01-13T21:60:00Z 2022-01-13T21:54:60Z
    2022-01-13T21:54:46+24:00 2022-01-13T21:54:46+01:60 2022-01-13T21:54:46+9999
    2022-01-13T21:54:46 2022-01-13 2022-01-13T21:54Z 2022-01-13T21:54:46.Z 2022-01-13T21:54:46,5Z
    2022-01-13T21:54:46+01 2022-01-13T21:54:46+1:00 2022-01-13t21:54:46Z 2022-01-13T21:54:46z 2022-1-13T21:54:46Z
    20220113T215446Z +002022-01-13T21:54:46Z 12022-01-13T21:54:46Z x2022-01-13T21:54:46Z ２022-01-13T21:54:46Z
    2022-01-13T21:54:46ZZ 2022-01-13T21:54:46Z+0100 13/01/2022 1642110886 now 0 x0`,
};
const INVALID_SPACES = {
  NumPages: [" ", " 2", "2 ", "2\n", "2\n2", "\u001b[2J"],
  MediaSid: ["a b", "a\n"],
  MediaUrl: URL_SPACES,
  OriginalMediaUrl: URL_SPACES,
  Timestamp: [
    ...[" ", " 2022-01-13T21:54:46Z", "2022-01-13T21:54:46Z ", "2022-01-13T21:54:46Z\n"],
    ...["2022-01-13 21:54:46Z", "2022-01-13T21:54:46 01:00", "Thu, 13 Jan 2022 21:54:46 EST"],
    ...["Thu, 30 Feb 2022 21:54:46 +0000", "Thu, 13 Foo 2022 21:54:46 +0000", "Thu, 13 Jan 2022 25:54:46 +0000"],
  ],
};

describe("parseFaxCallback", () => {
  it("reads the example of SignalWire's guide, Callback for inbound fax", () => {
    // Identifiers are replaced.
    const body =
      "FaxSid=3f8f1a4e-8d3b-4d1f-9b43-6f1e0d2c5a77&AccountSid=b08dacad-6f02-4d4f-8b1c-0f9c2f5f7a11" +
      "&From=%2B15017122661&To=%2B15558675310&RemoteStationId=%2B15017122661&FaxStatus=received&ApiVersion=v1" +
      "&NumPages=2&MediaSid=0d4f7c1e-2f6a-4a0e-8a0b-b2f7d1c9e3f5&Timestamp=2022-01-13T21%3A54%3A46Z" +
      "&MediaUrl=https%3A%2F%2Ffiles.signalwire.com%2Fb08dacad%2Ffax.pdf";
    const callback = parseFaxCallback(body);
    expect({ ...callback, params: { ...callback.params } }).toEqual({
      kind: "callback",
      faxSid: "3f8f1a4e-8d3b-4d1f-9b43-6f1e0d2c5a77",
      accountSid: "b08dacad-6f02-4d4f-8b1c-0f9c2f5f7a11",
      from: "+15017122661",
      to: "+15558675310",
      remoteStationId: "+15017122661",
      faxStatus: "received",
      apiVersion: "v1",
      numPages: 2,
      mediaSid: "0d4f7c1e-2f6a-4a0e-8a0b-b2f7d1c9e3f5",
      mediaUrl: "https://files.signalwire.com/b08dacad/fax.pdf",
      timestamp: new Date(Date.UTC(2022, 0, 13, 21, 54, 46)),
      issues: [],
      params: Object.fromEntries(new URLSearchParams(body)),
    });
  });

  it("parseFaxCallback returns no property for an absent parameter", () => {
    expect(Object.keys(parseFaxCallback(CALLBACK)).sort()).toEqual([
      ...["accountSid", "apiVersion", "faxSid", "faxStatus", "from", "issues", "kind", "params", "to"],
    ]);
  });

  it.each(Object.entries(OPTIONAL))("omits an empty %s, which remains in params", (name, property) => {
    const callback = parseFaxCallback({ ...CALLBACK, [name]: "" });
    expect([property in callback, callback.params[name], callback.issues]).toEqual([false, "", []]);
  });

  it.each(Object.entries(OPTIONAL))("reports a %s that is repeated or not text", (name, property) => {
    expect(codes(parseFaxCallback, { ...CALLBACK, [name]: ["1", "2"] })).toEqual([`${name} repeated`]);
    expect(codes(parseFaxCallback, { ...CALLBACK, [name]: { a: "1" } })).toEqual([`${name} not-text`]);
    expect(attempt(parseFaxCallback, { ...CALLBACK, [name]: ["1", "2"] })).not.toHaveProperty(property);
  });

  it("uses a repeated parameter whose values are equal", () => {
    for (const source of [`${toBody(CALLBACK)}&NumPages=2&NumPages=2`, { ...CALLBACK, NumPages: ["2", "2"] }]) {
      expect(parseFaxCallback(source)).toMatchObject({ numPages: 2, issues: [{ code: "repeated" }] });
    }
  });

  it.each([...FAX_STATUSES, "partially-received", "RECEIVED", "日本", " ", "__proto__"])(
    "accepts the status %j",
    (FaxStatus) => {
      expect(parseFaxCallback({ ...CALLBACK, FaxStatus })).toMatchObject({ faxStatus: FaxStatus, issues: [] });
    },
  );

  it("uses Status if FaxStatus is missing or empty", () => {
    expect(parseFaxCallback({ ...REQUEST, Status: "received" })).toMatchObject({ faxStatus: "received", issues: [] });
    expect(parseFaxCallback({ ...REQUEST, FaxStatus: "", Status: "failed" }).faxStatus).toBe("failed");
    expect(parseFaxCallback({ ...CALLBACK, FaxStatus: "busy", Status: "failed" }).faxStatus).toBe("busy");
    expect(codes(parseFaxCallback, { ...CALLBACK, Status: ["a", "b"] })).toEqual(["Status repeated"]);
    expect(codes(parseFaxCallback, { ...REQUEST, FaxStatus: {}, Status: "busy" })).toEqual(["FaxStatus not-text"]);
  });

  it.each<[string, unknown]>([
    ["no FaxSid", without("FaxSid", CALLBACK)],
    ["an empty FaxSid", { ...CALLBACK, FaxSid: "" }],
    ["an invalid FaxSid", { ...CALLBACK, FaxSid: "../x" }],
    ["two values of FaxSid", `${toBody(CALLBACK)}&FaxSid=FX2`],
    ["no status", REQUEST],
    ["an empty status", { ...REQUEST, FaxStatus: "", Status: "" }],
    ["a status that is not text", { ...REQUEST, FaxStatus: {} }],
    ["Media as text", { ...CALLBACK, Media: "%PDF-" }],
  ])("throws for a callback with %s", (_, source) => {
    expect(refusal(parseFaxCallback, source).issues).toHaveLength(1);
  });

  it.each<[string, string, unknown, Partial<FaxCallback>]>([
    ["AccountSid", "missing", undefined, { accountSid: "" }],
    ["AccountSid", "invalid", "a b", { accountSid: "" }],
    ["From", "missing", undefined, { from: "" }],
    ["To", "empty", "", { to: "" }],
    ["ApiVersion", "not-text", 1, { apiVersion: "" }],
    ["To", "repeated", ["+1", "+2"], { to: "+1" }],
    ["FaxStatus", "repeated", ["received", "failed"], { faxStatus: "received" }],
    ["MediaUrl", "invalid", `https://${"é".repeat(2048)}/`, {}],
    ["BitRate", "repeated", ["1", "2"], {}],
    ["Unknown", "repeated", ["1", "2"], {}],
    ["Unknown", "not-text", {}, {}],
  ])("notes an issue of a callback, and returns the rest: %s %s", (name, code, value, properties) => {
    const source = { ...CALLBACK, MediaUrl: "https://x.example/1.pdf", [name]: value };
    const callback = parseFaxCallback(source);
    expect(codes(parseFaxCallback, source)).toEqual([`${name} ${code}`]);
    expect(callback).toMatchObject({ faxSid: "FX1", faxStatus: "received", ...properties });
    if (typeof value === "string") expect(callback.params[name]).toBe(value);
  });

  const free = ["TSID 1", " +1 501 ", "<b>é</b>", "\0\u001b", "0", " ", "\ud800".repeat(50_000)];
  it.each<[keyof typeof OPTIONAL, readonly string[]]>([
    ["RemoteStationId", free],
    ["ErrorCode", free],
    ["ErrorMessage", free],
    ["MediaSid", ["a", "x".repeat(40)]],
    [
      "MediaUrl",
      ["https://files.signalwire.com/a/b.pdf", "http://localhost:8080/x.tiff", "HTTPS://EXAMPLE.COM/?a=b#c"],
    ],
    ["MediaUrl", ["https://user:password@[::1]:8080/1.pdf?x=1&y=%20#z", "http://例え.jp/"]],
    ["OriginalMediaUrl", ["https://example.com/é"]],
  ])("returns the text of %s unchanged (row %#)", (name, texts) => {
    for (const text of texts) {
      expect(parseFaxCallback({ ...CALLBACK, [name]: text })).toMatchObject({ [OPTIONAL[name]]: text, issues: [] });
    }
  });

  it.each(["0", "1", "02", "350", "9007199254740991"])("reads NumPages %j", (NumPages) => {
    expect(parseFaxCallback({ ...CALLBACK, NumPages })).toMatchObject({ numPages: Number(NumPages), issues: [] });
  });

  // The times in UTC are calculated by hand.
  it.each([
    ["2022-01-13T21:54:46Z", "2022-01-13T21:54:46.000Z"],
    ["2022-01-13T21:54:46.5Z", "2022-01-13T21:54:46.500Z"],
    ["2022-01-13T21:54:46.123456789Z", "2022-01-13T21:54:46.123Z"],
    ["2022-01-13T21:54:46-00:00", "2022-01-13T21:54:46.000Z"],
    ["2022-01-13T21:54:46-05:30", "2022-01-14T03:24:46.000Z"],
    ["2022-01-13T21:54:46+0130", "2022-01-13T20:24:46.000Z"],
    ["2022-01-13T21:54:46.5-0800", "2022-01-14T05:54:46.500Z"],
    ["2022-01-29T00:00:00Z", "2022-01-29T00:00:00.000Z"],
    ["2022-01-31T23:59:59+14:00", "2022-01-31T09:59:59.000Z"],
    ["2022-04-30T23:59:59-1200", "2022-05-01T11:59:59.000Z"],
    ["2022-12-31T23:59:59Z", "2022-12-31T23:59:59.000Z"],
    ["2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"],
    ["2024-02-29T23:30:00-0100", "2024-03-01T00:30:00.000Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"],
    ["Thu, 13 Jan 2022 21:54:46 +0000", "2022-01-13T21:54:46.000Z"],
    ["13 Jan 2022 21:54:46 +0000", "2022-01-13T21:54:46.000Z"],
    ["Tue, 1 Feb 2022 01:02:03 -0530", "2022-02-01T06:32:03.000Z"],
    ["Thu, 13 Jan 2022 21:54:46 GMT", "2022-01-13T21:54:46.000Z"],
  ])("reads Timestamp %j", (Timestamp, time) => {
    expect(parseFaxCallback({ ...CALLBACK, Timestamp }).timestamp?.toISOString()).toBe(time);
  });

  const invalid = (Object.keys(INVALID) as (keyof typeof INVALID)[]).flatMap((name) =>
    [...rows(INVALID[name]), ...INVALID_SPACES[name]].map((text) => [name, text] as const),
  );
  it.each(invalid)("omits an invalid %s, and notes an issue: %j", (name, text) => {
    const source = { ...CALLBACK, [name]: text };
    expect(codes(parseFaxCallback, source)).toEqual([`${name} invalid`]);
    const callback = parseFaxCallback(source);
    expect(callback.params[name]).toBe(text);
    expect(callback).not.toHaveProperty(OPTIONAL[name]);
  });

  it("returns the file of a multipart callback", async () => {
    const { media, params } = parseFaxCallback(await new Response(toForm({ ...CALLBACK, Media: PDF })).formData());
    expect(media).toMatchObject({ name: "fax.pdf", type: "application/pdf", size: 8 });
    expect(new TextDecoder().decode(await media?.arrayBuffer())).toBe("%PDF-1.7");
    expect({ ...params }).toEqual(CALLBACK);
    const empty = new File([], "empty.pdf");
    expect(parseFaxCallback({ ...CALLBACK, Media: empty, media: PDF }).media).toBe(empty);
  });

  it("returns the first of two files, with an issue", () => {
    const pairs = [...Object.entries(CALLBACK), ["Media", PDF], ["Media", new File(["2"], "2.pdf")]];
    expect(attempt(parseFaxCallback, pairs)).toMatchObject({ media: PDF, issues: [{ code: "repeated" }] });
  });

  it("parseFaxCallback orders its issues: fatal ones, then those of properties, then those of other names", () => {
    const bad = { Media: "x", Timestamp: "x", OriginalMediaUrl: "x", MediaSid: "a b", MediaUrl: "x", NumPages: "x" };
    const source = { ...bad, Extra: 1, ApiVersion: "", To: ["1", "2"], From: "", AccountSid: "a b", FaxSid: "a b" };
    expect(codes(parseFaxCallback, { ...source, RemoteStationId: 1 })).toEqual([
      ...["FaxSid invalid", "FaxStatus missing", "Media invalid", "AccountSid invalid", "To repeated"],
      ...["ApiVersion empty", "RemoteStationId not-text", "NumPages invalid", "MediaUrl invalid", "MediaSid invalid"],
      ...["OriginalMediaUrl invalid", "Timestamp invalid", "Extra not-text"],
    ]);
  });

  it("notes 200,000 unknown names that are not text", () => {
    const unknown = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`a${i}`, i]));
    expect(parseFaxCallback({ ...CALLBACK, ...unknown }).issues).toHaveLength(200_000);
  });
});

describe("parseFax", () => {
  it("returns the result of parseFaxRequest or parseFaxCallback", () => {
    expect(parseFax(REQUEST)).toEqual(parseFaxRequest(REQUEST));
    expect(parseFax(CALLBACK)).toEqual(parseFaxCallback(CALLBACK));
    expect([parseFax(REQUEST).kind, parseFax(CALLBACK).kind]).toEqual(["request", "callback"]);
  });

  it.each(CALLBACK_PARAM_NAMES.filter((name) => !/^(RemoteStationId|Timestamp|BitRate)$/.test(name)))(
    "treats a request with %s as a callback, even if it is empty, repeated or not text",
    (name) => {
      for (const value of ["", "x", ["a", "b"], ["a"], { a: "1" }]) {
        const params = { ...REQUEST, [name]: value };
        expect(attempt(parseFax, params)).toEqual(attempt(parseFaxCallback, params));
        expect(attempt(parseFax, params)).not.toMatchObject({ kind: "request" });
      }
    },
  );

  it("shares one empty list of issues between all requests without issues", () => {
    expect(parseFax({ ...REQUEST, To: "1" }).issues).toBe(parseFax(REQUEST).issues);
    expect(parseFax(CALLBACK).issues).toBe(parseFax(REQUEST).issues);
  });

  it.each(["RemoteStationId", "Timestamp", "BitRate"])("treats a request with %s as a new fax", (name) => {
    expect(parseFax({ ...REQUEST, [name]: "1" }).kind).toBe("request");
  });

  it("treats a request with only a file as a callback", () => {
    expect(codes(parseFax, { ...REQUEST, Media: PDF })).toEqual(["FaxStatus missing"]);
  });

  it("treats a callback that is re-split into other names as a callback without a status", () => {
    expect(codes(parseFax, { ...REQUEST, Fax: "Statusreceived" })).toEqual(["FaxStatus missing"]);
  });
});

describe("parseFax: the fallback URL", () => {
  const fallback = { ...REQUEST, ErrorCode: "11200", ErrorUrl: "https://fax.example.com/fax" };

  it("returns a new fax with errorCode and errorUrl for ErrorCode with ErrorUrl", () => {
    const fax = parseFax(fallback);
    expect(fax).toMatchObject({ kind: "request", errorCode: "11200", errorUrl: "https://fax.example.com/fax" });
    expect(fax.issues).toEqual([]);
    expect(parseFax({ ...fallback, ErrorMessage: "Timeout" }).kind).toBe("request");
    expect(parseFax({ ...REQUEST, ErrorUrl: "" })).not.toHaveProperty("errorUrl");
  });

  it("omits errorCode and errorUrl from a new fax that is not at the fallback URL", () => {
    expect(Object.keys(parseFaxRequest(REQUEST))).not.toContain("errorUrl");
    expect(Object.keys(parseFaxRequest({ ...REQUEST, ErrorCode: "11200" }))).not.toContain("errorCode");
  });

  it("notes a repeated ErrorUrl, and omits errorUrl", () => {
    const fax = parseFax({ ...fallback, ErrorUrl: ["https://a.example/", "https://b.example/"] });
    expect(fax).toMatchObject({
      kind: "request",
      errorCode: "11200",
      issues: [{ parameter: "ErrorUrl", code: "repeated" }],
    });
    expect(fax).not.toHaveProperty("errorUrl");
  });

  it.each([
    { FaxStatus: "failed" },
    { Status: "failed" },
    { MediaUrl: "https://files.signalwire.com/1.pdf" },
    { NumPages: "0" },
  ])("treats %j at the fallback URL as a callback", (params) => {
    expect(attempt(parseFax, { ...fallback, ...params })).not.toMatchObject({ kind: "request" });
  });

  it.each(["ErrorCode", "ErrorMessage"])("treats %s without ErrorUrl as a callback", (name) => {
    expect(codes(parseFax, { ...REQUEST, [name]: "11200" })).toEqual(["FaxStatus missing"]);
  });
});

describe("parseFaxCallback: a polluted prototype", () => {
  it("parses no other parameter if Object.prototype has a parse function before the import", async () => {
    vi.resetModules();
    Object.defineProperty(Object.prototype, "parse", { value: () => "polluted", configurable: true });
    try {
      const { parseFaxCallback } = await import("../../src/index.js");
      expect(parseFaxCallback({ ...CALLBACK, BitRate: "14400" })).not.toHaveProperty("bitRate");
    } finally {
      Reflect.deleteProperty(Object.prototype, "parse");
    }
  });
});

describe("COMMON_PARAM_NAMES", () => {
  it("has the parameters that a new fax must have", () => {
    expect(COMMON_PARAM_NAMES).toEqual(refusal(parseFaxRequest, {}).issues.map(({ parameter }) => parameter));
  });
});

describe("CALLBACK_PARAM_NAMES", () => {
  it("CALLBACK_PARAM_NAMES has exactly the documented names", () => {
    const names = "FaxStatus Status RemoteStationId NumPages MediaUrl MediaSid OriginalMediaUrl ErrorCode ErrorMessage";
    expect([...CALLBACK_PARAM_NAMES].sort()).toEqual([...rows(names), "Timestamp", "BitRate", "Media"].sort());
  });
});

describe("Standard Schema", () => {
  const parsers = Object.entries({ parseFax, parseFaxCallback, parseFaxRequest });

  it.each(parsers)("%s is a Standard Schema of version 1", (_, parser) => {
    expect(parser["~standard"]).toMatchObject({ version: 1, vendor: "twiml-fax" });
  });

  it("validate returns the value, or issues with a message and a path", () => {
    expect(parseFax["~standard"].validate(CALLBACK)).toEqual({ value: parseFaxCallback(CALLBACK) });
    expect(parseFaxRequest["~standard"].validate({ ...REQUEST, FaxSid: "a b", To: "" })).toEqual({
      issues: [
        { message: expect.stringMatching(/^FaxSid must be .* "a b"\.$/) as string, path: ["FaxSid"] },
        { message: "To is empty.", path: ["To"] },
      ],
    });
  });

  const fail = (): never => {
    throw new Error("secret");
  };
  it("validate returns issues for undefined and for a promise", () => {
    for (const [, { "~standard": schema }] of parsers) {
      for (const source of [undefined, Promise.resolve()]) expect(schema.validate(source)).toHaveProperty("issues.4");
    }
  });

  it.each<[string, unknown]>([
    ["an iterable", { [Symbol.iterator]: fail }],
    ["a getter", Object.defineProperty({}, "FaxSid", { enumerable: true, get: fail })],
  ])("validate returns one issue without the error's message for %s that throws", (_, source) => {
    const issues = [{ message: "Reading the source threw an error.", path: [] }];
    for (const [, parser] of parsers) expect(parser["~standard"].validate(source)).toEqual({ issues });
  });
});

describe("FaxRequestError", () => {
  it("FaxRequestError can be created by users", () => {
    const issues = [{ parameter: "To", code: "missing", message: "To is missing." }] as const;
    const error = new FaxRequestError("m", issues);
    expect(error).toMatchObject({ name: "FaxRequestError", message: "m", code: "invalid-parameters", issues });
    expect(error).toBeInstanceOf(Error);
  });
});

describe("isCallback", () => {
  it.each([
    "FaxSi=dFX1FaxStatusreceived",
    "Fax=StatusreceivedFrom1",
    "M=ediaSid1",
    "Media=Urlhttps://x.example/1.pdf",
    "Num=Pages2",
    "Error=Code34004",
    "Error=Messagex",
    "FaxSid=FX1Statusno-answer",
    "FaxSid=FX1StatusFailed",
    // Only in the text of the distinct sorted values, and only in the text of all values in order.
    "a=ges1&a=NumP",
    "a=xNumP&a=ges1",
  ])("isCallback is true for %j, whose signed text is that of a callback", (source) => {
    expect(isCallback(readParams(source))).toBe(true);
  });

  it.each([
    "FaxSid=FX1&AccountSid=AC1&From=%2B1&To=%2B2&ApiVersion=v1",
    "a=MediaUrlx",
    "ErrorCode=11200&ErrorUrl=https://fax.example.com/fax",
    "a=NumPagesx",
    "a=ErrorCodex",
    "a=Statusx",
    "To=sip:faxstatus@example.com",
    "",
  ])("isCallback is false for %j", (source) => {
    expect(isCallback(readParams(source))).toBe(false);
  });
});
