import { join } from "node:path";
import { Readable } from "node:stream";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import {
  FAX_STATUSES,
  FaxRequestError,
  type FaxRequestIssue,
  parseFax,
  parseFaxCallback,
  parseFaxRequest,
} from "../../src/index.js";
import { CALLBACK_PARAM_NAMES } from "../../src/params/fax.js";

const INCOMING = { FaxSid: "FX1", AccountSid: "AC1", From: "+15017122661", To: "+15558675310", ApiVersion: "v1" };
const CALLBACK = { ...INCOMING, FaxStatus: "received" };
const REQUIRED = Object.keys(INCOMING);

/** What holds for everything that is said of a request, in an error or in `issues`. */
function checked(error: FaxRequestError): FaxRequestError {
  expect(error.issues.length).toBeGreaterThan(0);
  for (const { parameter, message } of error.issues) {
    expect(parameter.length).toBeLessThanOrEqual(64);
    expect(message.length).toBeLessThan(700);
  }
  expect(error.message.length).toBeLessThan(4000);
  // For logs: one line, and nothing that a terminal would obey.
  expect(error.message).toMatch(/^[\x20-\x7e…]+$/);
  return error;
}

/** The error that a source gives. */
function refusal(call: () => unknown): FaxRequestError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(FaxRequestError);
    expect(error).toMatchObject({ name: "FaxRequestError", status: 400, statusCode: 400 });
    return checked(error as FaxRequestError);
  }
  return expect.fail("nothing was thrown");
}

/** What is odd about a source, whether it costs the request or is noted in `issues`: the table below says which. */
function oddities(call: () => { readonly issues: readonly FaxRequestIssue[] }): FaxRequestError {
  let issues: readonly FaxRequestIssue[];
  try {
    ({ issues } = call());
  } catch {
    return refusal(call);
  }
  return checked(new FaxRequestError(issues.map(({ message }) => message).join(" "), issues));
}

const refusedRequest = (source: unknown) => refusal(() => parseFaxRequest(source as object));
const refusedCallback = (source: unknown) => refusal(() => parseFaxCallback(source as object));
const oddRequest = (source: unknown) => oddities(() => parseFaxRequest(source as object));
const oddCallback = (source: unknown) => oddities(() => parseFaxCallback(source as object));
const codes = (error: FaxRequestError) => error.issues.map(({ parameter, code }) => `${parameter} ${code}`);
const only = (parameter: string, code: FaxRequestIssue["code"]) => [`${parameter} ${code}`];
const without = (name: string, source: Record<string, unknown> = CALLBACK) =>
  Object.fromEntries(Object.entries(source).filter(([each]) => each !== name));

/** SignalWire's guide, "Callback for inbound fax", identifiers replaced. */
const DOCUMENTED =
  "FaxSid=3f8f1a4e-8d3b-4d1f-9b43-6f1e0d2c5a77&AccountSid=b08dacad-6f02-4d4f-8b1c-0f9c2f5f7a11&From=%2B15017122661" +
  "&To=%2B15558675310&RemoteStationId=%2B15017122661&FaxStatus=received&ApiVersion=v1&NumPages=2" +
  "&MediaSid=0d4f7c1e-2f6a-4a0e-8a0b-b2f7d1c9e3f5&MediaUrl=https%3A%2F%2Ffiles.signalwire.com%2Fb08dacad%2Ffax.pdf" +
  "&Timestamp=2022-01-13T21%3A54%3A46Z";

