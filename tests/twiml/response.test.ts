import { providerErrorOf } from "../provider-errors.js";
import { describe, expect, it } from "vitest";
import { FaxResponse, receive, reject, toTwiml, TwimlError, type Verb } from "../../src/index.js";
import { reread } from "../fuzz/reread.js";

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';

function refusal(call: () => unknown): TwimlError {
  try {
    call();
  } catch (error) {
    expect(error).toBeInstanceOf(TwimlError);
    expect((error as TwimlError).message.length).toBeLessThanOrEqual(400);
    return error as TwimlError;
  }
  return expect.fail("nothing was thrown");
}

describe("toTwiml", () => {
  it("writes the empty response, the right answer to a callback, without a verb", () => {
    expect(toTwiml()).toBe(`${DECLARATION}<Response/>`);
    expect(toTwiml(undefined)).toBe(`${DECLARATION}<Response/>`);
  });

  it("writes the same document every time", () => {
    const verb = receive({ pageSize: "a4", action: "/x" });
    expect(toTwiml(verb)).toBe(toTwiml(verb));
    expect(toTwiml(verb)).toBe(`${DECLARATION}<Response><Receive pageSize="a4" action="/x"/></Response>`);
  });
});

describe("FaxResponse", () => {
  it("is empty at first", () => {
    const response = new FaxResponse();
    expect(response.toString()).toBe(`${DECLARATION}<Response/>`);
    expect(response.verb).toBeUndefined();
  });

  it("writes in template strings and String() what toString gives", () => {
    const response = new FaxResponse(reject());
    expect([`${response}`, String(response)]).toEqual([response.toString(), response.toString()]);
  });

  it("starts with the verb that the constructor is given", () => {
    const response = new FaxResponse(receive({ action: "/x" }));
    expect(response.toString()).toBe(toTwiml(receive({ action: "/x" })));
    expect(response.verb).toEqual(receive({ action: "/x" }));
    expect(new FaxResponse(undefined).verb).toBeUndefined();
  });

  it("checks plain data that the constructor is given", () => {
    const data = { verb: "Receive", attributes: { method: "post" } } as unknown as Verb;
    expect(refusal(() => new FaxResponse(data))).toMatchObject({ code: "invalid-value", attribute: "method" });
    expect(refusal(() => new FaxResponse(null as unknown as Verb)).code).toBe("unknown-verb");
    expect(refusal(() => new FaxResponse({} as Verb)).code).toBe("unknown-verb");
  });

  it("copies the verb that it is given", () => {
    const data = { verb: "Receive" as const, attributes: { action: "/a" } };
    const response = new FaxResponse(data);
    data.attributes.action = "javascript:alert(1)";
    expect(response.toString()).toBe(toTwiml(receive({ action: "/a" })));
    expect(response.verb).toEqual(receive({ action: "/a" }));
  });

  it("returns itself, so that calls can be chained", () => {
    const response = new FaxResponse();
    expect(response.comment("a")).toBe(response);
    expect(response.receive()).toBe(response);
    const rejecting = new FaxResponse();
    expect(rejecting.reject()).toBe(rejecting);
  });

  it("writes verb and comments in the order of the calls", () => {
    const twiml = new FaxResponse().comment("first").receive({ action: "/a" }).comment("last").toString();
    expect(twiml).toBe(`${DECLARATION}<Response><!-- first --><Receive action="/a"/><!-- last --></Response>`);
    expect(reread(twiml)).toEqual({
      verbs: [{ name: "Receive", attributes: [["action", "/a"]] }],
      comments: [" first ", " last "],
    });
  });

  it("writes the same every time, also after more was added", () => {
    const response = new FaxResponse().receive({ action: "/a" });
    const before = response.toString();
    expect([response.toString(), response.toString()]).toEqual([before, before]);
    expect(response.comment("b").toString()).toBe(before.replace("</Response>", "<!-- b --></Response>"));
    expect(response.verb).toBe(response.verb);
  });

  it("shares nothing with another response", () => {
    const [one, other] = [new FaxResponse(), new FaxResponse()];
    one.comment("one").reject();
    expect(other.toString()).toBe(`${DECLARATION}<Response/>`);
    expect(other.verb).toBeUndefined();
  });

  it("has no verb of its own that JSON or a spread would show", () => {
    expect(JSON.stringify(new FaxResponse(receive({ action: "/a" })))).toBe("{}");
  });

  it("has a verb once one was added; frozen", () => {
    const receiving = new FaxResponse().comment("a").receive({ pageSize: "a4" }, { unchecked: { later: "1" } });
    expect(receiving.verb).toEqual({ verb: "Receive", attributes: { pageSize: "a4" }, unchecked: { later: "1" } });
    const { verb } = receiving;
    const parts = verb?.verb === "Receive" ? [verb, verb.attributes, verb.unchecked] : [];
    expect(parts.map(Object.isFrozen)).toEqual([true, true, true]);
    expect(Object.isFrozen(new FaxResponse({ verb: "Receive", attributes: {} }).verb)).toBe(true);
    expect(new FaxResponse().reject().verb).toEqual({ verb: "Reject" });
    expect(new FaxResponse().comment("a").verb).toBeUndefined();
  });

  it("does not let its verb be replaced", () => {
    const response = new FaxResponse().reject();
    expect(() => Object.assign(response, { verb: receive() })).toThrow(TypeError);
    expect(response.verb).toEqual({ verb: "Reject" });
  });

  it("writes unchecked attributes", () => {
    const twiml = new FaxResponse().receive({ action: "/a" }, { unchecked: { later: `"` } }).toString();
    expect(twiml).toContain('<Receive action="/a" later="&quot;"/>');
  });

  it("takes every argument that receive takes, and refuses what it refuses", () => {
    expect(refusal(() => new FaxResponse().receive({ pagesize: "a4" } as object))).toMatchObject({
      code: "unknown-attribute",
    });
    expect(refusal(() => new FaxResponse().receive({ storeMedia: false } as object))).toMatchObject({
      code: "pages-lost",
    });
    expect(refusal(() => new FaxResponse().receive({}, { unchecked: { action: "/" } }))).toMatchObject({
      code: "invalid-name",
    });
    const rejecting = new FaxResponse() as unknown as { reject(attributes: unknown): void };
    expect(refusal(() => rejecting.reject({ reason: "busy" }))).toMatchObject({
      code: "unknown-attribute",
      verb: "Reject",
    });
  });

  it.each<[string, string, string, () => unknown]>([
    ["receive", "Receive", "receive", () => new FaxResponse().receive().receive()],
    ["reject", "Reject", "receive", () => new FaxResponse().receive().reject()],
    ["receive", "Receive", "reject", () => new FaxResponse().reject().receive()],
    ["reject", "Reject", "reject", () => new FaxResponse().reject().reject()],
    ["receive", "Receive", "a verb in the constructor", () => new FaxResponse(reject()).receive()],
    ["reject", "Reject", "receive and a comment", () => new FaxResponse().receive().comment("a").reject()],
  ])("refuses %s: <%s> after %s would be ignored", (_, verb, __, call) => {
    const error = refusal(call);
    expect(error).toMatchObject({ code: "second-verb", verb });
    expect(error.attribute).toBeUndefined();
    expect(error.message).toMatch(
      /^<Re(ceive|ject)>: it would be ignored: the response already has <Re(ceive|ject)>\.$/,
    );
  });

  it.each<[string, () => unknown, object]>([
    [
      "receive() after reject()",
      () => new FaxResponse().reject().receive(),
      {
        code: "second-verb",
        verb: "Receive",
        message: "<Receive>: it would be ignored: the response already has <Reject>.",
      },
    ],
    [
      "reject() after receive()",
      () => new FaxResponse().receive().reject(),
      {
        code: "second-verb",
        verb: "Reject",
        message: "<Reject>: it would be ignored: the response already has <Receive>.",
      },
    ],
    [
      'comment("a--b")',
      () => new FaxResponse().comment("a--b"),
      { code: "invalid-text", attribute: "comment", message: 'a comment cannot hold "--".' },
    ],
    [
      'comment("\\u001b")',
      () => new FaxResponse().comment("\u001b"),
      {
        code: "invalid-text",
        attribute: "comment",
        message: '"comment" holds U+001B, which XML cannot carry.',
      },
    ],
    [
      "comment(5)",
      () => new FaxResponse().comment(5 as unknown as string),
      {
        code: "invalid-value",
        attribute: "comment",
        message: '"comment" must be text, not 5.',
      },
    ],
    [
      "toString() over 64 kB without a verb",
      () => new FaxResponse().comment("x".repeat(65536)).toString(),
      {
        code: "too-large",
        message: "the document has 65604 bytes, and providers take 65536 at most.",
      },
    ],
    [
      "toString() over 64 kB with a verb",
      () => new FaxResponse().comment("x".repeat(65536)).reject().toString(),
      {
        code: "too-large",
        verb: "Reject",
        message: "<Reject>: the document has 65613 bytes, and providers take 65536 at most.",
      },
    ],
  ])("%s says all of what is wrong", (_, call, expected) => {
    const error = refusal(call);
    expect({ ...error, message: error.message }).toEqual({
      name: "TwimlError",
      ...providerErrorOf(error.code),
      ...expected,
    });
  });

  it("is as it was after a call that threw", () => {
    const response = new FaxResponse().receive({ action: "/a" });
    const before = response.toString();
    refusal(() => response.reject());
    refusal(() => response.receive({ action: "/b" }));
    refusal(() => response.comment("a--b"));
    expect(response.toString()).toBe(before);
    expect(response.verb).toEqual(receive({ action: "/a" }));

    const empty = new FaxResponse();
    refusal(() => empty.receive({ storeMedia: false } as object));
    expect(empty.receive().toString()).toBe(toTwiml(receive()));
  });

  it.each(["why", "", " ", "-", "a-", "- -", "->", ">", "<Reject/>", "& \" '", "two\nlines", "é 😀", "]]>"])(
    "writes the comment %j so that a reader gets it back",
    (text) => {
      const twiml = new FaxResponse().comment(text).reject().toString();
      expect(reread(twiml)).toEqual({ verbs: [{ name: "Reject", attributes: [] }], comments: [` ${text} `] });
    },
  );

  it.each([
    ["--", "the end of a comment, or nearly"],
    ["a--b", "two hyphens"],
    ["---", "three hyphens"],
    ["--><Reject/><!--", "injection of a verb"],
    ["a\0", "a control character"],
    ["\u001b[2J", "an escape sequence"],
    ["\uffff", "no character"],
    ["\ud800", "a lone surrogate"],
    ["x".repeat(1e6) + "--", "a megabyte"],
  ])("refuses a comment with what it cannot say (row %#)", (text) => {
    const error = refusal(() => new FaxResponse().comment(text));
    expect(error).toMatchObject({ code: "invalid-text" });
    expect(error.message).toContain("comment");
  });

  it.each<unknown>([undefined, null, 5, {}, ["a"]])("refuses the comment %j: it is not text", (text) => {
    expect(refusal(() => new FaxResponse().comment(text as string)).code).toBe("invalid-value");
  });

  it("refuses to be written over 64 kB of UTF-8, comments included, and writes 64 kB", () => {
    const around = Buffer.byteLength(`${DECLARATION}<Response><!--  --></Response>`);
    const room = 65536 - around;
    const text = "é".repeat(Math.floor(room / 2)) + "x".repeat(room % 2);
    expect(Buffer.byteLength(new FaxResponse().comment(text).toString())).toBe(65536);
    const response = new FaxResponse().comment(text + "x");
    expect(refusal(() => response.toString())).toMatchObject({ code: "too-large" });
  });
});
