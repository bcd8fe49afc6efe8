import { describe, expect, it, vi } from "vitest";
import {
  FaxResponse,
  receive,
  type ReceiveAttributes,
  reject,
  toTwiml,
  TwimlError,
  type Verb,
} from "../../src/index.js";
import { reread } from "../fuzz/reread.js";
import { providerErrorOf } from "../provider-errors.js";

/** The error that a call throws, held against what holds for all of them. */
function refusal(call: () => unknown): TwimlError {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    expect(error).toBeInstanceOf(TwimlError);
    const { name, message } = error as TwimlError;
    expect(name).toBe("TwimlError");
    expect(message.length).toBeLessThanOrEqual(400);
    // For logs: one line, and nothing that a terminal would obey.
    expect(message).toMatch(/^[\x20-\x7e…]+$/);
    return error as TwimlError;
  }
  return expect.fail(`nothing was thrown, but returned: ${JSON.stringify(result)?.slice(0, 200)}`);
}

/** What plain JavaScript may pass. */
const receiveAny = receive as (attributes?: unknown, options?: unknown) => ReturnType<typeof receive>;
const rejectAny = reject as (attributes?: unknown) => ReturnType<typeof reject>;
const toTwimlAny = toTwiml as (verb?: unknown) => string;

/** The attributes as fast-xml-parser finds them in the document. */
const written = (verb: Verb) => reread(toTwiml(verb)).verbs[0]?.attributes;