describe("parseFaxRequest", () => {
  it("reads the five parameters that Twilio documents", () => {
    const sid = "0123456789abcdef".repeat(2);
    const fax = parseFaxRequest(
      `FaxSid=FX${sid}&AccountSid=AC${sid}&From=%2B15017122661&To=%2B15558675310&ApiVersion=v1`,
    );
    expect({ ...fax, params: { ...fax.params } }).toEqual({
      kind: "request",
      faxSid: `FX${sid}`,
      accountSid: `AC${sid}`,
      from: "+15017122661",
      to: "+15558675310",
      apiVersion: "v1",
      issues: [],
      params: {
        FaxSid: `FX${sid}`,
        AccountSid: `AC${sid}`,
        From: "+15017122661",
        To: "+15558675310",
        ApiVersion: "v1",
      },
    });
  });

  const formData = new FormData();
  for (const [name, value] of Object.entries(INCOMING)) formData.append(name, value);
  it.each<[string, string | object]>([
    ["a body", new URLSearchParams(INCOMING).toString()],
    ["a query string", `?${new URLSearchParams(INCOMING)}`],
    ["URLSearchParams", new URLSearchParams(INCOMING)],
    ["FormData", formData],
    ["a Map", new Map(Object.entries(INCOMING))],
    ["an array of pairs", Object.entries(INCOMING)],
    ["an object", INCOMING],
    ["an object without a prototype", Object.assign(Object.create(null) as object, INCOMING)],
  ])("reads %s", (_, source) => {
    expect(parseFaxRequest(source)).toMatchObject({
      faxSid: "FX1",
      accountSid: "AC1",
      from: "+15017122661",
      to: "+15558675310",
      apiVersion: "v1",
    });
  });

  it("keeps what it does not know", () => {
    const { params } = parseFaxRequest({ ...INCOMING, NewParameter: "x", faxsid: "other", ["__proto__x"]: "y" });
    expect(params).toMatchObject({ ...INCOMING, NewParameter: "x", faxsid: "other", ["__proto__x"]: "y" });
    expect(parseFaxRequest(`${new URLSearchParams(INCOMING)}&__proto__=own`).params["__proto__"]).toBe("own");
  });

  it("is frozen", () => {
    const fax = parseFaxRequest(INCOMING);
    expect([Object.isFrozen(fax), Object.isFrozen(fax.params)]).toEqual([true, true]);
  });

  it.each(["", "anonymous", "+266696687", "sip:fax@example.com", 'Jörg\'s "Fax" <1>', "日本", "\0"])(
    "passes From %j",
    (From) => {
      expect(parseFaxRequest({ ...INCOMING, From }).from).toBe(From);
    },
  );

  it.each(["+15558675310", "sip:fax@example.com;transport=tls", "12345"])("passes To %j", (To) => {
    expect(parseFaxRequest({ ...INCOMING, To }).to).toBe(To);
  });

  it.each(REQUIRED)("says that %s is missing", (name) => {
    const error = refusedRequest(without(name, INCOMING));
    expect(codes(error)).toEqual(only(name, "missing"));
    expect(error.message).toContain(`${name} is missing`);
  });

  it.each(REQUIRED.filter((name) => name !== "From"))("says that %s is empty", (name) => {
    expect(codes(refusedRequest({ ...INCOMING, [name]: "" }))).toEqual(only(name, "empty"));
  });

  it.each(REQUIRED)("says that %s is repeated, rather than choosing one", (name) => {
    const error = refusedRequest(`${new URLSearchParams(INCOMING)}&${name}=x`);
    expect(codes(error)).toEqual(only(name, "repeated"));
    expect(codes(refusedRequest({ ...INCOMING, [name]: ["1", "2"] }))).toEqual(only(name, "repeated"));
  });

  it.each(REQUIRED)("says that %s is an object where text belongs", (name) => {
    expect(codes(refusedRequest({ ...INCOMING, [name]: { a: "1" } }))).toEqual(only(name, "not-text"));
    expect(codes(refusedRequest({ ...INCOMING, [name]: ["1"] }))).toEqual(only(name, "not-text"));
    expect(codes(refusedRequest({ ...INCOMING, [name]: 5 }))).toEqual(only(name, "not-text"));
  });

  it("says that an unknown name is repeated", () => {
    expect(codes(oddRequest(`${new URLSearchParams(INCOMING)}&New=1&New=2`))).toEqual(only("New", "repeated"));
  });

  const SIDS = ["FaxSid", "AccountSid"];
  it.each(SIDS)("accepts the forms that %s has", (name) => {
    const forms = [
      `FX${"0".repeat(32)}`,
      "3f8f1a4e-8d3b-4d1f-9b43-6f1e0d2c5a77",
      "a",
      "0",
      "_",
      "-",
      "A".repeat(40),
      "test_FAX-1",
    ];
    for (const form of forms) expect(parseFaxRequest({ ...INCOMING, [name]: form }).params[name]).toBe(form);
  });

  it.each([
    "../../etc/passwd",
    "..",
    "a.b",
    "a/b",
    "a\\b",
    "FX1\n",
    "\nFX1",
    " FX1",
    "FX1 ",
    "FX1\0.pdf",
    "C:x",
    "FX1;rm -rf",
    "<script>",
    "é",
    "FX１",
    "a".repeat(65),
    "a".repeat(1e6),
  ])("refuses a SID that is not safe in a file name (row %#)", (value) => {
    for (const name of SIDS) {
      const error = refusedRequest({ ...INCOMING, [name]: value });
      expect(codes(error)).toEqual(only(name, "invalid"));
      expect(error.message).not.toContain("a".repeat(64));
    }
  });

  it.each([
    ["faxsid", "FaxSid"],
    ["FAXSID", "FaxSid"],
    ["fax_sid", "FaxSid"],
    ["Fax-Sid", "FaxSid"],
    ["accountSid", "AccountSid"],
    ["from", "From"],
    ["TO", "To"],
    ["api_version", "ApiVersion"],
  ])("says that %j came where %s is missing", (came, name) => {
    const error = refusedRequest({ ...without(name, INCOMING), [came]: "x" });
    expect(codes(error)).toEqual(only(name, "missing"));
    expect(error.message).toContain(`"${came}" came`);
    expect(error.message).toContain("case-sensitive");
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["an empty body", ""],
    ["a lone ?", "?"],
    ["ampersands", "&&"],
    ["an empty object, as Express 4 leaves it", {}],
    ["an empty object without a prototype, as Express 4 leaves it", Object.create(null)],
    ["empty URLSearchParams", new URLSearchParams()],
    ["an empty Map", new Map()],
    ["a number", 5],
    ["false", false],
  ])("says that a body parser is probably missing for %s", (_, source) => {
    for (const error of [refusedRequest(source), oddCallback(source)]) {
      expect(error.message).toContain("body parser");
      for (const name of REQUIRED) expect(codes(error)).toContain(`${name} missing`);
    }
  });

  it("does not blame the body parser when parameters came", () => {
    expect(refusedRequest({ To: "1" }).message).not.toContain("body parser");
    expect(refusedRequest("x").message).not.toContain("body parser");
  });

  it("takes a JSON body for what it is: one strange name", () => {
    const error = refusedRequest(JSON.stringify(INCOMING));
    expect(codes(error)).toEqual(REQUIRED.map((name) => `${name} missing`));
  });

  it("collects everything that is wrong", () => {
    const error = refusedRequest([
      ["FaxSid", "../x"],
      ["AccountSid", ""],
      ["To", { a: "1" }],
      ["ApiVersion", "v1"],
      ["ApiVersion", "v2"],
    ]);
    expect(codes(error).sort()).toEqual([
      "AccountSid empty",
      "ApiVersion repeated",
      "FaxSid invalid",
      "From missing",
      "To not-text",
    ]);
    for (const { message } of error.issues) expect(error.message).toContain(message);
  });

  it("has no prototype to find parameters on", () => {
    const error = refusedRequest(Object.create(INCOMING) as object);
    expect(codes(error)).toEqual(REQUIRED.map((name) => `${name} missing`));
  });

  it.each<[string, unknown]>([
    ["a SID", { ...INCOMING, FaxSid: "\u001b[2J\n".repeat(2e5) }],
    ["a name", { ["x\u001b\n\u202e".repeat(2e5)]: ["1", "2"] }],
    ["a name that is repeated", `${"%1b%0a".repeat(2e5)}=1&${"%1b%0a".repeat(2e5)}=2`],
    ["many names", "a=1&b=2&c=3&".repeat(1e5)],
    ["many values that are not text", Object.fromEntries(Array.from({ length: 1e4 }, (_, i) => [`\0${i}`, {}]))],
    ["what could be a name", `${"f".repeat(1e6)}=1`],
    ["a body of surrogates", "\ud800".repeat(1e6)],
  ])("stays short and on one line for a megabyte of %s", (_, source) => {
    // The rest is in refusal(): length, characters.
    expect(refusedRequest(source).message).toMatch(/FaxSid|must be text/);
  });

  it("reads 200,000 parameters", () => {
    const more = Array.from({ length: 200_000 }, (_, i) => `a${i}=${i}`).join("&");
    const { params } = parseFaxRequest(`${new URLSearchParams(INCOMING)}&${more}`);
    expect(Object.keys(params).length).toBe(200_005);
    expect(params["a199999"]).toBe("199999");
  });
});

