import { describe, expect, it, onTestFinished, vi } from "vitest";
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
import { catchTwimlError } from "../twiml-error.js";

/** The functions as untyped code calls them. */
const receiveAny = receive as (attributes?: unknown, options?: unknown) => ReturnType<typeof receive>;
const rejectAny = reject as (attributes?: unknown, options?: unknown) => ReturnType<typeof reject>;
const toTwimlAny = toTwiml as (verb?: unknown) => string;

/** The attributes as fast-xml-parser finds them in the document. */
const readBack = (verb: Verb) => reread(toTwiml(verb)).verbs[0]?.attributes;
const document = (content: string) => `<?xml version="1.0" encoding="UTF-8"?><Response>${content}</Response>`;

describe("receive", () => {
  it("receive and toTwiml write the example of the providers' documentation", () => {
    const known = {
      action: "/fax/received",
      method: "POST",
      mediaType: "application/pdf",
      pageSize: "letter",
    } as const;
    const tag = '<Receive action="/fax/received" method="POST" mediaType="application/pdf" pageSize="letter"';
    expect(toTwiml(receive({ ...known, storeMedia: true }))).toBe(document(`${tag} storeMedia="true"/>`));
  });

  it.each<[string, ReceiveAttributes | undefined]>([
    ["no argument", undefined],
    ["an empty object", {}],
    ["attributes that are undefined", { action: undefined, method: undefined, storeMedia: undefined }],
    ["attributes that are null", { action: null, method: null, mediaType: null, pageSize: null, storeMedia: null }],
    ["an object without a prototype", Object.create(null) as object],
  ])("receive returns a verb without attributes for %s", (_, attributes) => {
    expect(receive(attributes)).toEqual({ verb: "Receive", attributes: {} });
    expect(toTwiml(receive(attributes))).toBe(document("<Receive/>"));
  });

  it.each<ReceiveAttributes>([
    { method: "GET" },
    { method: "POST" },
    { mediaType: "application/pdf" },
    { mediaType: "image/tiff" },
    { pageSize: "letter" },
    { pageSize: "legal" },
    { pageSize: "a4" },
    { action: "/a", storeMedia: false },
    { storeMedia: false, action: "/a", method: "POST" },
    { storeMedia: true, method: "GET" },
    { storeMedia: false, action: "/fax", method: null },
  ])("receive accepts %j and keeps the order", (attributes) => {
    const pairs = Object.entries(attributes).filter(([, value]) => value !== null);
    expect(receive(attributes)).toEqual({ verb: "Receive", attributes: Object.fromEntries(pairs) });
    expect(readBack(receive(attributes))).toEqual(pairs.map(([name, value]) => [name, String(value)]));
  });

  it("receive copies its arguments, which can be frozen, and returns a frozen verb", () => {
    const attributes = { action: "/a" as string, pageSize: "a4" as const };
    const unchecked = { later: "1" };
    const verb = receive(attributes, { unchecked });
    attributes.action = "javascript:alert(1)";
    unchecked.later = "2";
    expect(verb).toEqual({ verb: "Receive", attributes: { action: "/a", pageSize: "a4" }, unchecked: { later: "1" } });
    expect([verb, verb.attributes, verb.unchecked, receive().attributes].map(Object.isFrozen)).not.toContain(false);
    expect(receive(verb.attributes, Object.freeze({ unchecked: verb.unchecked }))).toEqual(verb);
  });

  it("receive ignores inherited, symbol and non-enumerable properties", () => {
    const attributes = Object.assign(Object.create({ action: "/inherited" }) as object, { method: "GET" });
    Object.defineProperties(attributes, {
      pageSize: { enumerable: false, value: "a4" },
      [Symbol("mediaType")]: { enumerable: true, value: "image/tiff" },
    });
    expect(receive(attributes as object)).toEqual({ verb: "Receive", attributes: { method: "GET" } });
  });

  it("receive reads the own properties of a class instance", () => {
    class Settings {
      action = "/fax";
      get upper() {
        return this.action.toUpperCase();
      }
    }
    expect(receive(new Settings())).toEqual({ verb: "Receive", attributes: { action: "/fax" } });
  });

  it("receive reads each getter once and writes the value that it checked", () => {
    const values = ["/fax", "javascript:alert(1)"];
    const runs = { unchecked: 0, later: 0 };
    const attributes = Object.defineProperty({}, "action", { enumerable: true, get: () => values.shift() });
    const unchecked = Object.defineProperty({}, "later", { enumerable: true, get: () => String(++runs.later) });
    const options = Object.defineProperty({}, "unchecked", {
      enumerable: true,
      get: () => (runs.unchecked++, unchecked) as unknown,
    });
    expect(readBack(receiveAny(attributes, options))).toEqual([
      ["action", "/fax"],
      ["later", "1"],
    ]);
    expect(runs).toEqual({ unchecked: 1, later: 1 });
  });

  /** The errors of both ways to create a verb. */
  const errorsFor = (attributes: unknown) =>
    [() => receiveAny(attributes), () => toTwimlAny({ verb: "Receive", attributes })].map(catchTwimlError);

  it.each([
    ...["pagesize", "ACTION", "actoin", "store-media", "timeout", "toString", "constructor", "__proto__", "unchecked"],
    ...["", "0", "xmlns", "a b", '"/><Reject/>'],
  ])("receive and toTwiml throw for the unknown attribute %j and list the known ones", (attribute) => {
    for (const error of errorsFor(JSON.parse(`{${JSON.stringify(attribute)}:"x"}`))) {
      expect(error).toMatchObject({ code: "unknown-attribute", verb: "Receive", attribute });
      expect(error.message).toContain("action, method, mediaType, pageSize, storeMedia");
    }
  });

  const hrefs = [{ href: "" }, { href: 5 }, { href: "javascript:alert(1)" }, { href: { href: "/fax" } }];
  it.each<[string, unknown[]]>([
    ["action", ["", "localhost:3000/x", "javascript:alert(1)", "https:/typo", "//[bad", new URL("ftp://example.com/")]],
    ["action", [5, 0, false, 1n, Symbol("/fax"), ["/fax"], {}, ...hrefs]],
    ["method", ["post", "", ["POST"]]],
    ["mediaType", ["pdf", "text/html"]],
    ["pageSize", ["A4", "letter\n", 4, 'a4" storeMedia="false']],
    ["storeMedia", ["true", "false", 0, {}, NaN]],
  ])("receive and toTwiml throw for an invalid %s (row %#)", (attribute, values) => {
    for (const error of values.flatMap((value) => errorsFor({ [attribute]: value }))) {
      expect(error).toMatchObject({ code: "invalid-value", verb: "Receive", attribute });
    }
  });

  it.each<[string, unknown]>([
    ["text", "/fax"],
    ["an array", [["action", "/fax"]]],
    ["a Map", new Map([["action", "/fax"]])],
    ["a symbol", Symbol("action")],
    ["a class instance without data", new (class Settings {})()],
    ["a promise", Promise.resolve({ action: "/fax" })],
  ])("receive and toTwiml throw for %s instead of attributes", (_, attributes) => {
    for (const { code, verb, attribute } of errorsFor(attributes)) {
      expect([code, verb, attribute]).toEqual(["invalid-value", "Receive", undefined]);
    }
  });

  it.each<[string, unknown]>([
    ["without an action", { storeMedia: false }],
    ["with an undefined action", { storeMedia: false, action: undefined }],
    ["with an action of null", { storeMedia: false, action: null }],
    ["with GET", { storeMedia: false, action: "/fax", method: "GET" }],
    ["with GET before it", { method: "GET", action: "/fax", storeMedia: false }],
    ["with an inherited action", Object.assign(Object.create({ action: "/fax" }) as object, { storeMedia: false })],
  ])("receive and toTwiml throw for storeMedia: false %s", (_, attributes) => {
    for (const error of errorsFor(attributes)) {
      expect(error).toMatchObject({ code: "pages-lost", verb: "Receive", attribute: "storeMedia" });
    }
  });
});

