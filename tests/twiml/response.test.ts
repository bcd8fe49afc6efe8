import { describe, expect, it } from "vitest";
import { FaxResponse, receive, reject, toTwiml, type Verb } from "../../src/index.js";
import { reread } from "../fuzz/reread.js";
import { catchTwimlError } from "../twiml-error.js";

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';

describe("toTwiml", () => {
  it("toTwiml writes the empty response, the response to a callback, without a verb", () => {
    expect(toTwiml()).toBe(`${DECLARATION}<Response/>`);
    expect(toTwiml(undefined)).toBe(`${DECLARATION}<Response/>`);
  });
});

describe("FaxResponse", () => {
  it("FaxResponse is empty at first and shares nothing with others", () => {
    const [response, other] = [new FaxResponse(), new FaxResponse(undefined)];
    other.comment("other").reject();
    expect(response.toString()).toBe(`${DECLARATION}<Response/>`);
    expect(response.verb).toBeUndefined();
    expect(response.comment("a").verb).toBeUndefined();
  });

  it("String(FaxResponse) is its document, and JSON.stringify(FaxResponse) is {}", () => {
    const response = new FaxResponse(reject());
    expect(String(response)).toBe(toTwiml(reject()));
    expect(JSON.stringify(response)).toBe("{}");
  });

  it("FaxResponse checks and copies plain data passed to the constructor", () => {
    const data = { verb: "Receive" as const, attributes: { action: "/a" } };
    const response = new FaxResponse(data);
    data.attributes.action = "javascript:alert(1)";
    expect(response.toString()).toBe(toTwiml(receive({ action: "/a" })));
    expect(response.verb).toEqual(receive({ action: "/a" }));
    expect(Object.isFrozen(response.verb)).toBe(true);
    const invalid = { verb: "Receive", attributes: { method: "post" } } as unknown as Verb;
    expect(catchTwimlError(() => new FaxResponse(invalid))).toMatchObject({ code: "invalid-value" });
    expect(catchTwimlError(() => new FaxResponse(null as unknown as Verb)).code).toBe("unknown-verb");
  });

  it("FaxResponse methods return the response and write the verb and comments in the order of the calls", () => {
    const response = new FaxResponse();
    expect(response.comment("first").receive({ action: "/a" }, { unchecked: { later: `"` } })).toBe(response);
    const before = response.toString();
    expect(response.toString()).toBe(before);
    const twiml = response.comment("last").toString();
    expect(twiml).toBe(before.replace("</Response>", "<!-- last --></Response>"));
    expect(twiml).toContain('<Receive action="/a" later="&quot;"/>');
    expect(reread(twiml).comments).toEqual([" first ", " last "]);
    expect(new FaxResponse().reject().verb).toEqual({ verb: "Reject" });
  });

  it("FaxResponse.verb is the frozen verb and cannot be replaced", () => {
    const response = new FaxResponse().receive({ pageSize: "a4" }, { unchecked: { later: "1" } });
    const verb = response.verb as ReturnType<typeof receive>;
    expect(verb).toEqual({ verb: "Receive", attributes: { pageSize: "a4" }, unchecked: { later: "1" } });
    expect([verb, verb.attributes, verb.unchecked].map(Object.isFrozen)).toEqual([true, true, true]);
    expect(() => Object.assign(response, { verb: reject() })).toThrow(TypeError);
    expect(response.verb).toBe(verb);
  });

  it.each<[string, string, () => unknown]>([
    ["<Receive>", "receive()", () => new FaxResponse().receive().receive()],
    ["<Reject>", "receive()", () => new FaxResponse().receive().comment("a").reject()],
    ["<Receive>", "reject()", () => new FaxResponse().reject().receive()],
    ["<Receive>", "a verb in the constructor", () => new FaxResponse(reject()).receive()],
  ])("FaxResponse throws for %s after %s", (tag, _, call) => {
    const error = catchTwimlError(call);
    expect({ ...error }).toStrictEqual({ name: "TwimlError", code: "second-verb", verb: tag.slice(1, -1) });
    expect(error.message).toContain(`${tag} would be ignored`);
  });

  it("FaxResponse is unchanged after a call that threw", () => {
    const response = new FaxResponse().receive({ action: "/a" });
    const before = response.toString();
    catchTwimlError(() => response.reject());
    catchTwimlError(() => response.comment("a--b"));
    expect(response.toString()).toBe(before);
    expect(response.verb).toEqual(receive({ action: "/a" }));
    const empty = new FaxResponse();
    catchTwimlError(() => empty.receive({ storeMedia: false } as object));
    expect(empty.receive().toString()).toBe(toTwiml(receive()));
  });

  it.each(["why", "", "-", "a-", "- -", "->", "<Reject/>", "& \" '", "two\nlines", "é 😀", "]]>"])(
    "FaxResponse.comment writes %j so that a parser returns it",
    (text) => {
      const twiml = new FaxResponse().comment(text).reject().toString();
      expect(reread(twiml)).toEqual({ verbs: [{ name: "Reject", attributes: [] }], comments: [` ${text} `] });
    },
  );

  it.each([
    ["--", "two hyphens"],
    ["---", "three hyphens"],
    ["--><Reject/><!--", "an injected verb"],
    ["x".repeat(1e6) + "--", "two hyphens after a megabyte"],
    ["a\0", "a control character"],
    ["\ud800", "a lone surrogate"],
  ])("FaxResponse.comment throws for text with $1 (row %#)", (text) => {
    const error = catchTwimlError(() => new FaxResponse().comment(text));
    expect(error).toMatchObject({ code: "invalid-text", attribute: "comment", providerError: 12100 });
  });

  it.each<unknown>([undefined, null, 5, {}, ["a"]])("FaxResponse.comment throws for %j, which is not text", (text) => {
    expect(catchTwimlError(() => new FaxResponse().comment(text as string))).toMatchObject({
      code: "invalid-value",
      attribute: "comment",
    });
  });

  it("FaxResponse.toString writes 65,536 bytes, comments included, and throws for one more", () => {
    const room = 65536 - Buffer.byteLength(`${DECLARATION}<Response><!--  --></Response>`);
    const text = "é".repeat(Math.floor(room / 2)) + "x".repeat(room % 2);
    expect(Buffer.byteLength(new FaxResponse().comment(text).toString())).toBe(65536);
    const error = catchTwimlError(() => new FaxResponse().comment(text + "x").toString());
    expect({ ...error }).toStrictEqual({ name: "TwimlError", code: "too-large", providerError: 11750 });
    const rejecting = new FaxResponse().comment(text).reject();
    expect(catchTwimlError(() => rejecting.toString())).toMatchObject({ code: "too-large", verb: "Reject" });
  });
});