describe("parseFaxCallback", () => {
  it("reads the payload of SignalWire's guide", () => {
    const callback = parseFaxCallback(DOCUMENTED);
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
      params: Object.fromEntries(new URLSearchParams(DOCUMENTED)),
    });
  });

  it("reads a failure, and an outbound fax's status", () => {
    const failed = { ...INCOMING, FaxStatus: "failed", ErrorCode: "34007", ErrorMessage: "Line is busy & gone" };
    expect(parseFaxCallback(failed)).toMatchObject({
      faxStatus: "failed",
      errorCode: "34007",
      errorMessage: "Line is busy & gone",
    });
    const OriginalMediaUrl = "https://example.com/original.pdf";
    expect(parseFaxCallback({ ...CALLBACK, OriginalMediaUrl }).originalMediaUrl).toBe(OriginalMediaUrl);
  });

  it("has exactly what came, and is frozen", () => {
    const callback = parseFaxCallback(CALLBACK);
    expect(Object.keys(callback).sort()).toEqual([
      "accountSid",
      "apiVersion",
      "faxSid",
      "faxStatus",
      "from",
      "issues",
      "kind",
      "params",
      "to",
    ]);
    const parts = [callback, callback.params, callback.issues];
    expect(parts.map(Object.isFrozen)).toEqual([true, true, true]);
  });

  it.each([...REQUIRED, "FaxStatus"])("says that %s is missing", (name) => {
    const error = oddCallback(without(name));
    expect(codes(error)).toEqual(only(name, "missing"));
  });

  it("says that faxstatus came where FaxStatus is missing", () => {
    expect(oddCallback({ ...INCOMING, faxstatus: "received" }).message).toContain('"faxstatus" came');
  });

  it("says that FaxStatus is empty, as of every parameter that must not be", () => {
    expect(codes(oddCallback({ ...CALLBACK, FaxStatus: "" }))).toEqual(only("FaxStatus", "empty"));
  });

  it("says that FaxStatus is repeated or no text, and nothing else of it", () => {
    expect(codes(oddCallback({ ...CALLBACK, FaxStatus: ["received", "failed"] }))).toEqual(
      only("FaxStatus", "repeated"),
    );
    expect(codes(oddCallback(`${new URLSearchParams(CALLBACK)}&FaxStatus=failed`))).toEqual(
      only("FaxStatus", "repeated"),
    );
    expect(codes(oddCallback({ ...CALLBACK, FaxStatus: {} }))).toEqual(only("FaxStatus", "not-text"));
  });

  it.each([...FAX_STATUSES, "partially-received", "RECEIVED", "日本", " "])("passes the status %j", (FaxStatus) => {
    expect(parseFaxCallback({ ...CALLBACK, FaxStatus }).faxStatus).toBe(FaxStatus);
  });

  const OPTIONAL: Record<string, string> = {
    RemoteStationId: "remoteStationId",
    NumPages: "numPages",
    MediaUrl: "mediaUrl",
    MediaSid: "mediaSid",
    OriginalMediaUrl: "originalMediaUrl",
    ErrorCode: "errorCode",
    ErrorMessage: "errorMessage",
    Timestamp: "timestamp",
    Media: "media",
  };
  it.each(Object.entries(OPTIONAL))(
    "leaves %s out when it is empty or absent, and keeps it in params",
    (name, property) => {
      const callback = parseFaxCallback({ ...CALLBACK, [name]: "" });
      expect(property in callback).toBe(false);
      expect(callback.params[name]).toBe("");
      expect(property in parseFaxCallback(CALLBACK)).toBe(false);
    },
  );

  it.each(Object.keys(OPTIONAL))("says that %s is repeated", (name) => {
    expect(codes(oddCallback({ ...CALLBACK, [name]: ["1", "2"] }))).toEqual(only(name, "repeated"));
  });

  it.each(Object.keys(OPTIONAL))("says that %s is not text", (name) => {
    expect(codes(oddCallback({ ...CALLBACK, [name]: { a: "1" } }))).toEqual(only(name, "not-text"));
  });

  it.each(["TSID 1", " +1 501 ", "<b>é</b>", "\0\u001b"])("passes the free text %j", (text) => {
    const callback = parseFaxCallback({ ...CALLBACK, RemoteStationId: text, ErrorCode: text, ErrorMessage: text });
    expect(callback).toMatchObject({ remoteStationId: text, errorCode: text, errorMessage: text });
  });

  describe("NumPages", () => {
    it.each([
      ["0", 0],
      ["1", 1],
      ["2", 2],
      ["02", 2],
      ["350", 350],
      ["9007199254740991", 9007199254740991],
    ])("reads %j as %d", (NumPages, pages) => {
      expect(parseFaxCallback({ ...CALLBACK, NumPages }).numPages).toBe(pages);
    });

    it.each([
      "-1",
      "-0",
      "+2",
      "2.0",
      "2.5",
      "1e3",
      "0x10",
      "1_000",
      "1,000",
      " 2",
      "2 ",
      "2\n",
      "２",
      "٢",
      "Infinity",
      "NaN",
      "two",
      "null",
      "9007199254740992",
      "9007199254740993",
      "9".repeat(400),
      "\u001b[2J",
    ])("refuses %j: it is no whole number", (NumPages) => {
      const error = oddCallback({ ...CALLBACK, NumPages });
      expect(codes(error)).toEqual(only("NumPages", "invalid"));
      expect(error.message).toContain("whole number");
    });
  });

  describe.each(["MediaUrl", "OriginalMediaUrl"])("%s", (name) => {
    it.each([
      "https://files.signalwire.com/a/b.pdf",
      "http://localhost:8080/x.tiff",
      "HTTPS://EXAMPLE.COM/?a=b#c",
      "https://example.com/é",
    ])("passes %j", (url) => {
      expect(parseFaxCallback({ ...CALLBACK, [name]: url })).toMatchObject({ [OPTIONAL[name]!]: url });
    });

    it.each([
      "/fax.pdf",
      "fax.pdf",
      "//example.com/fax.pdf",
      "example.com/fax.pdf",
      "https:/typo",
      "https://",
      "https://[bad",
      "https://a b/",
      "ftp://example.com/",
      "file:///etc/passwd",
      "javascript:alert(1)",
      " javascript:alert(1)",
      "data:application/pdf;base64,JVBERg==",
      " https://example.com/",
      "http:foo",
      " ",
    ])("refuses %j", (url) => {
      const error = oddCallback({ ...CALLBACK, [name]: url });
      expect(codes(error)).toEqual(only(name, "invalid"));
      expect(error.message).toContain(name);
    });

    it("does not tell the password of a URL that it refuses", () => {
      const error = oddCallback({ ...CALLBACK, [name]: "ftp://user:s3cret@example.com/fax.pdf" });
      expect(JSON.stringify([error.message, error.issues])).not.toContain("s3cret");
    });
  });

  it.each(["../x", "a b", "a\n", "a".repeat(65), "é"])("refuses the MediaSid %j", (MediaSid) => {
    expect(codes(oddCallback({ ...CALLBACK, MediaSid }))).toEqual(only("MediaSid", "invalid"));
  });

  describe("Timestamp", () => {
    it.each<[string, number]>([
      ["2022-01-13T21:54:46Z", Date.UTC(2022, 0, 13, 21, 54, 46)],
      ["2022-01-13T21:54:46.5Z", Date.UTC(2022, 0, 13, 21, 54, 46, 500)],
      ["2022-01-13T21:54:46.123456Z", Date.UTC(2022, 0, 13, 21, 54, 46, 123)],
      ["2022-01-13T21:54:46+00:00", Date.UTC(2022, 0, 13, 21, 54, 46)],
      ["2022-01-13T21:54:46-05:30", Date.UTC(2022, 0, 14, 3, 24, 46)],
      ["2022-01-13T21:54:46+0200", Date.UTC(2022, 0, 13, 19, 54, 46)],
      ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
      ["2000-02-29T00:00:00Z", Date.UTC(2000, 1, 29)],
      ["2022-12-31T23:59:59Z", Date.UTC(2022, 11, 31, 23, 59, 59)],
      ["2022-01-31T23:00:00-02:00", Date.UTC(2022, 1, 1, 1)],
    ])("reads %j", (Timestamp, time) => {
      expect(parseFaxCallback({ ...CALLBACK, Timestamp }).timestamp?.getTime()).toBe(time);
    });

    it.each([
      ["2022-02-30T00:00:00Z", "February has no 30th"],
      ["2022-02-29T00:00:00Z", "2022 is no leap year"],
      ["1900-02-29T00:00:00Z", "1900 was no leap year"],
      ["2022-02-29T00:00:00+02:00", "2022 is no leap year, with an offset either"],
      ["2022-02-30T00:00:00.5Z", "February has no 30th, with a fraction either"],
      ["2022-04-31T00:00:00Z", "April has 30 days"],
      ["2022-01-32T00:00:00Z", "no month has 32 days"],
      ["2022-01-00T00:00:00Z", "there is no day 0"],
      ["2022-13-01T00:00:00Z", "there is no month 13"],
      ["2022-00-01T00:00:00Z", "there is no month 0"],
      ["2022-01-13T25:00:00Z", "there is no hour 25"],
      ["2022-01-13T21:60:00Z", "there is no minute 60"],
      ["2022-01-13T21:54:61Z", "there is no second 61"],
      ["2022-01-13T21:54:46+99:99", "there is no such offset"],
      ["2022-01-13T21:54:46", "no offset: whose time?"],
      ["2022-01-13", "no time"],
      ["2022-01-13 21:54:46Z", "a space for the T"],
      ["13/01/2022", "another order"],
      ["Thu, 13 Jan 2022 21:54:46 EST", "the form of mails"],
      ["1642110886", "seconds since 1970"],
      ["now", "a word"],
      [" 2022-01-13T21:54:46Z", "a space before"],
      ["2022-01-13T21:54:46Z\n", "a newline after"],
      ["2022-01-13T21:54:46ZZ", "more after"],
      ["２022-01-13T21:54:46Z", "a digit of another script"],
      [" ", "a space"],
    ])("refuses %j: %s", (Timestamp) => {
      const error = oddCallback({ ...CALLBACK, Timestamp });
      expect(codes(error)).toEqual(only("Timestamp", "invalid"));
      expect(error.message).toContain("ISO 8601");
    });
  });

  describe("Media", () => {
    const pdf = new File(["%PDF-1.7"], "fax.pdf", { type: "application/pdf" });
    const delivery = (...media: (string | File)[]) => {
      const form = new FormData();
      for (const [name, value] of Object.entries(CALLBACK)) form.append(name, value);
      for (const each of media) form.append("Media", each);
      return form;
    };

    it("is the file of a multipart delivery", async () => {
      const { media, params } = parseFaxCallback(delivery(pdf));
      expect(media).toMatchObject({ name: "fax.pdf", type: "application/pdf", size: 8 });
      expect(new TextDecoder().decode(await media?.arrayBuffer())).toBe("%PDF-1.7");
      expect({ ...params }).toEqual(CALLBACK);
    });

    it("is read from what the platform makes of the bytes on the wire", async () => {
      const { media } = parseFaxCallback(await new Response(delivery(pdf)).formData());
      expect(media?.size).toBe(8);
    });

    it("is refused as text: the bytes would be lost", () => {
      const error = oddCallback(delivery("%PDF-1.7"));
      expect(codes(error)).toEqual(only("Media", "invalid"));
      expect(error.message).toContain("file");
    });

    it("is refused twice", () => {
      expect(codes(oddCallback(delivery(pdf, pdf)))).toEqual(only("Media", "repeated"));
      expect(codes(oddCallback(delivery(pdf, "text")))).toEqual(only("Media", "repeated"));
    });

    it("may be empty, and is still a file", () => {
      expect(parseFaxCallback(delivery(new File([], "empty.pdf"))).media?.size).toBe(0);
    });
  });

  it("collects everything that is wrong, and says how much more there is than it shows", () => {
    const error = oddCallback({
      FaxSid: "a b",
      AccountSid: "",
      From: {},
      To: ["1", "2"],
      NumPages: "two",
      MediaUrl: "/x",
      MediaSid: "..",
      OriginalMediaUrl: "ftp://x/",
      Timestamp: "now",
      Media: "text",
    });
    expect(codes(error).sort()).toEqual([
      "AccountSid empty",
      "ApiVersion missing",
      "FaxSid invalid",
      "FaxStatus missing",
      "From not-text",
      "Media invalid",
      "MediaSid invalid",
      "MediaUrl invalid",
      "NumPages invalid",
      "OriginalMediaUrl invalid",
      "Timestamp invalid",
      "To repeated",
    ]);
    expect(error.message).toMatch(/6 more/);
  });
});