describe("receive: action", () => {
  it.each([
    ...["https://example.com/fax?a=1&b=%20#c", "http://user:password@example.com:8080/fax", "//example.com/fax"],
    ...["?step=2", "#rc=2", '/fax page\'s "quoted" <b>', "/\t\n\rfax", "/é/日本/😀"],
    '/"/><Reject/><Receive action="',
  ])("receive keeps the action %j as it is", (action) => {
    expect(receive({ action }).attributes).toEqual({ action });
    expect(readBack(receive({ action }))).toEqual([["action", action]]);
  });

  it.each<[string, { href: string }]>([
    ["a URL", new URL("https://example.com/ä?b=c d")],
    ["an object with an href", { href: "https://example.com/%C3%A4?b=c%20d" }],
    ["an object that inherits an href", Object.create({ href: "https://example.com/%C3%A4?b=c%20d" }) as URL],
  ])("receive copies the href of %s", (_, action) => {
    const verb = receive({ action });
    if (action instanceof URL) action.pathname = "/changed";
    expect(verb.attributes.action).toBe("https://example.com/%C3%A4?b=c%20d");
  });

  it.each([" ", " /fax", "/fax ", "\t/fax", "/\r\n", "https://example.com/ ", "\u00a0/fax", "\ufeff/fax"])(
    "receive throws for leading or trailing white space in the action %j",
    (action) => {
      const error = catchTwimlError(() => receive({ action }));
      expect(error).toMatchObject({ code: "invalid-value", verb: "Receive", attribute: "action" });
      expect(error.message).toContain("white space");
    },
  );

  it.each(["/", "?", "a/", "https://example.com/", "https://example.com:80/"])(
    "receive accepts 2,048 characters of an action that starts with %j, and names the limit for more",
    (start) => {
      const action = start.padEnd(2048, "a");
      expect(receive({ action }).attributes).toEqual({ action });
      const error = catchTwimlError(() => receive({ action: action + "a" }));
      expect(error).toMatchObject({ code: "invalid-value", verb: "Receive", attribute: "action" });
      expect(error.message).toContain("2048 characters");
    },
  );

  it.each(["ftp://user:s3cret@example.com/", "https:user:s3cret@example.com/", "https://user:s3cret@example.com/\0"])(
    "receive does not disclose the password in %j",
    (action) => {
      const error = catchTwimlError(() => receive({ action }));
      expect(error.message + JSON.stringify(error)).not.toContain("s3cret");
    },
  );

  it.each([
    ["/\0", "U+0000"],
    ["/\u001b[2J", "U+001B"],
    ["/\uffff", "U+FFFF"],
    ["/a\ud83d", "U+D83D"],
  ])("receive throws for text that XML does not allow: %j contains %s", (text, name) => {
    for (const [attribute, call] of [
      ["action", () => receive({ action: text })],
      ["later", () => receive({}, { unchecked: { later: text } })],
    ] as const) {
      const error = catchTwimlError(call);
      expect(error).toMatchObject({ code: "invalid-text", verb: "Receive", attribute });
      expect(error.message).toContain(name);
    }
  });
});