describe("receive", () => {
  it("writes the example of the providers' documentation", () => {
    const verb = receive({
      action: "/fax/received",
      method: "POST",
      mediaType: "application/pdf",
      pageSize: "letter",
      storeMedia: true,
    });
    expect(toTwiml(verb)).toBe(
      '<?xml version="1.0" encoding="UTF-8"?><Response>' +
        '<Receive action="/fax/received" method="POST" mediaType="application/pdf" ' +
        'pageSize="letter" storeMedia="true"/>' +
        "</Response>",
    );
  });

  it.each<[string, ReceiveAttributes | undefined]>([
    ["no argument", undefined],
    ["an empty object", {}],
    ["attributes that are undefined", { action: undefined, method: undefined, storeMedia: undefined }],
    ["attributes that are null", { action: null, method: null, mediaType: null, pageSize: null, storeMedia: null }],
    ["an object without a prototype", Object.create(null) as object],
  ])("takes %s for a verb without attributes", (_, attributes) => {
    expect(receive(attributes)).toEqual({ verb: "Receive", attributes: {} });
    expect(toTwiml(receive(attributes))).toBe('<?xml version="1.0" encoding="UTF-8"?><Response><Receive/></Response>');
  });

  it.each<ReceiveAttributes>([
    { method: "GET" },
    { method: "POST" },
    { mediaType: "application/pdf" },
    { mediaType: "image/tiff" },
    { pageSize: "letter" },
    { pageSize: "legal" },
    { pageSize: "a4" },
    { storeMedia: true },
    { action: "/a", storeMedia: false },
    { storeMedia: false, action: "/a", method: "POST" },
    { storeMedia: true, method: "GET" },
  ])("accepts %j and writes it in this order", (attributes) => {
    expect(receive(attributes)).toEqual({ verb: "Receive", attributes });
    expect(written(receive(attributes))).toEqual(
      Object.entries(attributes).map(([name, value]) => [name, String(value)]),
    );
  });

  describe("action", () => {
    it.each([
      "https://example.com/fax?a=1&b=%20#c",
      "http://user:password@example.com:8080/fax",
      "HTTPS://EXAMPLE.COM/FAX",
      "/fax",
      "fax.php",
      "../x",
      "./a:b",
      "a/b:c",
      "?q",
      "?a:b",
      "#f",
      "?step=2",
      "#rc=2",
      "//example.com/fax",
      "/a:b",
      " /fax ",
      '/fax page\'s "quoted" <b>',
      "/\t\n\r",
      "/é/日本/😀",
      '/"/><Reject/><Receive action="',
    ])("accepts the URL reference %j as it is", (action) => {
      expect(receive({ action }).attributes).toEqual({ action });
      expect(written(receive({ action }))).toEqual([["action", action]]);
    });

    it.each<[string, { href: string }]>([
      ["a URL", new URL("https://example.com/ä?b=c d")],
      ["any object with an href", { href: "https://example.com/%C3%A4?b=c%20d" }],
      ["an object that inherits it", Object.create({ href: "https://example.com/%C3%A4?b=c%20d" }) as { href: string }],
    ])("takes the href of %s", (_, action) => {
      expect(receive({ action }).attributes.action).toBe("https://example.com/%C3%A4?b=c%20d");
    });

    it("keeps the text of a URL object that is changed later", () => {
      const url = new URL("https://example.com/a");
      const verb = receive({ action: url });
      url.pathname = "/b";
      expect(verb.attributes.action).toBe("https://example.com/a");
    });

    it.each<unknown>([
      "",
      "localhost:3000/x",
      "example.com:443/x",
      "127.0.0.1:3000/x",
      "C:\\x",
      "ftp://u:p@h/",
      "javascript:alert(1)",
      " javascript:alert(1)",
      " javascript:x",
      "java\nscript:alert(1)",
      "JavaScript:alert(1)",
      "data:text/xml,<Response/>",
      "ftp://example.com/",
      "file:///etc/passwd",
      "mailto:fax@example.com",
      "https:/typo",
      "https:typo",
      "http:foo",
      "https://",
      "https://[bad",
      "https://a b/",
      "https://example.com:99999/",
      "//[bad",
      "//",
      5,
      0,
      true,
      false,
      [],
      ["/fax"],
      {},
      { href: "" },
      { href: 5 },
      { href: "javascript:alert(1)" },
      { href: { href: "/fax" } },
    ])("refuses %j", (action) => {
      const error = refusal(() => receiveAny({ action }));
      expect(error).toMatchObject({ code: "invalid-value", verb: "Receive", attribute: "action" });
      expect(error.message).toContain("action must be");
    });

    it.each<[string, unknown]>([
      ["a symbol", Symbol("/fax")],
      ["a bigint", 1n],
      ["a URL object of another scheme", new URL("ftp://example.com/")],
      ["NaN", NaN],
    ])("refuses %s", (_, action) => {
      expect(refusal(() => receiveAny({ action }))).toMatchObject({ code: "invalid-value", attribute: "action" });
    });

    it.each([
      "ftp://user:s3cret@example.com/",
      "https://user:s3cret@[bad",
      "https://user:s3cret@exa mple.com/",
      "//user:s3cret@[bad",
      "https:/user:s3cret@example.com/",
      "https:user:s3cret@example.com/",
      "https:\\\\user:s3cret@example.com/",
      "https://user:a/s3cret@example.com/",
      "user:s3cret@example.com/fax",
      "https://user:s3cret@example.com/\0",
      `ftp://user:s3cret${"x".repeat(2000)}@example.com/`,
    ])("refuses %j without telling the password", (action) => {
      const error = refusal(() => receive({ action }));
      expect(error.message).not.toContain("s3cret");
      expect(JSON.stringify(error)).not.toContain("s3cret");
    });
  });

  it.each<[unknown, string, string, ...string[]]>([
    [{ method: "post" }, "method", '"POST"', '"GET"'],
    [{ method: "PUT" }, "method", '"PUT"', '"GET"', '"POST"'],
    [{ method: "" }, "method", '"GET"'],
    [{ method: ["POST"] }, "method", "an array"],
    [{ method: "POST " }, "method", 'did you mean "POST"?'],
    [{ mediaType: "pdf" }, "mediaType", 'did you mean "application/pdf"?', '"image/tiff"'],
    [{ mediaType: "image/tif" }, "mediaType", 'did you mean "image/tiff"?'],
    [{ mediaType: "Application/PDF" }, "mediaType", 'did you mean "application/pdf"?'],
    [{ mediaType: "text/html" }, "mediaType", '"text/html"'],
    [{ pageSize: "A4" }, "pageSize", 'did you mean "a4"?', '"letter"', '"legal"'],
    [{ pageSize: "Letter" }, "pageSize", 'did you mean "letter"?'],
    [{ pageSize: "letter\n" }, "pageSize", '"letter\\n"'],
    [{ pageSize: 4 }, "pageSize", "not 4"],
    [{ pageSize: 'a4" storeMedia="false' }, "pageSize", '\\"'],
    [{ storeMedia: "true" }, "storeMedia", 'not "true"', "did you mean true?"],
    [{ storeMedia: "false" }, "storeMedia", "true or false"],
    [{ storeMedia: 0 }, "storeMedia", "not 0"],
    [{ storeMedia: 1 }, "storeMedia", "not 1"],
    [{ storeMedia: "" }, "storeMedia", 'not ""'],
    [{ storeMedia: {} }, "storeMedia", "an object"],
    [{ storeMedia: NaN }, "storeMedia", "NaN"],
  ])("refuses the value in %j, and says what is allowed", (attributes, attribute, ...says) => {
    const error = refusal(() => receiveAny(attributes));
    expect(error).toMatchObject({ code: "invalid-value", verb: "Receive", attribute });
    for (const each of [attribute, ...says]) expect(error.message).toContain(each);
  });

  it.each([
    ["pagesize", "pageSize"],
    ["PageSize", "pageSize"],
    ["page_size", "pageSize"],
    ["ACTION", "action"],
    ["actoin", "action"],
    ["Method", "method"],
    ["mediatype", "mediaType"],
    ["storemedia", "storeMedia"],
    ["store-media", "storeMedia"],
  ])("refuses the attribute %j and suggests %j", (attribute, meant) => {
    const error = refusal(() => receiveAny({ [attribute]: "x" }));
    expect(error).toMatchObject({ code: "unknown-attribute", verb: "Receive", attribute });
    expect(error.message).toContain(JSON.stringify(attribute));
    expect(error.message).toContain(`did you mean "${meant}"?`);
    expect(error.message).toContain("case-sensitive");
  });

  it.each([
    "timeout",
    "toString",
    "constructor",
    "hasOwnProperty",
    "verb",
    "attributes",
    "unchecked",
    "",
    "0",
    "xmlns",
    "a b",
    '"/><Reject/>',
  ])("refuses the attribute %j and lists those there are", (attribute) => {
    const error = refusal(() => receiveAny({ [attribute]: "x" }));
    expect(error).toMatchObject({ code: "unknown-attribute", attribute });
    for (const name of ["action", "method", "mediaType", "pageSize", "storeMedia"])
      expect(error.message).toContain(name);
  });

  it("refuses an own __proto__, as JSON.parse makes it", () => {
    const attributes: unknown = JSON.parse('{"__proto__":{"action":"/x"}}');
    expect(refusal(() => receiveAny(attributes))).toMatchObject({ code: "unknown-attribute", attribute: "__proto__" });
  });

  it.each<[string, unknown]>([
    ["text", "/fax"],
    ["a number", 5],
    ["true", true],
    ["an array", []],
    ["an array of pairs", [["action", "/fax"]]],
    ["a Map", new Map([["action", "/fax"]])],
    ["URLSearchParams", new URLSearchParams("action=/fax")],
    ["a function", () => ({ action: "/fax" })],
    ["a symbol", Symbol("action")],
    // TypeScript refuses these as well. Each would give a verb without action, in silence.
    ["a URL in place of the attributes", new URL("https://example.com/fax")],
    ["a promise that nobody awaited", Promise.resolve({ action: "/fax" })],
  ])("refuses %s as attributes", (_, attributes) => {
    expect(refusal(() => receiveAny(attributes))).toMatchObject({ verb: "Receive" });
  });

  it.each<[string, unknown]>([
    ["without an action", { storeMedia: false }],
    ["with an action that is undefined", { storeMedia: false, action: undefined }],
    ["with an action that is null", { storeMedia: false, action: null }],
    ["with GET", { storeMedia: false, action: "/fax", method: "GET" }],
    ["with GET that came first", { method: "GET", action: "/fax", storeMedia: false }],
    ["with neither", { storeMedia: false, method: "GET" }],
    [
      "with an action that is inherited",
      Object.assign(Object.create({ action: "/fax" }) as object, { storeMedia: false }),
    ],
  ])("refuses storeMedia: false %s: the pages would be lost", (_, attributes) => {
    const error = refusal(() => receiveAny(attributes));
    expect(error).toMatchObject({ code: "pages-lost", verb: "Receive", attribute: "storeMedia" });
    expect(error.message).toContain("action");
    expect(error.message).toContain("POST");
  });

  it.each<[string, ReceiveAttributes]>([
    ["with an action", { storeMedia: false, action: "/fax" }],
    ["with an action and POST", { storeMedia: false, action: "/fax", method: "POST" }],
    ["with an action and no method", { storeMedia: false, action: "/fax", method: null }],
  ])("accepts storeMedia: false %s", (_, attributes) => {
    expect(receive(attributes).attributes).toMatchObject({ storeMedia: false, action: "/fax" });
  });

  it.each([
    ["/\0", "U+0000"],
    ["/\u0008", "U+0008"],
    ["/\u000b", "U+000B"],
    ["/\u001b[2J", "U+001B"],
    ["/\ufffe", "U+FFFE"],
    ["/\uffff", "U+FFFF"],
    ["/\ud800", "U+D800"],
    ["/\udc00\ud800", "U+DC00"],
    ["/a\ud83d", "U+D83D"],
  ])("refuses text that XML cannot carry: %j holds %s", (action, name) => {
    const error = refusal(() => receive({ action }));
    expect(error).toMatchObject({ code: "invalid-text", verb: "Receive", attribute: "action" });
    expect(error.message).toContain(name);
  });

  const controls = [...Array(0x20).keys()].filter((code) => ![0x9, 0xa, 0xd].includes(code));
  it.each(
    [...controls, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xfffe, 0xffff].map(
      (code) => [code.toString(16).toUpperCase().padStart(4, "0"), code] as const,
    ),
  )("refuses U+%s wherever it stands", (name, code) => {
    const char = String.fromCharCode(code);
    for (const text of [`/${char}`, `/${char}a`, `/a${char}a`, `/😀${char}`, `/${char}é`, `/a${char}\n`]) {
      expect(refusal(() => receive({ action: text }))).toMatchObject({
        code: "invalid-text",
        attribute: "action",
        message: `<Receive>: "action" holds U+${name}, which XML cannot carry.`,
      });
      expect(refusal(() => receive({}, { unchecked: { later: char + text } })).code).toBe("invalid-text");
    }
  });

  it.each([
    "\t",
    "\n",
    "\r",
    "\r\n",
    " ",
    "\x7f",
    "\x80",
    "\x85",
    "\x9f",
    "\u2028",
    "\ud7ff",
    "\ue000",
    "\ufeff",
    "\ufffd",
    "\u{10000}",
    "\u{1ffff}",
    "\u{10ffff}",
  ])("writes %j wherever it stands, so that a reader gets it back", (char) => {
    for (const text of [`/${char}`, `/${char}a`, `/a${char}${char}a`, `/a${char}😀`]) {
      expect(written(receive({ action: text }, { unchecked: { later: char + text } }))).toEqual([
        ["action", text],
        ["later", char + text],
      ]);
    }
  });

  it("copies: what happens to the argument later does not matter", () => {
    const attributes = { action: "/a" as string, pageSize: "a4" as const };
    const unchecked = { later: "1" };
    const verb = receive(attributes, { unchecked });
    attributes.action = "javascript:alert(1)";
    unchecked.later = "2";
    expect(verb).toEqual({ verb: "Receive", attributes: { action: "/a", pageSize: "a4" }, unchecked: { later: "1" } });
  });

  it("does not touch a frozen argument", () => {
    expect(receive(Object.freeze({ action: "/a" }), Object.freeze({ unchecked: Object.freeze({}) }))).toEqual({
      verb: "Receive",
      attributes: { action: "/a" },
    });
  });

  it("is frozen, and so is all in it", () => {
    const verb = receive({ action: "/a" }, { unchecked: { later: "1" } });
    expect([verb, verb.attributes, verb.unchecked].map(Object.isFrozen)).toEqual([true, true, true]);
    expect(Object.isFrozen(receive().attributes)).toBe(true);
  });

  it("takes no attribute that is inherited, a symbol or hidden", () => {
    const attributes = Object.assign(Object.create({ action: "/inherited" }) as object, { method: "GET" });
    Object.defineProperties(attributes, {
      pageSize: { enumerable: false, value: "a4" },
      [Symbol("mediaType")]: { enumerable: true, value: "image/tiff" },
    });
    expect(receive(attributes as object)).toEqual({ verb: "Receive", attributes: { method: "GET" } });
  });

  it.each<[string, unknown, string]>([
    ["a URL", new URL("https://x.example/"), "a URL"],
    ["a Map", new Map(), "a Map"],
    ["a promise", Promise.resolve({}), "a Promise: is an await missing?"],
    ["a function", () => ({}), "a function: is a call missing?"],
    ["an instance without data", new (class Settings {})(), "an object"],
    ["an array", [], "an array"],
  ])("says what came instead of plain data: %s", (_, attributes, came) => {
    expect(refusal(() => receiveAny(attributes)).message).toContain(`must be a plain object, not ${came}`);
  });

  it("reads an own getter as a spread reads it, once", () => {
    let runs = 0;
    const attributes = Object.defineProperty({}, "action", { enumerable: true, get: () => `/fax${++runs}` });
    expect(receive(attributes)).toEqual({ verb: "Receive", attributes: { action: "/fax1" } });
    expect(runs).toBe(1);
  });

  it("reads an own getter of the options and of unchecked as well, each once", () => {
    const runs = { unchecked: 0, later: 0 };
    const unchecked = Object.defineProperty({}, "later", { enumerable: true, get: () => String(++runs.later) });
    const options = Object.defineProperty({}, "unchecked", {
      enumerable: true,
      get: () => (runs.unchecked++, unchecked) as unknown,
    });
    expect(receiveAny({}, options)).toEqual({ verb: "Receive", attributes: {}, unchecked: { later: "1" } });
    expect(runs).toEqual({ unchecked: 1, later: 1 });
  });

  it("checks what a getter gave, not what it gives the next time", () => {
    const answers = ["/fax", "javascript:alert(1)"];
    const attributes = Object.defineProperty({}, "action", { enumerable: true, get: () => answers.shift() });
    expect(written(receive(attributes))).toEqual([["action", "/fax"]]);
  });

  it("does not check a verb again that it made", () => {
    // A port, because the parser is not asked about a plain URL.
    const verb = receive({ action: "https://example.com:8080/fax" }, { unchecked: { later: "1" } });
    expect(new FaxResponse(verb).verb).toBe(verb);
    const canParse = vi.spyOn(URL, "canParse");
    try {
      toTwiml(verb);
      new FaxResponse(verb).toString();
      expect(canParse).not.toHaveBeenCalled();
      toTwiml({ ...verb });
      expect(canParse).toHaveBeenCalled();
    } finally {
      canParse.mockRestore();
    }
    const rejecting = reject();
    expect(new FaxResponse(rejecting).verb).toBe(rejecting);
    expect(new FaxResponse({ ...rejecting }).verb).not.toBe(rejecting);
  });

  it("reads every part of a verb from elsewhere once", () => {
    const reads: unknown[] = [];
    const watch = <Data extends object>(data: Data): Data =>
      new Proxy(data, { get: (target, name) => (reads.push(name), Reflect.get(target, name)) as unknown });
    const attributes = watch({ action: "/fax", pageSize: "a4" });
    expect(toTwimlAny(watch({ verb: "Receive", attributes, unchecked: watch({ later: "1" }) }))).toBe(
      toTwiml(receive({ action: "/fax", pageSize: "a4" }, { unchecked: { later: "1" } })),
    );
    expect(reads).toEqual(["verb", "attributes", "unchecked", "action", "pageSize", "later"]);
  });

  it("takes a verb whose parts are getters, as a spread would", () => {
    const verb = {
      get verb() {
        return "Receive";
      },
      get attributes() {
        return { pageSize: "a4" };
      },
    };
    expect(toTwimlAny(verb)).toBe(toTwiml(receive({ pageSize: "a4" })));
  });

  it("remembers that a verb is checked, and forgets it for every copy", () => {
    const verb = receive({ action: "/fax" });
    const forged = { ...verb, attributes: { ...verb.attributes, action: "javascript:1" } };
    expect(refusal(() => toTwimlAny(forged)).code).toBe("invalid-value");
    for (const copy of [{ ...verb }, structuredClone(verb), JSON.parse(JSON.stringify(verb)) as Verb]) {
      expect(toTwiml(copy)).toBe(toTwiml(verb));
    }
    const reads: unknown[] = [];
    const watched = new Proxy(verb, {
      get: (target, name) => (reads.push(name), Reflect.get(target, name)) as unknown,
    });
    expect(toTwiml(watched)).toBe(toTwiml(verb));
    expect(reads).toContain("attributes");
    const changed = new Proxy({ ...verb }, { get: (_, name) => (name === "verb" ? "Receive" : { pagesize: "a4" }) });
    expect(refusal(() => toTwimlAny(changed)).code).toBe("unknown-attribute");
  });

  it("takes the own data of an instance of a class", () => {
    class Settings {
      action = "/fax";
      get upper() {
        return this.action.toUpperCase();
      }
    }
    expect(receive(new Settings())).toEqual({ verb: "Receive", attributes: { action: "/fax" } });
  });
});