describe("FaxRequestError", () => {
  it("carries its identity as properties", () => {
    const error = refusedRequest({});
    expect(error).toMatchObject({ name: "FaxRequestError", code: "invalid-parameters" });
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toMatch(/^FaxRequestError: /);
  });

  it("does not let its issues be changed", () => {
    expect(Object.isFrozen(refusedRequest({}).issues)).toBe(true);
  });

  it("tells no more of a stranger's value than an excerpt", () => {
    const { message, issues } = refusedRequest({ ...INCOMING, FaxSid: "start " + "x".repeat(100) + " end" });
    expect(message).toContain("start");
    expect(JSON.stringify([message, issues])).not.toContain("end");
  });
});

/** What both functions do alike, to the letter: a callback is a request with a status. */
describe.each([
  ["parseFaxRequest", { parse: parseFaxRequest, refused: oddRequest, params: INCOMING }],
  ["parseFaxCallback", { parse: parseFaxCallback, refused: oddCallback, params: CALLBACK }],
])("%s, exactly", (_, { parse, refused, params }) => {
  const names = Object.keys(params);
  /** In the order in which they are told: what refuses a callback comes first. */
  const told = names.includes("FaxStatus") ? [...new Set(["FaxSid", "FaxStatus", ...names])] : names;

  it("gives a plain, frozen object, and keeps its source as it was", () => {
    const source = { ...params, Extra: "1" };
    const value = parse(source);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect([Object.isFrozen(value), Object.isFrozen(value.params), Object.getPrototypeOf(value.params)]).toEqual([
      true,
      true,
      null,
    ]);
    expect(source).toEqual({ ...params, Extra: "1" });
    expect(Object.isFrozen(source)).toBe(false);
  });

  it("reads a generator, and any order", () => {
    const pairs = (function* () {
      yield* Object.entries(params).reverse();
    })();
    expect({ ...parse(pairs), params: {} }).toEqual({ ...parse(params), params: {} });
  });

  it("keeps names that objects have or inherit, and is not moved by them", () => {
    const extra = [
      ["__proto__", "1"],
      ["constructor", "2"],
      ["toString", "3"],
      ["", "4"],
      ["faxSid", "5"],
    ];
    const value = parse(new URLSearchParams([...Object.entries(params), ...extra] as [string, string][]).toString());
    expect(Object.entries(value.params)).toEqual([...Object.entries(params), ...extra]);
    expect(value.faxSid).toBe("FX1");
  });

  it.each(["a", "-", "_", "x".repeat(40)])("accepts the SID %s", (sid) => {
    const { faxSid, accountSid } = parse({ ...params, FaxSid: sid, AccountSid: sid });
    expect([faxSid, accountSid]).toEqual([sid, sid]);
  });

  it.each([
    ["x".repeat(41), `"${"x".repeat(40)}…"`],
    ["x".repeat(40) + "!", `"${"x".repeat(40)}…"`],
    ["x".repeat(39) + "!", `"${"x".repeat(39)}!"`],
    ["FX1\n", '"FX1\\n"'],
    ["FX1\nFX2", '"FX1\\nFX2"'],
    ["FX\u017f\u212a", '"FX\\u017f\\u212a"'],
    ["FX1\0", '"FX1\\u0000"'],
    ["a\\b", '"a\\\\b"'],
    ["FX%31", '"FX%31"'],
    ["😀", '"\\ud83d\\ude00"'],
    [" ", '" "'],
  ])("refuses the SID %j", (sid, shown) => {
    for (const name of ["FaxSid", "AccountSid"]) {
      const message = `${name} must be 1 to 40 of A-Z a-z 0-9 _ -, not ${shown}.`;
      const error = refused({ ...params, [name]: sid });
      expect(error.issues).toEqual([{ parameter: name, code: "invalid", message }]);
      expect(error.message).toBe(message);
    }
  });

  it.each(names)("says of an absent %s that it is missing", (name) => {
    for (const source of [without(name, params), { ...params, [name]: undefined }, { ...params, [name]: null }]) {
      const error = refused(source);
      expect(error.issues).toEqual([{ parameter: name, code: "missing", message: `${name} is missing.` }]);
      expect(error.message).toBe(`${name} is missing.`);
    }
  });

  it.each(names.filter((name) => name !== "From"))("says of an empty %s that it is empty", (name) => {
    const error = refused({ ...params, [name]: "" });
    expect(error.issues).toEqual([{ parameter: name, code: "empty", message: `${name} is empty.` }]);
    expect(error.message).toBe(`${name} is empty.`);
  });

  it("accepts an empty From", () => {
    expect(parse({ ...params, From: "" }).from).toBe("");
  });

  it.each(["faxsid", "FAXSID", "fax_sid", "fax-sid", "Fax Sid", "FaxSid ", "_F_a_x_S_i_d_"])(
    "names what came for FaxSid: %j",
    (near) => {
      const message = `FaxSid is missing; "${near}" came, but names are case-sensitive.`;
      const error = refused({ ...without("FaxSid", params), [near]: "FX1" });
      expect(error.issues).toEqual([{ parameter: "FaxSid", code: "missing", message }]);
      expect(error.message).toBe(message);
    },
  );

  it.each(["Sid", "FaxSidd", "FxSid", "Fax.Sid", "", "xFaxSid"])("names nothing that is not near: %j", (name) => {
    expect(refused({ ...without("FaxSid", params), [name]: "FX1" }).message).toBe("FaxSid is missing.");
  });

  it("names the first near name, escaped; none of 24 characters, which nobody misspells", () => {
    const near = (...came: string[]) =>
      refused({ ...without("To", params), ...Object.fromEntries(came.map((name) => [name, ""])) }).message;
    expect(near("xTo", "TO", "to")).toBe('To is missing; "TO" came, but names are case-sensitive.');
    expect(near("t\n\u2003o")).toBe('To is missing; "t\\n\\u2003o" came, but names are case-sensitive.');
    expect(near("_".repeat(21) + "to")).toBe(
      `To is missing; "${"_".repeat(21)}to" came, but names are case-sensitive.`,
    );
    expect(near("_".repeat(22) + "to")).toBe("To is missing.");
  });

  it.each<[string, unknown, FaxRequestIssue["code"], string]>([
    ["FaxSid", ["FX1", "FX2"], "repeated", '"FaxSid" came more than once.'],
    ["FaxSid", ["FX1"], "not-text", '"FaxSid" must be text, not an array.'],
    ["AccountSid", { a: "AC1" }, "not-text", '"AccountSid" must be text, not an object.'],
    ["To", true, "not-text", '"To" must be text, not true.'],
    ["Extra", { nested: { deep: "1" } }, "not-text", '"Extra" must be text, not an object.'],
    ["Extra", ["1", ["2"]], "repeated", '"Extra" came more than once.'],
  ])("gives one issue for %s as a body parser nests it: %j", (parameter, value, code, message) => {
    const error = refused({ ...params, [parameter]: value });
    expect(error.issues).toEqual([{ parameter, code, message }]);
    expect(error.message).toBe(message);
  });

  it("gives one issue for a known name that came 200,000 times", () => {
    const { issues } = refused(`${new URLSearchParams(params)}${"&FaxSid=FX1".repeat(200_000)}`);
    expect(issues).toEqual([{ parameter: "FaxSid", code: "repeated", message: '"FaxSid" came more than once.' }]);
  });

  it.each<[string, unknown, string]>([
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["an empty text", "", "nothing"],
    ["an empty object", {}, "nothing"],
    ["an ArrayBuffer", new ArrayBuffer(8), "nothing"],
    ["an empty FormData", new FormData(), "nothing"],
    ["a function", () => "FaxSid=FX1", "nothing"],
  ])("says of %s that a body parser is probably missing", (_, source, what) => {
    const error = refused(source);
    expect(error.issues).toEqual(
      told.map((name) => ({ parameter: name, code: "missing", message: `${name} is missing.` })),
    );
    expect(error.message).toBe(
      `No parameters can be read (${what} came): a body parser for ` +
        `application/x-www-form-urlencoded is probably missing. ` +
        told.map((name) => `${name} is missing.`).join(" "),
    );
  });

  it.each<[string, unknown, string]>([
    ["a promise", Promise.resolve("FaxSid=FX1"), "(a Promise came): is an await missing?"],
    ["a URL", new URL("https://x.example/?FaxSid=FX1"), "(a URL came): pass its searchParams."],
    ["a Request", new Request("https://x.example/"), "(a Request came): pass what its text() or formData() gives."],
    ["a stream", Readable.from(["FaxSid=FX1"]), "(a request or another stream came): pass its body."],
  ])("says of %s what to pass instead", (_, source, advice) => {
    expect(refused(source).message.startsWith(`No parameters can be read ${advice} FaxSid is missing.`)).toBe(true);
  });

  it("reads bytes as it reads their text", () => {
    expect(parse(new TextEncoder().encode(new URLSearchParams({ ...params, Extra: "é" }).toString()))).toEqual(
      parse({ ...params, Extra: "é" }),
    );
  });

  it("does not say so of an object whose values are not text: the parser is there", () => {
    const rest = told.map((name) => `${name} is missing.`).concat('"Extra" must be text, not 1.');
    const more = rest.length > 6 ? [`And ${rest.length - 6} more.`] : [];
    expect(refused({ Extra: 1 }).message).toBe([...rest.slice(0, 6), ...more].join(" "));
  });

  it("does not say so of a form that holds the file alone: its texts were lost on the way", () => {
    const form = new FormData();
    form.append("Media", new File(["%PDF-"], "fax.pdf"));
    expect(refused(form).message).toBe(told.map((name) => `${name} is missing.`).join(" "));
  });

  it("shows six issues, and counts from the seventh", () => {
    const five = { ...params, FaxSid: "", a: 1, b: 2, c: 3, d: 4, e: 5 };
    const shown = ["a", "b", "c", "d", "e"].map((name, i) => `"${name}" must be text, not ${i + 1}.`).join(" ");
    expect(refused(five).message).toBe(`FaxSid is empty. ${shown}`);
    expect(refused({ ...five, g: 7 }).message).toBe(`FaxSid is empty. ${shown} And 1 more.`);
    expect(refused({ ...five, g: 7, h: 8 }).message).toBe(`FaxSid is empty. ${shown} And 2 more.`);
    expect(refused({ ...five, g: 7, h: 8 }).issues).toHaveLength(8);
    expect(refused({ ...five, g: 7, h: 8 }).issues[7]).toEqual({
      parameter: "h",
      code: "not-text",
      message: '"h" must be text, not 8.',
    });
  });

  it.each([
    "https://user:s3cret@example.com/",
    "ftp://user:s3cret@example.com/",
    "//user:s3cret@a/",
    "https://user:s3cret@[bad",
    "user:s3cret@a",
  ])("keeps the password of %j out of messages, wherever it came", (url) => {
    for (const source of [
      { ...params, FaxSid: url },
      { ...params, [url]: 1 },
      { ...params, [url]: ["1", "2"] },
    ]) {
      const { message, issues } = refused(source);
      expect(message + issues.map((each) => each.message)).not.toContain("s3cret");
    }
  });

  it("stays under 2000 characters when everything is wrong, long and unprintable", () => {
    const bad = "\u0001\ud800".repeat(5e5);
    const fields = "FaxSid AccountSid To NumPages MediaUrl MediaSid OriginalMediaUrl Timestamp Media".split(" ");
    expect(refused(Object.fromEntries(fields.map((name) => [name, bad]))).message.length).toBeLessThan(2000);
    expect(
      refused(Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`${i}${bad}`, {}]))).message.length,
    ).toBeLessThan(2000);
    const near = names.map((name) => [[...name].join("\u2028".repeat(4)), ""]);
    expect(refused(Object.fromEntries(near)).message.length).toBeLessThan(2000);
  });
});