describe("receive: unchecked", () => {
  it("receive writes unchecked attributes after the known ones, escaped", () => {
    const verb = receive({ action: "/a" }, { unchecked: { resolution: `fine & "super" <1>\n` } });
    expect(toTwiml(verb)).toBe(
      document('<Receive action="/a" resolution="fine &amp; &quot;super&quot; &lt;1>&#xA;"/>'),
    );
  });

  it.each<[string, unknown]>([
    ["options of null", null],
    ["empty options", {}],
    ["undefined", { unchecked: undefined }],
    ["null", { unchecked: null }],
    ["an empty object", { unchecked: {} }],
    ["an undefined attribute", { unchecked: { later: undefined } }],
    ["an inherited attribute", { unchecked: Object.assign(Object.create({ later: "1" }) as object, { own: null }) }],
  ])("receive returns no unchecked for %s", (_, options) => {
    expect(receiveAny({}, options)).toStrictEqual({ verb: "Receive", attributes: {} });
  });

  it.each(["__proto__", "constructor", "toString", "_", "file-name.2"])("receive writes the name %j", (name) => {
    const unchecked = JSON.parse(`{${JSON.stringify(name)}:"1"}`) as Record<string, string>;
    expect(readBack(receive({}, { unchecked }))).toEqual([[name, "1"]]);
  });

  it.each([
    ...["action", "ACTION", "MediaType", "pagesize", "pageSIZE"],
    ...["", "1st", 'a="1" action', "a/><Reject/><b", "xmlns", "action "],
  ])("receive throws for the unchecked name %j, which is invalid, or known in any case", (attribute) => {
    const error = catchTwimlError(() => receive({}, { unchecked: { [attribute]: "x" } }));
    expect(error).toMatchObject({ code: "invalid-name", verb: "Receive", attribute });
  });

  it.each<unknown>([5, true, {}, ["x"], { toString: null }])("receive throws for the unchecked value %j", (later) => {
    const error = catchTwimlError(() => receiveAny({}, { unchecked: { later } }));
    expect(error).toMatchObject({ code: "invalid-value", attribute: "later" });
  });

  it.each<unknown>(["later=1", ["later"], new Map([["later", "1"]]), true])(
    "receive throws for unchecked: %j",
    (unchecked) => {
      const error = catchTwimlError(() => receiveAny({}, { unchecked }));
      expect(error).toMatchObject({ code: "invalid-value", verb: "Receive" });
    },
  );

  it("receive throws for an unknown option", () => {
    const error = catchTwimlError(() => receiveAny({}, { uncheked: { later: "1" } }));
    expect(error).toMatchObject({ code: "unknown-attribute", verb: "Receive", attribute: "uncheked" });
    expect(error.message).toContain('(did you mean "unchecked"?)');
    expect(catchTwimlError(() => receiveAny({}, "later")).code).toBe("invalid-value");
  });
});