describe("receive: unchecked", () => {
  it("writes an attribute that the library does not know, after the known ones, escaped", () => {
    const verb = receive({ action: "/a" }, { unchecked: { resolution: `fine & "super" <1>\n` } });
    expect(toTwiml(verb)).toContain('<Receive action="/a" resolution="fine &amp; &quot;super&quot; &lt;1>&#xA;"/>');
    expect(written(verb)).toEqual([
      ["action", "/a"],
      ["resolution", `fine & "super" <1>\n`],
    ]);
  });

  it.each<[string, unknown]>([
    ["no options", undefined],
    ["options that are null", null],
    ["empty options", {}],
    ["undefined", { unchecked: undefined }],
    ["null", { unchecked: null }],
    ["none", { unchecked: {} }],
    ["one that is undefined", { unchecked: { later: undefined } }],
    ["one that is null", { unchecked: { later: null } }],
    ["one that is inherited", { unchecked: Object.assign(Object.create({ later: "1" }) as object, { own: null }) }],
  ])("leaves it out for %s", (_, options) => {
    expect(receiveAny({}, options)).toEqual({ verb: "Receive", attributes: {} });
    expect("unchecked" in receiveAny({}, options)).toBe(false);
  });

  it.each(["__proto__", "constructor", "toString", "_", "file-name.2", "onload"])("writes the name %j", (name) => {
    const unchecked = JSON.parse(JSON.stringify({ x: "1" }).replace('"x"', JSON.stringify(name))) as Record<
      string,
      string
    >;
    const verb = receive({}, { unchecked });
    expect(written(verb)).toEqual([[name, "1"]]);
  });

  it.each(["action", "ACTION", "Action", "method", "MediaType", "pagesize", "STOREMEDIA", "storeMedia"])(
    "does not smuggle the known attribute %j past the checks",
    (attribute) => {
      const error = refusal(() => receive({}, { unchecked: { [attribute]: "x" } }));
      expect(error).toMatchObject({ code: "invalid-name", verb: "Receive", attribute });
    },
  );

  it.each([
    "",
    " ",
    "1st",
    "a b",
    "a=",
    'a="1" action',
    "a/><Reject/><b",
    "a>",
    "a\n",
    "a:b",
    "xmlns",
    "XMLNS",
    "xmlns:a",
    "xml:base",
    "xmlFoo",
    "a\0",
    "\ud800",
    "action ",
    "a&b",
  ])("refuses the name %j", (attribute) => {
    const error = refusal(() => receive({}, { unchecked: { [attribute]: "x" } }));
    expect(error).toMatchObject({ code: "invalid-name", verb: "Receive", attribute });
  });

  it.each<unknown>([5, true, false, {}, [], ["x"], { toString: null }])(
    "refuses %j as a value: it is not text",
    (value) => {
      const error = refusal(() => receiveAny({}, { unchecked: { later: value } }));
      expect(error).toMatchObject({ code: "invalid-value", attribute: "later" });
      expect(error.message).toContain("must be text");
    },
  );

  it.each(["\0", "a\u001b", "\uffff", "\udfff"])("refuses the text %j, which XML cannot carry", (value) => {
    expect(refusal(() => receive({}, { unchecked: { later: value } }))).toMatchObject({
      code: "invalid-text",
      attribute: "later",
    });
  });

  it.each<[string, unknown]>([
    ["text", "later=1"],
    ["an array", ["later"]],
    ["a Map", new Map([["later", "1"]])],
    ["true", true],
  ])("refuses %s", (_, unchecked) => {
    expect(refusal(() => receiveAny({}, { unchecked }))).toMatchObject({ code: "invalid-value", verb: "Receive" });
  });

  it("refuses an option that does not exist, rather than ignoring it", () => {
    expect(refusal(() => receiveAny({}, { uncheked: { later: "1" } })).message).toContain('"uncheked"');
    expect(refusal(() => receiveAny({}, { later: "1" })).message).toContain('"unchecked"');
    expect(refusal(() => receiveAny({}, "later")).code).toBe("invalid-value");
  });
});