describe("parseFaxRequest, exactly", () => {
  it("checks nothing of a callback", () => {
    const extra = { NumPages: "two", MediaUrl: "x", Timestamp: "y", Media: "z", FaxStatus: "" };
    const fax = parseFaxRequest({ ...INCOMING, ...extra });
    expect(Object.keys(fax)).toEqual(["kind", "faxSid", "accountSid", "from", "to", "apiVersion", "params", "issues"]);
    expect({ ...fax.params }).toEqual({ ...INCOMING, ...extra });
  });

  it("gives its issues in this order: the five, then what is not known", () => {
    const error = refusedRequest([
      ["ApiVersion", ""],
      ["To", "+1"],
      ["Extra", "1"],
      ["To", "+2"],
      ["faxsid", "FX1"],
      ["AccountSid", "a b"],
      ["From", 5],
      ["Extra", "2"],
    ]);
    expect(error.issues).toEqual([
      {
        parameter: "FaxSid",
        code: "missing",
        message: 'FaxSid is missing; "faxsid" came, but names are case-sensitive.',
      },
      {
        parameter: "AccountSid",
        code: "invalid",
        message: 'AccountSid must be 1 to 40 of A-Z a-z 0-9 _ -, not "a b".',
      },
      { parameter: "From", code: "not-text", message: '"From" must be text, not 5.' },
      { parameter: "To", code: "repeated", message: '"To" came more than once.' },
      { parameter: "ApiVersion", code: "empty", message: "ApiVersion is empty." },
      { parameter: "Extra", code: "repeated", message: '"Extra" came more than once.' },
    ]);
    expect(error.message).toBe(error.issues.map(({ message }) => message).join(" "));
  });
});