describe("reject", () => {
  it("reject returns a frozen verb without attributes", () => {
    expect(reject()).toStrictEqual({ verb: "Reject" });
    expect(Object.isFrozen(reject())).toBe(true);
    expect(toTwiml(reject())).toBe(document("<Reject/>"));
  });

  it.each(["action", "reason", "__proto__", ""])("reject throws for the attribute %j", (attribute) => {
    const error = catchTwimlError(() => rejectAny(JSON.parse(`{${JSON.stringify(attribute)}:"busy"}`)));
    expect(error).toMatchObject({ code: "unknown-attribute", verb: "Reject", attribute });
    expect(error.message).toContain("Known attributes: none");
  });

  it.each<unknown>(["busy", 0, ["busy"], false])("reject throws for the argument %j", (argument) => {
    expect(catchTwimlError(() => rejectAny(argument))).toMatchObject({ code: "invalid-value", verb: "Reject" });
  });

  it("reject and FaxResponse.reject throw for a second argument", () => {
    const response = new FaxResponse() as unknown as { reject: typeof rejectAny };
    for (const call of [rejectAny, response.reject.bind(response)]) {
      const error = catchTwimlError(() => call(undefined, { unchecked: { a: "1" } }));
      expect(error).toMatchObject({ code: "unknown-attribute", verb: "Reject", attribute: "a" });
    }
  });
});