describe("reject", () => {
  it("makes a frozen verb without attributes", () => {
    expect(reject()).toEqual({ verb: "Reject" });
    expect(Object.isFrozen(reject())).toBe(true);
    expect(toTwiml(reject())).toBe('<?xml version="1.0" encoding="UTF-8"?><Response><Reject/></Response>');
  });

  it.each(["action", "reason", "pageSize", "__proto__", ""])(
    "refuses the attribute %j, which would be ignored",
    (attribute) => {
      const attributes = JSON.parse(`{${JSON.stringify(attribute)}:"busy"}`) as unknown;
      const error = refusal(() => rejectAny(attributes));
      expect(error).toMatchObject({ code: "unknown-attribute", verb: "Reject", attribute });
      expect(error.message).toContain("none");
    },
  );

  it.each<[string, unknown]>([
    ["text", "busy"],
    ["a number", 0],
    ["an array", ["busy"]],
    ["false", false],
  ])("refuses %s", (_, argument) => {
    expect(refusal(() => rejectAny(argument))).toMatchObject({ verb: "Reject" });
  });
});

describe("toTwiml of plain data", () => {
  it("writes what was stored as JSON", () => {
    const verb = receive({ action: "/a?b&c", storeMedia: false }, { unchecked: { later: "1" } });
    const stored = JSON.parse(JSON.stringify(verb)) as Verb;
    expect(toTwiml(stored)).toBe(toTwiml(verb));
    expect(toTwiml(JSON.parse('{"verb":"Reject"}') as Verb)).toBe(toTwiml(reject()));
  });

  it.each<[string, string, string | undefined, unknown]>([
    ["unknown-verb", "an unknown verb", undefined, { verb: "Say", attributes: {} }],
    ["unknown-attribute", "an unknown attribute", "pagesize", { verb: "Receive", attributes: { pagesize: "a4" } }],
    ["invalid-value", "a wrong value", "method", { verb: "Receive", attributes: { method: "post" } }],
    [
      "invalid-value",
      "a URL of another scheme",
      "action",
      { verb: "Receive", attributes: { action: "javascript:alert(1)" } },
    ],
    ["invalid-value", "text for a boolean", "storeMedia", { verb: "Receive", attributes: { storeMedia: "false" } }],
    ["invalid-value", "text for the attributes", undefined, { verb: "Receive", attributes: 'action="/x"' }],
    ["invalid-text", "a control character", "action", { verb: "Receive", attributes: { action: "/\0" } }],
    ["pages-lost", "lost pages", "storeMedia", { verb: "Receive", attributes: { storeMedia: false } }],
    [
      "pages-lost",
      "pages lost by GET",
      "storeMedia",
      { verb: "Receive", attributes: { storeMedia: false, action: "/x", method: "GET" } },
    ],
    ["invalid-name", "a name that is not a name", "a b", { verb: "Receive", attributes: {}, unchecked: { "a b": "" } }],
    ["invalid-name", "a smuggled attribute", "Action", { verb: "Receive", attributes: {}, unchecked: { Action: "" } }],
    ["invalid-value", "a number in unchecked", "later", { verb: "Receive", attributes: {}, unchecked: { later: 1 } }],
    ["unknown-attribute", "an attribute of Reject", "action", { verb: "Reject", attributes: { action: "/x" } }],
    ["unknown-attribute", "an unchecked attribute of Reject", "later", { verb: "Reject", unchecked: { later: "1" } }],
    ["unknown-attribute", "an attribute beside the attributes", "action", { verb: "Receive", action: "/x" }],
    ["unknown-attribute", "children", "children", { verb: "Receive", attributes: {}, children: [{ verb: "Reject" }] }],
    [
      "unknown-attribute",
      "an own __proto__",
      "__proto__",
      JSON.parse('{"verb":"Receive","attributes":{},"__proto__":{}}'),
    ],
  ])("throws %s for %s", (code, _, attribute, data) => {
    const error = refusal(() => toTwimlAny(data));
    expect(error.code).toBe(code);
    expect(error.attribute).toBe(attribute);
    expect(error.verb).toBe((data as { verb: string }).verb);
  });

  it.each([
    ["receive", "Receive"],
    ["RECEIVE", "Receive"],
    ["Recieve", "Receive"],
    ["reject", "Reject"],
    ["Rejcet", "Reject"],
  ])("refuses the verb %j and suggests %j", (verb, meant) => {
    const error = refusal(() => toTwimlAny({ verb, attributes: {} }));
    expect(error).toMatchObject({ code: "unknown-verb", verb });
    expect(error.message).toContain(`did you mean "${meant}"?`);
    expect(error.message).toContain("case-sensitive");
  });

  it.each<unknown>([
    null,
    0,
    "",
    "Receive",
    "<Receive/>",
    true,
    [],
    ["Receive"],
    [{ verb: "Receive" }],
    {},
    { verb: null },
    { verb: ["Receive"] },
    { verb: {} },
    { verb: "" },
    { verb: "constructor" },
    { verb: "__proto__" },
    { verb: "Receive/><Reject" },
    { attributes: {} },
  ])("refuses %j: it is not a verb", (data) => {
    const error = refusal(() => toTwimlAny(data));
    expect(error.code).toBe("unknown-verb");
    expect(error.message).toContain("receive()");
  });

  it("refuses a function, such as receive that was not called", () => {
    expect(refusal(() => toTwimlAny(receive)).code).toBe("unknown-verb");
  });

  it.each<[string, unknown]>([
    ["a Map", new Map([["verb", "Receive"]])],
    ["a FaxResponse", new FaxResponse(receive({ action: "/x" }))],
    ["a promise of a verb that nobody awaited", Promise.resolve(receive())],
    ["a symbol", Symbol("Receive")],
    ["a verb whose name is hidden", Object.defineProperty({}, "verb", { value: Symbol("Receive"), enumerable: false })],
  ])("refuses %s", (_, data) => {
    expect(refusal(() => toTwimlAny(data)).code).toBe("unknown-verb");
  });

  it.each([
    '{"verb":"Reject","attributes":{"reason":"busy"}}',
    '{"verb":"Reject","attributes":{"action":"/x"}}',
    '{"verb":"Reject","attributes":["busy"]}',
    '{"verb":"Reject","attributes":"busy"}',
    '{"verb":"Reject","unchecked":{"later":"1"}}',
    '{"verb":"Reject","unchecked":{"a b":"1"}}',
    '{"verb":"Reject","unchecked":"later"}',
    '{"verb":"Reject","reason":"busy"}',
    '{"verb":"Receive","attributes":[]}',
    '{"verb":"Receive","attributes":{"__proto__":"/x"}}',
    '{"verb":"Receive","unchecked":["later"]}',
    '{"verb":"Receive","unchecked":{"pageSIZE":"a4"}}',
    '{"verb":"Receive","action":"/x"}',
    '{"verb":"Receive","Verb":"Reject"}',
    '{"verb":"Receive","verbs":[]}',
    '{"verb":"Receive","xunchecked":{}}',
    '{"verb":"Receive","uncheckedx":{}}',
    '{"verb":"Receive","myattributes":{}}',
  ])("ignores nothing in silence: refuses %s", (json) => {
    expect(refusal(() => toTwimlAny(JSON.parse(json))).verb).toBe((JSON.parse(json) as Verb).verb);
  });

  it.each([
    ['{"verb":"Receive"}', "<Receive/>"],
    ['{"verb":"Receive","attributes":null,"unchecked":null}', "<Receive/>"],
    [
      '{"unchecked":{"later":"1"},"attributes":{"pageSize":"a4","action":"/x"},"verb":"Receive"}',
      '<Receive pageSize="a4" action="/x" later="1"/>',
    ],
    ['{"verb":"Reject","attributes":{},"unchecked":{}}', "<Reject/>"],
    ['{"verb":"Reject","attributes":null}', "<Reject/>"],
  ])("writes %s as %s", (json, tag) => {
    expect(toTwimlAny(JSON.parse(json))).toBe(`<?xml version="1.0" encoding="UTF-8"?><Response>${tag}</Response>`);
  });

  it("takes no verb that is inherited", () => {
    expect(refusal(() => toTwimlAny(Object.create(receive()) as object)).code).toBe("unknown-verb");
  });
});