describe("parseFaxCallback, exactly", () => {
  it.each([
    ["NumPages", "2.0", 'NumPages must be a whole number, not "2.0".'],
    ["NumPages", "２", 'NumPages must be a whole number, not "\\uff12".'],
    ["NumPages", "2\n2", 'NumPages must be a whole number, not "2\\n2".'],
    ["NumPages", "9".repeat(400), `NumPages must be a whole number, not "${"9".repeat(40)}…".`],
    ["MediaUrl", "x".repeat(40), `MediaUrl must be an http(s) URL, not "${"x".repeat(40)}".`],
    ["MediaUrl", "x".repeat(41), `MediaUrl must be an http(s) URL, not "${"x".repeat(40)}…".`],
    ["MediaUrl", "javascript://x/%0aalert(1)", 'MediaUrl must be an http(s) URL, not "javascript://x/%0aalert(1)".'],
    ["MediaUrl", "\0https://a/", 'MediaUrl must be an http(s) URL, not "\\u0000https://a/".'],
    ["MediaUrl", "ht\ntps://a/", 'MediaUrl must be an http(s) URL, not "ht\\ntps://a/".'],
    ["MediaUrl", "https://?x", 'MediaUrl must be an http(s) URL, not "https://?x".'],
    ["MediaUrl", "https://:443/", 'MediaUrl must be an http(s) URL, not "https://:443/".'],
    ["MediaUrl", "httpss://a/", 'MediaUrl must be an http(s) URL, not "httpss://a/".'],
    ["MediaUrl", "https://a:65536/", 'MediaUrl must be an http(s) URL, not "https://a:65536/".'],
    ["OriginalMediaUrl", "blob:https://a/1", 'OriginalMediaUrl must be an http(s) URL, not "blob:https://a/1".'],
    ["OriginalMediaUrl", "ftp://user:s3cret@a/", 'OriginalMediaUrl must be an http(s) URL, not "ftp://***@a/".'],
    ["MediaSid", "x".repeat(41), `MediaSid must be 1 to 40 of A-Z a-z 0-9 _ -, not "${"x".repeat(40)}…".`],
    ["Timestamp", "now", 'Timestamp must be a time in ISO 8601 or RFC 2822, not "now".'],
    [
      "Timestamp",
      "2022-01-13T21:54:46Z\n",
      'Timestamp must be a time in ISO 8601 or RFC 2822, not "2022-01-13T21:54:46Z\\n".',
    ],
    ["Media", "%PDF-", "Media came as text, without a filename: its bytes are lost."],
  ])("refuses %s %j", (parameter, value, message) => {
    const error = oddCallback({ ...CALLBACK, [parameter]: value });
    expect(error.issues).toEqual([{ parameter, code: "invalid", message }]);
    expect(error.message).toBe(message);
  });

  it.each([
    ["MediaSid", "x".repeat(40)],
    ["MediaUrl", "https://user:password@[::1]:8080/1.pdf?x=1&y=%20#z"],
    ["OriginalMediaUrl", "http://例え.jp/"],
    ["RemoteStationId", "\0\ud800".repeat(50_000)],
    ["ErrorCode", "0"],
    ["ErrorMessage", " "],
    ["FaxStatus", "__proto__"],
  ])("gives %s as it came (row %#)", (parameter, value) => {
    const key = (parameter[0]!.toLowerCase() + parameter.slice(1)) as "mediaSid";
    expect(parseFaxCallback({ ...CALLBACK, [parameter]: value })[key]).toBe(value);
  });

  // The right column is the same moment in UTC, worked out by hand.
  it.each([
    ["2022-01-13T21:54:46-00:00", "2022-01-13T21:54:46.000Z"],
    ["2022-01-13T21:54:46.123456789Z", "2022-01-13T21:54:46.123Z"],
    ["2022-01-13T21:54:46+0130", "2022-01-13T20:24:46.000Z"],
    ["2022-01-13T21:54:46.5-0800", "2022-01-14T05:54:46.500Z"],
    ["2022-01-29T00:00:00Z", "2022-01-29T00:00:00.000Z"],
    ["2022-01-31T23:59:59+14:00", "2022-01-31T09:59:59.000Z"],
    ["2022-04-30T23:59:59-1200", "2022-05-01T11:59:59.000Z"],
    ["2024-02-29T23:30:00-0100", "2024-03-01T00:30:00.000Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"],
  ])("reads Timestamp %s", (Timestamp, time) => {
    expect(parseFaxCallback({ ...CALLBACK, Timestamp }).timestamp?.toISOString()).toBe(time);
  });

  it.each([
    "2022-02-29T00:00:00+0100",
    "2022-06-31T00:00:00Z",
    "2022-13-30T00:00:00Z",
    "2022-01-13T24:00:01Z",
    "2022-01-13T21:54:60Z",
    "2022-01-13T21:54:46+24:00",
    "2022-01-13T21:54:46+01:60",
    "2022-01-13T21:54:46+9999",
    "2022-01-13T21:54:46+01",
    "2022-01-13T21:54:46+1:00",
    "2022-01-13T21:54:46 01:00",
    "2022-01-13T21:54Z",
    "2022-01-13T21:54:46.Z",
    "2022-01-13T21:54:46,5Z",
    "2022-01-13t21:54:46Z",
    "2022-01-13T21:54:46z",
    "20220113T215446Z",
    "+002022-01-13T21:54:46Z",
    "12022-01-13T21:54:46Z",
    "2022-1-13T21:54:46Z",
    "2022-01-13T21:54:46Z ",
    "2022-01-13T21:54:46Z+0100",
    "x2022-01-13T21:54:46Z",
    "0",
    "x0",
  ])("refuses Timestamp %j", (Timestamp) => {
    const message = `Timestamp must be a time in ISO 8601 or RFC 2822, not "${Timestamp}".`;
    expect(oddCallback({ ...CALLBACK, Timestamp }).issues).toEqual([
      { parameter: "Timestamp", code: "invalid", message },
    ]);
  });

  it("gives the very file of its source", () => {
    const pages = new Blob(["x"]);
    expect(parseFaxCallback({ ...CALLBACK, Media: pages }).media).toBe(pages);
    expect("media" in parseFaxCallback({ ...CALLBACK, media: pages, Cover: pages })).toBe(false);
  });

  it("gives first what refuses it, then the rest in the order of the README's tables", () => {
    const bad = {
      Media: "x",
      Timestamp: "x",
      OriginalMediaUrl: "x",
      MediaSid: "a b",
      MediaUrl: "x",
      NumPages: "x",
      ApiVersion: "",
      To: "",
      From: "",
    };
    const error = oddCallback({ ...bad, AccountSid: "a b", FaxSid: "a b", RemoteStationId: 1 });
    expect(codes(error)).toEqual([
      "FaxSid invalid",
      "FaxStatus missing",
      "Media invalid",
      "AccountSid invalid",
      "To empty",
      "ApiVersion empty",
      "RemoteStationId not-text",
      "NumPages invalid",
      "MediaUrl invalid",
      "MediaSid invalid",
      "OriginalMediaUrl invalid",
      "Timestamp invalid",
    ]);
    expect(error.message).toBe(
      'FaxSid must be 1 to 40 of A-Z a-z 0-9 _ -, not "a b". FaxStatus is missing. ' +
        "Media came as text, without a filename: its bytes are lost. " +
        'AccountSid must be 1 to 40 of A-Z a-z 0-9 _ -, not "a b". To is empty. ApiVersion is empty. And 6 more.',
    );
  });
});