describe("toTwiml", () => {
  it.each<[string, string, string | undefined, string]>([
    ["invalid-value", "Receive", undefined, '{"verb":"Receive","unchecked":["later"]}'],
    ["invalid-value", "Receive", "later", '{"verb":"Receive","unchecked":{"later":1}}'],
    ["invalid-value", "Reject", undefined, '{"verb":"Reject","attributes":["busy"]}'],
    ["invalid-value", "Reject", undefined, '{"verb":"Reject","unchecked":"later"}'],
    ["invalid-text", "Receive", "action", '{"verb":"Receive","attributes":{"action":"/\\u0000"}}'],
    ["unknown-attribute", "Receive", "__proto__", '{"verb":"Receive","__proto__":{}}'],
    ["unknown-attribute", "Receive", "action", '{"verb":"Receive","action":"/x"}'],
    ["unknown-attribute", "Receive", "Verb", '{"verb":"Receive","Verb":"Reject"}'],
    ["unknown-attribute", "Receive", "children", '{"verb":"Receive","attributes":{},"children":[]}'],
    ["unknown-attribute", "Receive", "xunchecked", '{"verb":"Receive","xunchecked":{}}'],
    ["unknown-attribute", "Receive", "myattributes", '{"verb":"Receive","myattributes":{}}'],
    ["unknown-attribute", "Reject", "reason", '{"verb":"Reject","reason":"busy"}'],
    ["unknown-attribute", "Reject", "reason", '{"verb":"Reject","attributes":{"reason":"busy"}}'],
    ["unknown-attribute", "Reject", "a b", '{"verb":"Reject","unchecked":{"a b":"1"}}'],
  ])("toTwiml throws %s for plain data: <%s> %s in %s", (code, verb, attribute, json) => {
    const error = catchTwimlError(() => toTwimlAny(JSON.parse(json)));
    expect([error.code, error.verb, error.attribute]).toEqual([code, verb, attribute]);
  });

  it("toTwiml throws for an unknown verb and suggests a known one", () => {
    const error = catchTwimlError(() => toTwimlAny({ verb: "Rejcet", attributes: {} }));
    expect(error).toMatchObject({ code: "unknown-verb", verb: "Rejcet" });
    expect(error.message).toContain('(did you mean "Reject"?)');
  });

  it.each<[string, unknown]>([
    ["null", null],
    ["0", 0],
    ["a name", "Receive"],
    ["an array", [{ verb: "Receive" }]],
    ["an empty object", {}],
    ["a verb of null", { verb: null }],
    ["a verb of an array", { verb: ["Receive"] }],
    ["attributes alone", { attributes: {} }],
    ["an inherited name", { verb: "constructor" }],
    ["__proto__", { verb: "__proto__" }],
    ["injected XML", { verb: "Receive/><Reject" }],
    ["receive itself", receive],
    ["a FaxResponse", new FaxResponse(receive({ action: "/x" }))],
    ["a promise", Promise.resolve(receive())],
    ["a symbol", Symbol("Receive")],
    ["a symbol as a hidden name", Object.defineProperty({}, "verb", { value: Symbol("Receive"), enumerable: false })],
    ["an inherited verb", Object.create(receive())],
  ])("toTwiml throws unknown-verb for %s", (_, data) => {
    expect(catchTwimlError(() => toTwimlAny(data)).code).toBe("unknown-verb");
  });

  it.each([
    ['{"verb":"Receive"}', "<Receive/>"],
    ['{"verb":"Receive","attributes":null,"unchecked":null}', "<Receive/>"],
    [
      '{"unchecked":{"later":"1"},"attributes":{"pageSize":"a4","action":"/x?b&c"},"verb":"Receive"}',
      '<Receive pageSize="a4" action="/x?b&amp;c" later="1"/>',
    ],
    ['{"verb":"Reject","attributes":{},"unchecked":{}}', "<Reject/>"],
  ])("toTwiml writes %s as %s", (json, tag) => {
    expect(toTwimlAny(JSON.parse(json))).toBe(document(tag));
  });

  it("toTwiml does not check a verb of receive or reject again", () => {
    // With a port, because a plain URL is accepted without the parser.
    const verb = receive({ action: "https://example.com:8080/fax" }, { unchecked: { later: "1" } });
    const parse = vi.spyOn(globalThis, "URL");
    onTestFinished(() => parse.mockRestore());
    toTwiml(verb);
    expect(new FaxResponse(verb).verb).toBe(verb);
    expect(parse).not.toHaveBeenCalled();
    toTwiml({ ...verb });
    expect(parse).toHaveBeenCalled();
    const rejecting = reject();
    expect(new FaxResponse(rejecting).verb).toBe(rejecting);
    expect(new FaxResponse({ ...rejecting }).verb).not.toBe(rejecting);
  });

  it("toTwiml checks every copy and proxy of a checked verb", () => {
    const verb = receive({ action: "/fax" });
    const forged = { ...verb, attributes: { ...verb.attributes, action: "javascript:1" } };
    expect(catchTwimlError(() => toTwimlAny(forged)).code).toBe("invalid-value");
    for (const copy of [{ ...verb }, structuredClone(verb), JSON.parse(JSON.stringify(verb)) as Verb]) {
      expect(toTwiml(copy)).toBe(toTwiml(verb));
    }
    const proxy = new Proxy({ ...verb }, { get: (_, name) => (name === "verb" ? "Receive" : { pagesize: "a4" }) });
    expect(catchTwimlError(() => toTwimlAny(proxy)).code).toBe("unknown-attribute");
  });

  it("toTwiml reads every part of plain data once", () => {
    const reads: unknown[] = [];
    const watch = <Data extends object>(data: Data): Data =>
      new Proxy(data, { get: (target, name) => (reads.push(name), Reflect.get(target, name)) as unknown });
    const attributes = watch({ action: "/fax", pageSize: "a4" });
    const twiml = toTwimlAny(watch({ verb: "Receive", attributes, unchecked: watch({ later: "1" }) }));
    expect(twiml).toBe(document('<Receive action="/fax" pageSize="a4" later="1"/>'));
    expect(reads).toEqual(["verb", "attributes", "unchecked", "action", "pageSize", "later"]);
  });

  it.each([
    ["ASCII", "x", 1],
    ["characters of two bytes", "é", 2],
    ["characters of three bytes", "日", 3],
    ["characters of four bytes", "😀", 4],
    ["escaped characters", "&", 5],
  ])("toTwiml writes 65,536 bytes of %s and throws for one more", (_, char, bytes) => {
    const room = 65536 - Buffer.byteLength(document('<Receive a=""/>'));
    const a = char.repeat(Math.floor(room / bytes)) + "x".repeat(room % bytes);
    const twiml = toTwiml(receive({}, { unchecked: { a } }));
    expect(Buffer.byteLength(twiml)).toBe(65536);
    expect(reread(twiml).verbs).toEqual([{ name: "Receive", attributes: [["a", a]] }]);
    const error = catchTwimlError(() => toTwiml(receive({}, { unchecked: { a: a + "x" } })));
    expect(error).toMatchObject({ code: "too-large", verb: "Receive" });
    expect(error.message).toContain("65537");
  });
});