describe("a document", () => {
  const LIMIT = 65536;
  const around = Buffer.byteLength('<?xml version="1.0" encoding="UTF-8"?><Response><Receive action="/"/></Response>');

  it.each([
    ["ASCII", "x", 1],
    ["characters of two bytes", "é", 2],
    ["characters of three bytes", "日", 3],
    ["characters of four bytes", "😀", 4],
    ["characters that are escaped", "&", 5],
  ])("of 64 kB in UTF-8 is written, and one byte more is refused: %s", (_, char, bytes) => {
    const room = LIMIT - around;
    const action = "/" + char.repeat(Math.floor(room / bytes)) + "x".repeat(room % bytes);
    const twiml = toTwiml(receive({ action }));
    expect(Buffer.byteLength(twiml)).toBe(LIMIT);
    expect(reread(twiml).verbs).toEqual([{ name: "Receive", attributes: [["action", action]] }]);

    const error = refusal(() => toTwiml(receive({ action: action + "x" })));
    expect(error).toMatchObject({ code: "too-large", verb: "Receive" });
    expect(error.message).toContain("65537");
  });

  it("counts the unchecked attributes", () => {
    const verb = receive({}, { unchecked: { later: "x".repeat(LIMIT) } });
    expect(refusal(() => toTwiml(verb)).code).toBe("too-large");
  });
});