describe("new FaxRequestError", () => {
  it("can be made by a user's own test", () => {
    const issues = [{ parameter: "To", code: "missing" as const, message: "To is missing." }];
    const error = new FaxRequestError("m", issues);
    expect([error.name, error.message, error.code, error.issues]).toEqual([
      "FaxRequestError",
      "m",
      "invalid-parameters",
      issues,
    ]);
    expect(error).toBeInstanceOf(Error);
  });
});

describe("what costs a request, and what is only noted", () => {
  it.each<[string, unknown]>([
    ["no FaxSid", without("FaxSid")],
    ["an empty FaxSid", { ...CALLBACK, FaxSid: "" }],
    ["a FaxSid that is a path", { ...CALLBACK, FaxSid: "../x" }],
    ["a FaxSid of 41 characters", { ...CALLBACK, FaxSid: "x".repeat(41) }],
    ["two FaxSids", `${new URLSearchParams(CALLBACK)}&FaxSid=FX2`],
    ["no status", INCOMING],
    ["an empty status", { ...INCOMING, FaxStatus: "", Status: "" }],
    ["a status that is not text", { ...INCOMING, FaxStatus: {} }],
    ["the pages as text", { ...CALLBACK, Media: "%PDF-" }],
  ])("a callback is refused for %s", (_, source) => {
    refusedCallback(source);
  });

  it.each<[string, string, unknown, Record<string, unknown>]>([
    // the name, the issue, what came, what the value has
    ["AccountSid", "missing", undefined, { accountSid: "" }],
    ["AccountSid", "invalid", "a b", { accountSid: "" }],
    ["From", "missing", undefined, { from: "" }],
    ["To", "empty", "", { to: "" }],
    ["ApiVersion", "not-text", 1, { apiVersion: "" }],
    ["To", "repeated", ["+1", "+2"], { to: "+1" }],
    ["NumPages", "invalid", "unknown", { numPages: undefined }],
    ["NumPages", "not-text", 2, { numPages: undefined }],
    ["NumPages", "repeated", ["1", "2"], { numPages: undefined }],
    ["MediaUrl", "invalid", "/fax.pdf", { mediaUrl: undefined }],
    ["MediaUrl", "invalid", `https://${"é".repeat(2048)}/`, { mediaUrl: undefined }],
    ["MediaSid", "invalid", "a:b", { mediaSid: undefined }],
    ["OriginalMediaUrl", "invalid", "data:application/pdf,x", { originalMediaUrl: undefined }],
    ["Timestamp", "invalid", "yesterday", { timestamp: undefined }],
    ["FaxStatus", "repeated", ["received", "failed"], { faxStatus: "received" }],
    ["Unknown", "repeated", ["1", "2"], {}],
    ["Unknown", "not-text", {}, {}],
  ])("a callback with %s %s is passed on, and the issue noted", (name, code, value, properties) => {
    const callback = parseFaxCallback({ ...CALLBACK, MediaUrl: "https://x.example/1.pdf", [name]: value });
    expect(codes(callback as never)).toEqual([`${name} ${code}`]);
    expect(callback).toMatchObject({ faxSid: "FX1", faxStatus: "received" });
    for (const [property, expected] of Object.entries(properties)) {
      expect((callback as unknown as Record<string, unknown>)[property]).toBe(expected);
    }
    if (typeof value === "string") expect(callback.params[name]).toBe(value);
  });

  it("a request with an unknown name that is repeated is passed on, with its first value", () => {
    for (const source of [`${new URLSearchParams(INCOMING)}&tag=a&tag=b`, { ...INCOMING, tag: ["a", "b"] }]) {
      const fax = parseFaxRequest(source);
      expect([fax.params["tag"], codes(fax as never)]).toEqual(["a", ["tag repeated"]]);
    }
  });

  it("reads Status where FaxStatus is missing or empty", () => {
    expect(parseFaxCallback({ ...INCOMING, Status: "received" })).toMatchObject({ faxStatus: "received", issues: [] });
    expect(parseFaxCallback({ ...INCOMING, FaxStatus: "", Status: "failed" }).faxStatus).toBe("failed");
    expect(parseFaxCallback({ ...INCOMING, FaxStatus: "busy", Status: "failed" }).faxStatus).toBe("busy");
  });

  it("gives the first of two files of pages, and says so", () => {
    const pages = [new File(["1"], "1.pdf"), new File(["2"], "2.pdf")];
    const callback = parseFaxCallback([...Object.entries(CALLBACK), ["Media", pages[0]], ["Media", pages[1]]]);
    expect([callback.media, codes(callback as never)]).toEqual([pages[0], ["Media repeated"]]);
  });

  it.each([
    ["Thu, 13 Jan 2022 21:54:46 +0000", "2022-01-13T21:54:46.000Z"],
    ["13 Jan 2022 21:54:46 +0000", "2022-01-13T21:54:46.000Z"],
    ["Tue, 1 Feb 2022 01:02:03 -0530", "2022-02-01T06:32:03.000Z"],
    ["Thu, 13 Jan 2022 21:54:46 GMT", "2022-01-13T21:54:46.000Z"],
    ["2022-01-13T21:54:46+0100", "2022-01-13T20:54:46.000Z"],
  ])("reads the time %j", (Timestamp, time) => {
    expect(parseFaxCallback({ ...CALLBACK, Timestamp }).timestamp?.toISOString()).toBe(time);
  });

  it.each(["Thu, 30 Feb 2022 21:54:46 +0000", "Thu, 13 Foo 2022 21:54:46 +0000", "Thu, 13 Jan 2022 25:54:46 +0000"])(
    "reads no time from %j",
    (Timestamp) => {
      expect(codes(oddCallback({ ...CALLBACK, Timestamp }))).toEqual(["Timestamp invalid"]);
    },
  );
});