describe("TwimlError", () => {
  const long = "x".repeat(1e6);
  const hostile = "\u0000\u001b\n\u202e\ud800é".repeat(2e5);
  it.each<[string, () => unknown]>([
    ["an attribute name", () => receiveAny({ [long]: "x" })],
    ["a hostile attribute name", () => receiveAny({ [hostile]: "x" })],
    ["a hostile value", () => receiveAny({ pageSize: hostile })],
    ["a URL", () => receive({ action: `ftp://${long}` })],
    ["an unchecked value", () => receive({}, { unchecked: { later: long + "\0" } })],
    ["an unchecked name", () => receive({}, { unchecked: { [long + " "]: "" } })],
    ["the value of an unchecked name", () => receive({}, { unchecked: { ["é".repeat(1e6)]: "\0é".repeat(1e6) } })],
    ["an option", () => receiveAny({}, { [long]: 1 })],
    ["a hostile verb", () => toTwimlAny({ verb: hostile })],
    ["a part of a verb", () => toTwimlAny({ verb: "Receive", [hostile]: 1 })],
    ["an array", () => receiveAny({ action: Array.from({ length: 1e6 }) })],
  ])("TwimlError is short for a megabyte of %s", (_, call) => {
    expect(JSON.stringify(catchTwimlError(call)).length).toBeLessThan(2000);
  });

  it("TwimlError has the first 64 characters of the attribute and the verb", () => {
    const [fits, tooLong] = ["é".repeat(64), "é".repeat(65)];
    expect(catchTwimlError(() => receiveAny({ [fits]: 1 })).attribute).toBe(fits);
    expect(catchTwimlError(() => receiveAny({ [tooLong]: 1 })).attribute).toBe(fits);
    expect(catchTwimlError(() => toTwimlAny({ verb: tooLong })).verb).toBe(fits);
  });

  it("TwimlError is a TypeError that can be constructed from a code and a message", () => {
    const error = new TwimlError("no-verb", "message");
    expect([error instanceof TypeError, String(error)]).toEqual([true, "TwimlError: message"]);
  });

  it.each<[object, () => unknown]>([
    [{ code: "unknown-verb" }, () => toTwimlAny(5)],
    [{ code: "invalid-value", verb: "Receive" }, () => receiveAny(5)],
    [{ code: "invalid-value", verb: "Receive", attribute: "action" }, () => receiveAny({ action: 5 })],
  ])("TwimlError has only the properties that apply: %j", (properties, call) => {
    // Absent, not undefined, as declared: "in", a spread and console.log show the difference.
    expect({ ...catchTwimlError(call) }).toStrictEqual({ name: "TwimlError", providerError: 12200, ...properties });
  });
});