describe("an error", () => {
  const huge = "x".repeat(1e6);
  const odd = "\u0000\u001b\n\u202e\ud800é".repeat(2e5);
  it.each<[string, () => unknown]>([
    ["a name", () => receiveAny({ [huge]: "x" })],
    ["a name of odd characters", () => receiveAny({ [odd]: "x" })],
    ["a value", () => receiveAny({ pageSize: huge })],
    ["a value of odd characters", () => receiveAny({ pageSize: odd })],
    ["a URL", () => receive({ action: `ftp://${huge}` })],
    ["a URL of odd characters", () => receive({ action: odd })],
    ["a URL that is not text for XML at its end", () => receive({ action: `/${huge}\0` })],
    ["a text that is unchecked", () => receive({}, { unchecked: { later: huge + "\0" } })],
    ["a name that is unchecked", () => receive({}, { unchecked: { [huge + " "]: "" } })],
    ["a name of letters that is unchecked", () => receive({}, { unchecked: { ["é".repeat(1e6)]: "\0é".repeat(1e6) } })],
    ["an option", () => receiveAny({}, { [huge]: 1 })],
    ["a verb", () => toTwimlAny({ verb: huge })],
    ["a verb of odd characters", () => toTwimlAny({ verb: odd })],
    ["a part of a verb", () => toTwimlAny({ verb: "Receive", [odd]: 1 })],
    ["an array", () => receiveAny({ action: Array.from({ length: 1e6 }) })],
    ["a document", () => toTwiml(receive({ action: `/${huge}` }))],
  ])("stays short and on one line for a megabyte: %s", (_, call) => {
    const error = refusal(call);
    expect(error.verb?.length ?? 0).toBeLessThanOrEqual(64);
    expect(error.attribute?.length ?? 0).toBeLessThanOrEqual(64);
    expect(JSON.stringify(error).length).toBeLessThan(2000);
  });

  it("names the attribute and the verb as given, to 64 characters", () => {
    const [fits, long] = ["é".repeat(64), "é".repeat(65)];
    expect(refusal(() => receiveAny({ [fits]: 1 })).attribute).toBe(fits);
    expect(refusal(() => receiveAny({ [long]: 1 })).attribute).toBe(fits);
    expect(refusal(() => toTwimlAny({ verb: fits })).verb).toBe(fits);
    expect(refusal(() => toTwimlAny({ verb: long })).verb).toBe(fits);
  });

  it("can be made by others, with no more than a code and a message", () => {
    const providerError = 34106;
    expect({ ...new TwimlError("no-verb", "none came") }).toEqual({
      name: "TwimlError",
      code: "no-verb",
      providerError,
    });
    expect({ ...new TwimlError("no-verb", "none came", { verb: "Receive", attribute: "x" }) }).toEqual({
      name: "TwimlError",
      code: "no-verb",
      providerError,
      verb: "Receive",
      attribute: "x",
    });
    expect(new TwimlError("no-verb", "none came").message).toBe("none came");
  });

  it("is a TypeError that carries its identity as properties", () => {
    const error = refusal(() => receiveAny({ pagesize: "a4" }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({
      name: "TwimlError",
      code: "unknown-attribute",
      verb: "Receive",
      attribute: "pagesize",
    });
    expect(String(error)).toMatch(/^TwimlError: /);
  });

  it("leaves out what does not apply", () => {
    const error = refusal(() => toTwimlAny(5));
    expect([error.verb, error.attribute]).toEqual([undefined, undefined]);
    // By the declaration they are absent, not undefined: for "in", a spread, and what console.log shows.
    expect(Object.keys(error).sort()).toEqual(["code", "name", "providerError"]);
    expect(Object.keys(refusal(() => receiveAny(5))).sort()).toEqual(["code", "name", "providerError", "verb"]);
    const all = ["attribute", "code", "name", "providerError", "verb"];
    expect(Object.keys(refusal(() => receiveAny({ action: 5 }))).sort()).toEqual(all);
    expect("providerError" in refusal(() => receiveAny({ storeMedia: false }))).toBe(false);
  });
});

describe("a polluted Object.prototype", () => {
  /** What a call returns, or the code of what it throws, while Object.prototype has these properties as well. */
  function polluted(properties: Record<string, unknown>, call: () => unknown): unknown {
    const names = Object.keys(properties);
    const descriptors = names.map((name) => ({
      __proto__: null,
      value: properties[name],
      configurable: true,
      enumerable: true,
      writable: true,
    }));
    try {
      names.forEach((name, i) => Object.defineProperty(Object.prototype, name, descriptors[i]!));
      return call();
    } catch (error) {
      return (error as TwimlError).code;
    } finally {
      for (const name of names) Reflect.deleteProperty(Object.prototype, name);
    }
  }

  const evil = {
    action: "https://evil.example/",
    method: "GET",
    mediaType: "image/tiff",
    pageSize: "a4",
    storeMedia: false,
    later: "1",
    unchecked: { evil: "1" },
    attributes: { action: "https://evil.example/" },
    verb: "Receive",
    value: "/evil",
    href: "https://evil.example/",
  };
  const document = (content: string) => `<?xml version="1.0" encoding="UTF-8"?><Response>${content}</Response>`;

  it.each<[string, () => unknown, string]>([
    ["receive()", () => toTwiml(receive()), document("<Receive/>")],
    ["receive({})", () => toTwiml(receive({})), document("<Receive/>")],
    ["receive({}, {})", () => toTwiml(receive({}, {})), document("<Receive/>")],
    [
      "receive with an attribute",
      () => toTwiml(receive({ pageSize: "letter" })),
      document('<Receive pageSize="letter"/>'),
    ],
    ["receive with an action", () => toTwiml(receive({ action: "/x" })), document('<Receive action="/x"/>')],
    [
      "receive with an unchecked one",
      () => toTwiml(receive({}, { unchecked: { a: "b" } })),
      document('<Receive a="b"/>'),
    ],
    [
      "receive with a computed one",
      () =>
        toTwiml(
          receive({
            get action() {
              return "/x";
            },
          }),
        ),
      document('<Receive action="/x"/>'),
    ],
    [
      "receive with a URL",
      () => toTwiml(receive({ action: new URL("https://a.example/") })),
      document('<Receive action="https://a.example/"/>'),
    ],
    ["reject()", () => toTwiml(reject()), document("<Reject/>")],
    ["plain data", () => toTwimlAny({ verb: "Receive" }), document("<Receive/>")],
    ["plain data that rejects", () => toTwimlAny({ verb: "Reject" }), document("<Reject/>")],
    ["the class", () => new FaxResponse().receive({ method: "POST" }).toString(), document('<Receive method="POST"/>')],
    ["the class with a verb", () => new FaxResponse(reject()).toString(), document("<Reject/>")],
  ])("adds nothing to %s", (_, call, twiml) => {
    expect(polluted(evil, call)).toBe(twiml);
  });

  it("adds nothing to the data of a verb", () => {
    const own = polluted(evil, () =>
      JSON.stringify([receive(), receive({}, {}), reject(), new FaxResponse().verb ?? null]),
    );
    expect(own).toBe('[{"verb":"Receive","attributes":{}},{"verb":"Receive","attributes":{}},{"verb":"Reject"},null]');
  });

  it.each<[string, Record<string, unknown>, () => unknown, string]>([
    ["makes no verb of an object", evil, () => toTwimlAny({}), "unknown-verb"],
    ["makes no verb of an array", evil, () => toTwimlAny([]), "unknown-verb"],
    ["makes no verb of text", { verb: "Receive" }, () => toTwimlAny("Say"), "unknown-verb"],
    [
      "makes no URL of an object that has none",
      { href: "https://evil.example/" },
      () => receiveAny({ action: {} }),
      "invalid-value",
    ],
    [
      "makes no attribute of a name",
      { later: "url", rule: "url" },
      () => receiveAny({ later: "/x" }),
      "unknown-attribute",
    ],
    ["makes no verb of a name", { Say: {} }, () => toTwimlAny({ verb: "Say" }), "unknown-verb"],
    ["makes no action for the pages", { action: "/evil" }, () => receiveAny({ storeMedia: false }), "pages-lost"],
    [
      "makes no POST of the GET",
      { method: "POST" },
      () => receiveAny({ storeMedia: false, action: "/x", method: "GET" }),
      "pages-lost",
    ],
  ])("%s", (_, properties, call, code) => {
    expect(polluted(properties, call)).toBe(code);
  });

  it("does not lose the pages that are POSTed", () => {
    const twiml = polluted({ method: "GET", storeMedia: true }, () =>
      toTwiml(receive({ storeMedia: false, action: "/mine" })),
    );
    expect(twiml).toBe(document('<Receive storeMedia="false" action="/mine"/>'));
  });
});

describe("the whole message", () => {
  const all = "there are: action, method, mediaType, pageSize, storeMedia (names are case-sensitive).";
  const url = 'action must be an http(s) URL, or a relative reference such as "/fax", not';
  const make = "receive() and reject() make one";
  const rows: [
    call: string,
    run: () => unknown,
    code: string,
    verb: string | undefined,
    attribute: string | undefined,
    message: string,
  ][] = [
    [
      'receive({ pagesize: "a4" })',
      () => receiveAny({ pagesize: "a4" }),
      "unknown-attribute",
      "Receive",
      "pagesize",
      `<Receive>: there is no attribute "pagesize" (did you mean "pageSize"?); ${all}`,
    ],
    [
      'receive({ media_type: "image/tiff" })',
      () => receiveAny({ media_type: "image/tiff" }),
      "unknown-attribute",
      "Receive",
      "media_type",
      `<Receive>: there is no attribute "media_type" (did you mean "mediaType"?); ${all}`,
    ],
    [
      'receive({ acton: "/x" })',
      () => receiveAny({ acton: "/x" }),
      "unknown-attribute",
      "Receive",
      "acton",
      `<Receive>: there is no attribute "acton" (did you mean "action"?); ${all}`,
    ],
    [
      "receive({ timeout: 5 })",
      () => receiveAny({ timeout: 5 }),
      "unknown-attribute",
      "Receive",
      "timeout",
      `<Receive>: there is no attribute "timeout"; ${all}`,
    ],
    [
      "receive({}, { uncheked: {} })",
      () => receiveAny({}, { uncheked: {} }),
      "unknown-attribute",
      "Receive",
      "uncheked",
      '<Receive>: there is no option "uncheked", only "unchecked".',
    ],
    [
      'receive({ method: "post" })',
      () => receiveAny({ method: "post" }),
      "invalid-value",
      "Receive",
      "method",
      '<Receive>: method must be "GET" or "POST", not "post" (did you mean "POST"?).',
    ],
    [
      'receive({ method: "DELETE" })',
      () => receiveAny({ method: "DELETE" }),
      "invalid-value",
      "Receive",
      "method",
      '<Receive>: method must be "GET" or "POST", not "DELETE".',
    ],
    [
      'receive({ mediaType: "pdf" })',
      () => receiveAny({ mediaType: "pdf" }),
      "invalid-value",
      "Receive",
      "mediaType",
      '<Receive>: mediaType must be "application/pdf" or "image/tiff", not "pdf" (did you mean "application/pdf"?).',
    ],
    [
      'receive({ pageSize: "A4" })',
      () => receiveAny({ pageSize: "A4" }),
      "invalid-value",
      "Receive",
      "pageSize",
      '<Receive>: pageSize must be "letter" or "legal" or "a4", not "A4" (did you mean "a4"?).',
    ],
    [
      "receive({ pageSize: 4 })",
      () => receiveAny({ pageSize: 4 }),
      "invalid-value",
      "Receive",
      "pageSize",
      '<Receive>: pageSize must be "letter" or "legal" or "a4", not 4.',
    ],
    [
      'receive({ storeMedia: "true" })',
      () => receiveAny({ storeMedia: "true" }),
      "invalid-value",
      "Receive",
      "storeMedia",
      '<Receive>: storeMedia must be true or false, not "true" (did you mean true?).',
    ],
    [
      'receive({ action: "localhost:3000/x" })',
      () => receiveAny({ action: "localhost:3000/x" }),
      "invalid-value",
      "Receive",
      "action",
      `<Receive>: ${url} "localhost:3000/x".`,
    ],
    [
      'receive({ action: "" })',
      () => receiveAny({ action: "" }),
      "invalid-value",
      "Receive",
      "action",
      `<Receive>: ${url} "".`,
    ],
    [
      "receive({ action: 5 })",
      () => receiveAny({ action: 5 }),
      "invalid-value",
      "Receive",
      "action",
      `<Receive>: ${url} 5.`,
    ],
    [
      "receive({ action: {} })",
      () => receiveAny({ action: {} }),
      "invalid-value",
      "Receive",
      "action",
      `<Receive>: ${url} an object.`,
    ],
    [
      "receive({ action: [] })",
      () => receiveAny({ action: [] }),
      "invalid-value",
      "Receive",
      "action",
      `<Receive>: ${url} an array.`,
    ],
    [
      "receive({ action: { href: 5 } })",
      () => receiveAny({ action: { href: 5 } }),
      "invalid-value",
      "Receive",
      "action",
      `<Receive>: ${url} 5.`,
    ],
    [
      'receive({ action: "ftp://u:s3cret@h/" })',
      () => receiveAny({ action: "ftp://u:s3cret@h/" }),
      "invalid-value",
      "Receive",
      "action",
      `<Receive>: ${url} "ftp://***@h/".`,
    ],
    [
      'receive({ action: "/\\0" })',
      () => receiveAny({ action: "/\0" }),
      "invalid-text",
      "Receive",
      "action",
      '<Receive>: "action" holds U+0000, which XML cannot carry.',
    ],
    [
      'receive("/x")',
      () => receiveAny("/x"),
      "invalid-value",
      "Receive",
      undefined,
      '<Receive>: attributes must be a plain object, not "/x".',
    ],
    [
      "receive([])",
      () => receiveAny([]),
      "invalid-value",
      "Receive",
      undefined,
      "<Receive>: attributes must be a plain object, not an array.",
    ],
    [
      "receive(new Map())",
      () => receiveAny(new Map()),
      "invalid-value",
      "Receive",
      undefined,
      "<Receive>: attributes must be a plain object, not a Map.",
    ],
    [
      'receive({}, "x")',
      () => receiveAny({}, "x"),
      "invalid-value",
      "Receive",
      undefined,
      '<Receive>: options must be a plain object, not "x".',
    ],
    [
      "receive({}, { unchecked: true })",
      () => receiveAny({}, { unchecked: true }),
      "invalid-value",
      "Receive",
      undefined,
      "<Receive>: unchecked must be a plain object, not true.",
    ],
    [
      "receive({}, { unchecked: { later: 5 } })",
      () => receiveAny({}, { unchecked: { later: 5 } }),
      "invalid-value",
      "Receive",
      "later",
      '<Receive>: "later" must be text, not 5.',
    ],
    [
      'receive({}, { unchecked: { later: "\\uffff" } })',
      () => receiveAny({}, { unchecked: { later: "\uffff" } }),
      "invalid-text",
      "Receive",
      "later",
      '<Receive>: "later" holds U+FFFF, which XML cannot carry.',
    ],
    [
      'receive({}, { unchecked: { ACTION: "/x" } })',
      () => receiveAny({}, { unchecked: { ACTION: "/x" } }),
      "invalid-name",
      "Receive",
      "ACTION",
      '<Receive>: "action" must stand in "attributes", where it is checked.',
    ],
    [
      'receive({}, { unchecked: { "a b": "" } })',
      () => receiveAny({}, { unchecked: { "a b": "" } }),
      "invalid-name",
      "Receive",
      "a b",
      '<Receive>: "a b" cannot be the name of an attribute.',
    ],
    [
      "receive({ storeMedia: false })",
      () => receiveAny({ storeMedia: false }),
      "pages-lost",
      "Receive",
      "storeMedia",
      '<Receive>: storeMedia: false loses the pages, unless they are POSTed to an "action".',
    ],
    [
      'reject({ reason: "busy" })',
      () => rejectAny({ reason: "busy" }),
      "unknown-attribute",
      "Reject",
      "reason",
      '<Reject>: there is no attribute "reason"; there are: none (names are case-sensitive).',
    ],
    [
      'reject("busy")',
      () => rejectAny("busy"),
      "invalid-value",
      "Reject",
      undefined,
      '<Reject>: attributes must be a plain object, not "busy".',
    ],
    [
      'toTwiml({ verb: "recieve" })',
      () => toTwimlAny({ verb: "recieve" }),
      "unknown-verb",
      "recieve",
      undefined,
      `"recieve" is not a verb (did you mean "Receive"?); ${make} (names are case-sensitive).`,
    ],
    [
      'toTwiml({ verb: "Say" })',
      () => toTwimlAny({ verb: "Say" }),
      "unknown-verb",
      "Say",
      undefined,
      `"Say" is not a verb; ${make} (names are case-sensitive).`,
    ],
    ["toTwiml(null)", () => toTwimlAny(null), "unknown-verb", undefined, undefined, `null is not a verb; ${make}.`],
    [
      'toTwiml("Receive")',
      () => toTwimlAny("Receive"),
      "unknown-verb",
      undefined,
      undefined,
      `"Receive" is not a verb; ${make}.`,
    ],
    [
      'toTwiml({ verb: "Receive", action: "/x" })',
      () => toTwimlAny({ verb: "Receive", action: "/x" }),
      "unknown-attribute",
      "Receive",
      "action",
      '<Receive>: "action" must stand inside "attributes".',
    ],
    [
      "toTwiml of a megabyte",
      () => toTwiml(receive({ action: "/" + "x".repeat(1e6) })),
      "too-large",
      "Receive",
      undefined,
      "<Receive>: the document has 1000080 bytes, and providers take 65536 at most.",
    ],
  ];
  it.each(rows)("of %s says what came and what is allowed", (_, run, code, verb, attribute, message) => {
    const error = refusal(run);
    expect({ ...error, message: error.message }).toEqual({
      name: "TwimlError",
      code,
      message,
      ...providerErrorOf(code),
      ...(verb === undefined ? {} : { verb }),
      ...(attribute === undefined ? {} : { attribute }),
    });
  });
});

it("reject and FaxResponse.reject ignore no second argument in silence", () => {
  const loose = reject as (...all: unknown[]) => unknown;
  expect(() => loose(undefined, { unchecked: { a: "1" } })).toThrow(TwimlError);
  expect(() =>
    (new FaxResponse() as unknown as { reject: typeof loose }).reject(undefined, { unchecked: { a: "1" } }),
  ).toThrow(TwimlError);
});