describe("parseFax", () => {
  const NAMES = ["FaxStatus", "Status", "MediaUrl", "MediaSid", "OriginalMediaUrl", "NumPages", "ErrorCode"];

  it("gives a new fax, or a callback, as the other parsers do", () => {
    expect(parseFax(INCOMING)).toEqual(parseFaxRequest(INCOMING));
    expect(parseFax(CALLBACK)).toEqual(parseFaxCallback(CALLBACK));
    expect([parseFax(INCOMING).kind, parseFax(CALLBACK).kind]).toEqual(["request", "callback"]);
  });

  it.each([...NAMES, "ErrorMessage"])("knows a callback by %s, even empty or repeated", (name) => {
    for (const value of ["x", "", ["a", "b"]]) {
      const source = { ...INCOMING, FaxStatus: "received", [name]: value };
      expect(oddities(() => ({ ...parseFax({ ...source, MediaSid: "a b" }) })).issues.length).toBeGreaterThan(0);
      const { FaxStatus: _, ...alone } = { ...INCOMING, FaxStatus: undefined, [name]: value };
      if (name !== "FaxStatus" && name !== "Status")
        expect(codes(refusal(() => parseFax(alone)))).toContain("FaxStatus missing");
    }
  });
});

describe("the Standard Schema of the parsers", () => {
  const parsers = { parseFax, parseFaxCallback, parseFaxRequest };

  it.each(Object.entries(parsers))("%s has version 1 and its vendor", (_, parser) => {
    expect(parser["~standard"]).toMatchObject({ version: 1, vendor: "twiml-fax" });
  });

  it("gives the value, or issues with a message and a path, at once", () => {
    expect(parseFax["~standard"].validate(CALLBACK)).toEqual({ value: parseFaxCallback(CALLBACK) });
    expect(parseFaxRequest["~standard"].validate({ ...INCOMING, FaxSid: "a b", To: "" })).toEqual({
      issues: [
        { message: 'FaxSid must be 1 to 40 of A-Z a-z 0-9 _ -, not "a b".', path: ["FaxSid"] },
        { message: "To is empty.", path: ["To"] },
      ],
    });
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["a promise", Promise.resolve()],
    [
      "an iterable that throws",
      {
        [Symbol.iterator]: () => {
          throw new Error("secret");
        },
      },
    ],
    [
      "a getter that throws",
      {
        get FaxSid() {
          throw new Error("secret");
        },
      },
    ],
  ])("never throws: %s", (_, value) => {
    for (const parser of Object.values(parsers)) {
      const { issues = [] } = parser["~standard"].validate(value);
      expect(issues.length).toBeGreaterThan(0);
      expect(JSON.stringify(issues)).not.toContain("secret");
    }
  });
});

describe("the table of callback parameters", () => {
  it("has exactly the documented names", () => {
    expect([...CALLBACK_PARAM_NAMES].sort()).toEqual(
      [
        ...["FaxStatus", "Status", "RemoteStationId", "NumPages", "MediaUrl", "MediaSid", "OriginalMediaUrl"],
        ...["ErrorCode", "ErrorMessage", "Timestamp", "BitRate", "Media"],
      ].sort(),
    );
  });

  it.each(["RemoteStationId", "Timestamp", "BitRate"])("does not make a request with %s a callback", (name) => {
    expect(parseFax({ ...INCOMING, [name]: "1" }).kind).toBe("request");
  });

  it("notes a repeated BitRate, which no property has", () => {
    expect(codes(oddCallback({ ...CALLBACK, BitRate: ["1", "2"] }))).toEqual(only("BitRate", "repeated"));
  });

  it("notes 200,000 unknown names that are not text", () => {
    const unknown = Object.fromEntries(Array.from({ length: 200_000 }, (_, i) => [`a${i}`, i]));
    expect(parseFaxCallback({ ...CALLBACK, ...unknown }).issues).toHaveLength(200_000);
  });

  it("documents every property of FaxRequest and FaxCallback in editors", () => {
    const file = join(import.meta.dirname, "../../src/index.ts");
    const options: ts.CompilerOptions = {
      module: ts.ModuleKind.NodeNext,
      strict: true,
      lib: ["lib.es2022.d.ts"],
      types: [],
    };
    const program = ts.createProgram([file], options);
    const checker = program.getTypeChecker();
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)!)!);
    const comments = (name: string) => {
      const type = checker.getDeclaredTypeOfSymbol(
        checker.getAliasedSymbol(exported.find((each) => each.name === name)!),
      );
      const properties = checker.getPropertiesOfType(type);
      return Object.fromEntries(
        properties.map((each) => [each.name, ts.displayPartsToString(each.getDocumentationComment(checker))]),
      );
    };
    expect(comments("FaxCallback")).toMatchObject({ numPages: "Number of pages." });
    for (const name of ["FaxRequest", "FaxCallback"]) {
      expect(Object.keys(comments(name)).length).toBeGreaterThanOrEqual(8);
      expect(Object.entries(comments(name)).filter(([, comment]) => comment === "")).toEqual([]);
    }
  });
});