describe("a polluted Object.prototype", () => {
  /** The result of a call, or the code of its error, while Object.prototype has more properties. */
  function callPolluted(properties: Record<string, unknown>, call: () => unknown): unknown {
    const options = { configurable: true, enumerable: true, writable: true };
    const entries = Object.entries(properties).map(
      ([name, value]) => [name, Object.assign(Object.create(null), { value, ...options }) as object] as const,
    );
    try {
      for (const [name, descriptor] of entries) Object.defineProperty(Object.prototype, name, descriptor);
      return call();
    } catch (error) {
      return (error as TwimlError).code;
    } finally {
      for (const [name] of entries) Reflect.deleteProperty(Object.prototype, name);
    }
  }

  const url = "https://evil.example/";
  const attributes = { action: url, method: "GET", mediaType: "image/tiff", pageSize: "a4", storeMedia: false };
  const verb = { verb: "Receive", attributes: { action: url }, unchecked: { evil: "1" } };
  const evil = { ...attributes, ...verb, later: "1", value: "/evil", href: url };

  it.each<[string, () => unknown, string]>([
    ["receive()", () => toTwiml(receive()), "<Receive/>"],
    ["receive({}, {})", () => toTwiml(receive({}, {})), "<Receive/>"],
    ["an action", () => toTwiml(receive({ action: "/x" })), '<Receive action="/x"/>'],
    ["an unchecked attribute", () => toTwiml(receive({}, { unchecked: { a: "b" } })), '<Receive a="b"/>'],
    ["a URL", () => toTwiml(receive({ action: new URL("https://a.b/") })), '<Receive action="https://a.b/"/>'],
    ["reject()", () => toTwiml(reject()), "<Reject/>"],
    ["plain data", () => toTwimlAny({ verb: "Receive" }), "<Receive/>"],
    ["plain data that rejects", () => toTwimlAny({ verb: "Reject" }), "<Reject/>"],
    ["FaxResponse", () => new FaxResponse().receive({ method: "POST" }).toString(), '<Receive method="POST"/>'],
    ["FaxResponse with a verb", () => new FaxResponse(reject()).toString(), "<Reject/>"],
  ])("a polluted prototype adds nothing to %s", (_, call, tag) => {
    expect(callPolluted(evil, call)).toBe(document(tag));
  });

  it("a polluted prototype adds nothing to the data of a verb", () => {
    const json = callPolluted(evil, () => JSON.stringify([receive(), reject(), new FaxResponse().verb ?? null]));
    expect(json).toBe('[{"verb":"Receive","attributes":{}},{"verb":"Reject"},null]');
  });

  it.each<[string, Record<string, unknown>, () => unknown, string]>([
    ["a verb for an object", evil, () => toTwimlAny({}), "unknown-verb"],
    ["a verb for an array", evil, () => toTwimlAny([]), "unknown-verb"],
    ["a verb for text", { verb: "Receive" }, () => toTwimlAny("Say"), "unknown-verb"],
    ["a verb for a name", { Say: {} }, () => toTwimlAny({ verb: "Say" }), "unknown-verb"],
    ["a URL", { href: "https://evil.example/" }, () => receiveAny({ action: {} }), "invalid-value"],
    ["an attribute", { later: "url", rule: "url" }, () => receiveAny({ later: "/x" }), "unknown-attribute"],
    ["an action", { action: "/evil" }, () => receiveAny({ storeMedia: false }), "pages-lost"],
    ["POST", { method: "POST" }, () => receiveAny({ storeMedia: false, action: "/x", method: "GET" }), "pages-lost"],
  ])("a polluted prototype cannot supply %s", (_, properties, call, code) => {
    expect(callPolluted(properties, call)).toBe(code);
  });

  it("a polluted prototype cannot make a valid storeMedia: false fail", () => {
    const twiml = callPolluted({ method: "GET", storeMedia: true }, () =>
      toTwiml(receive({ storeMedia: false, action: "/mine" })),
    );
    expect(twiml).toBe(document('<Receive storeMedia="false" action="/mine"/>'));
  });
});
