import { describe, expectTypeOf, it } from "vitest";
import {
  FaxResponse,
  type HttpMethod,
  type MediaType,
  type PageSize,
  receive,
  type Receive,
  type ReceiveAttributes,
  type ReceiveOptions,
  reject,
  type Reject,
  toTwiml,
  TwimlError,
  type TwimlErrorCode,
  type UrlReference,
  type Verb,
} from "../../src/index.js";
import type { VERBS } from "../../src/twiml/verbs.js";

describe("the value types", () => {
  it("ReceiveAttributes has the attributes and values of the table", () => {
    type Table = (typeof VERBS)["Receive"];
    type Value<Rule> = Rule extends readonly (infer Each)[] ? Each : UrlReference;
    expectTypeOf<ReceiveAttributes>().toEqualTypeOf<{
      readonly [Name in keyof Table]?: Value<Table[Name]> | null | undefined;
    }>();
  });

  it("HttpMethod, MediaType, PageSize and UrlReference have the documented values", () => {
    expectTypeOf<HttpMethod>().toEqualTypeOf<"GET" | "POST">();
    expectTypeOf<MediaType>().toEqualTypeOf<"application/pdf" | "image/tiff">();
    expectTypeOf<PageSize>().toEqualTypeOf<"letter" | "legal" | "a4">();
    expectTypeOf<UrlReference>().toEqualTypeOf<string | { readonly href: string }>();
  });
});

describe("receive", () => {
  it("receive accepts every documented attribute and value", () => {
    receive();
    receive({});
    receive({ action: "/fax", method: "POST", mediaType: "application/pdf", pageSize: "letter", storeMedia: true });
    receive({ method: "GET", mediaType: "image/tiff", pageSize: "legal" });
    receive({ pageSize: "a4" });
    expectTypeOf(receive()).toEqualTypeOf<Receive>();
  });

  it("receive accepts values of the exported types", () => {
    (method: HttpMethod, mediaType: MediaType, pageSize: PageSize, action: UrlReference) =>
      receive({ action, method, mediaType, pageSize });
    (attributes: ReceiveAttributes, options: ReceiveOptions) => receive(attributes, options);
    (attributes: ReceiveAttributes | undefined, options: ReceiveOptions | undefined) => receive(attributes, options);
    (...args: Parameters<typeof receive>) => receive(...args);
    receive satisfies (attributes?: ReceiveAttributes, options?: ReceiveOptions) => Receive;
    (attributes: ReceiveAttributes) => new FaxResponse().receive(attributes);
  });

  it("receive accepts undefined and null for every attribute, with exactOptionalPropertyTypes", () => {
    receive(undefined, undefined);
    receive({ action: undefined, method: undefined, mediaType: undefined, pageSize: undefined, storeMedia: undefined });
    receive({ action: null, method: null, mediaType: null, pageSize: null, storeMedia: null });
    (action: string | undefined, pageSize: PageSize | null) => receive({ action, pageSize });
  });

  it("receive accepts a URL and objects with an href as action", () => {
    receive({ action: new URL("https://example.com/fax") });
    receive({ action: { href: "/fax" } });
    receive({ action: new URL("https://example.com/fax"), storeMedia: false });
    // @ts-expect-error an href is text
    receive({ action: { href: 5 } });
    // @ts-expect-error an object without an href is not a URL
    receive({ action: {} });
    // @ts-expect-error a number is not a URL
    receive({ action: 5 });
  });

  it("receive rejects unknown names and names in the wrong case", () => {
    // @ts-expect-error it is pageSize
    receive({ pagesize: "a4" });
    // @ts-expect-error there is no such attribute
    receive({ timeout: 5 });
    // @ts-expect-error "unchecked" is an option: the second argument
    receive({ unchecked: { later: "1" } });
  });

  it("receive rejects invalid values", () => {
    // @ts-expect-error methods are in upper case
    receive({ method: "post" });
    // @ts-expect-error it is "a4"
    receive({ pageSize: "A4" });
    // @ts-expect-error a flag is a boolean
    receive({ storeMedia: "true" });
    // @ts-expect-error string is too wide
    (method: string) => receive({ method });
  });

  it("receive rejects arguments that are not an object of attributes", () => {
    // @ts-expect-error the URL must be in { action }
    receive("/fax");
    // @ts-expect-error the URL must be in { action }
    receive(new URL("https://example.com/fax"));
    // @ts-expect-error pairs are not attributes
    receive([["action", "/fax"]]);
    // @ts-expect-error null is allowed for an attribute, not for all of them
    receive(null);
  });

  it("receive rejects storeMedia: false if the pages would be lost", () => {
    // @ts-expect-error without an action the pages are lost
    receive({ storeMedia: false });
    // @ts-expect-error a GET has no body for the pages
    receive({ storeMedia: false, action: "/fax", method: "GET" });
    // @ts-expect-error an undefined action is absent
    receive({ storeMedia: false, action: undefined });
    // @ts-expect-error an action of null is absent
    receive({ storeMedia: false, action: null });
    // @ts-expect-error an action that can be undefined can be absent
    (action: string | undefined) => receive({ storeMedia: false, action });
    // @ts-expect-error a method that can be GET can lose the pages
    (method: HttpMethod) => receive({ storeMedia: false, action: "/fax", method });
    // @ts-expect-error a flag that can be false requires an action
    (storeMedia: boolean) => receive({ storeMedia });
    // @ts-expect-error one of the two values has no action
    (stored: boolean) => receive(stored ? { action: "/fax" } : { storeMedia: false });
    const attributes = { storeMedia: false } as const;
    // @ts-expect-error a variable of an inferred type is checked as well
    receive(attributes);
    // @ts-expect-error the method has the type of the function
    new FaxResponse().receive({ storeMedia: false });
  });

  it("receive accepts storeMedia: false with an action and POST", () => {
    receive({ storeMedia: false, action: "/fax" });
    receive({ storeMedia: false, action: "/fax", method: "POST" });
    receive({ storeMedia: false, action: "/fax", method: undefined });
    receive({ storeMedia: false, action: "/fax", method: null });
    (storeMedia: boolean) => receive({ storeMedia, action: "/fax" });
    (storeMedia: boolean, pageSize: PageSize) => receive({ action: "/fax", method: "POST", storeMedia, pageSize });
    (storeMedia: true | undefined) => receive({ storeMedia, method: "GET" });
  });

  it("receive accepts unchecked attributes, of text only", () => {
    receive({}, {});
    receive({}, { unchecked: {} });
    receive({}, { unchecked: { later: "1" } });
    receive({}, { unchecked: undefined });
    expectTypeOf<ReceiveOptions["unchecked"]>().toEqualTypeOf<Readonly<Record<string, string>> | undefined>();
    // @ts-expect-error a number is not text
    receive({}, { unchecked: { later: 1 } });
    // @ts-expect-error the option is "unchecked"
    receive({}, { uncheked: { later: "1" } });
    // @ts-expect-error the names must be in { unchecked }
    receive({}, { later: "1" });
    // @ts-expect-error a list of names has no values
    receive({}, { unchecked: ["later"] });
  });
});

describe("a verb", () => {
  it("Verb is discriminated by its name", () => {
    expectTypeOf<Verb>().toEqualTypeOf<Receive | Reject>();
    expectTypeOf<Verb["verb"]>().toEqualTypeOf<"Receive" | "Reject">();
    (verb: Verb) => (verb.verb === "Receive" ? verb.attributes.action : undefined) satisfies string | undefined;
    // @ts-expect-error <Reject> has no attributes
    (verb: Reject) => verb.attributes;
  });

  it("Receive has typed attributes", () => {
    const { attributes, unchecked } = receive();
    expectTypeOf(attributes.action).toEqualTypeOf<string | undefined>();
    expectTypeOf(attributes.method).toEqualTypeOf<HttpMethod | undefined>();
    expectTypeOf(attributes.mediaType).toEqualTypeOf<MediaType | undefined>();
    expectTypeOf(attributes.pageSize).toEqualTypeOf<PageSize | undefined>();
    expectTypeOf(attributes.storeMedia).toEqualTypeOf<boolean | undefined>();
    expectTypeOf(unchecked).toEqualTypeOf<Readonly<Record<string, string>> | undefined>();
    (verb: Receive) => receive(verb.attributes);
  });

  it("Verb is read-only, like its attributes", () => {
    // @ts-expect-error the verb is read-only
    (verb: Receive) => (verb.verb = "Receive");
    // @ts-expect-error the verb is read-only
    (verb: Reject) => (verb.verb = "Reject");
    // @ts-expect-error the attributes are read-only
    (verb: Receive) => (verb.attributes = {});
    // @ts-expect-error every attribute is read-only
    (verb: Receive) => (verb.attributes.action = "/fax");
    // @ts-expect-error the unchecked attributes are read-only
    (verb: Receive) => (verb.unchecked = {});
    // @ts-expect-error every unchecked attribute is read-only
    (verb: Receive) => (verb.unchecked!["later"] = "1");
  });
});

describe("reject", () => {
  it("reject accepts no arguments", () => {
    expectTypeOf(reject).parameters.toEqualTypeOf<[]>();
    expectTypeOf(reject()).toEqualTypeOf<Reject>();
    // @ts-expect-error <Reject> has no attributes
    () => reject({ reason: "busy" });
    // @ts-expect-error not even an empty object
    () => reject({});
    // @ts-expect-error the method has the type of the function
    () => new FaxResponse().reject({ reason: "busy" });
  });
});

describe("toTwiml", () => {
  it("toTwiml accepts a verb, plain data of its structure, or nothing", () => {
    expectTypeOf(toTwiml()).toEqualTypeOf<string>();
    toTwiml(undefined);
    toTwiml(receive());
    toTwiml(reject());
    toTwiml({ verb: "Reject" });
    toTwiml({ verb: "Receive", attributes: { action: "/fax", pageSize: "a4" } });
    toTwiml({ verb: "Receive", attributes: {}, unchecked: { later: "1" } });
    (verb: Verb | undefined) => toTwiml(verb);
  });

  it("toTwiml rejects everything else", () => {
    // @ts-expect-error an object without a verb
    () => toTwiml({});
    // @ts-expect-error null is not a verb
    () => toTwiml(null);
    // @ts-expect-error a name is not a verb
    () => toTwiml("Receive");
    // @ts-expect-error there is no such verb
    () => toTwiml({ verb: "Say", attributes: {} });
    // @ts-expect-error it is "Receive"
    () => toTwiml({ verb: "receive", attributes: {} });
    // @ts-expect-error the attributes must be in { attributes }
    () => toTwiml({ verb: "Receive", action: "/fax" });
    // @ts-expect-error <Reject> has no attributes
    () => toTwiml({ verb: "Reject", attributes: { reason: "busy" } });
    // @ts-expect-error it is pageSize
    () => toTwiml({ verb: "Receive", attributes: { pagesize: "a4" } });
    // @ts-expect-error the pages would be lost
    () => toTwiml({ verb: "Receive", attributes: { storeMedia: false } });
    // @ts-expect-error receive must be called
    () => toTwiml(receive);
    // @ts-expect-error a promise of a verb must be awaited
    () => toTwiml(Promise.resolve(receive()));
    // @ts-expect-error object is too wide
    (verb: object) => toTwiml(verb);
    // @ts-expect-error a record is too wide
    (verb: Record<string, unknown>) => toTwiml(verb);
  });
});

describe("FaxResponse", () => {
  it("FaxResponse methods return the response", () => {
    expectTypeOf(new FaxResponse().receive()).toEqualTypeOf<FaxResponse>();
    expectTypeOf(new FaxResponse().reject()).toEqualTypeOf<FaxResponse>();
    expectTypeOf(new FaxResponse().comment("a")).toEqualTypeOf<FaxResponse>();
    expectTypeOf(new FaxResponse(reject()).verb).toEqualTypeOf<Verb | undefined>();
    expectTypeOf(new FaxResponse().toString()).toEqualTypeOf<string>();
  });

  it("FaxResponse rejects arguments for which it throws", () => {
    // @ts-expect-error a comment is text
    () => new FaxResponse().comment(5);
    // @ts-expect-error a comment is text
    () => new FaxResponse().comment();
    // @ts-expect-error null is not a verb
    () => new FaxResponse(null);
    // @ts-expect-error the attributes are for receive
    () => new FaxResponse({ action: "/fax" });
    // @ts-expect-error it is pageSize
    () => new FaxResponse().receive({ pagesize: "a4" });
    // @ts-expect-error the verb is read-only
    (response: FaxResponse) => (response.verb = reject());
  });
});

describe("TwimlError", () => {
  it("TwimlError has a read-only name and code", () => {
    expectTypeOf<TwimlError>().toExtend<TypeError>();
    expectTypeOf<TwimlError["name"]>().toEqualTypeOf<"TwimlError">();
    expectTypeOf<TwimlError["code"]>().toEqualTypeOf<TwimlErrorCode>();
    expectTypeOf<TwimlErrorCode>().toEqualTypeOf<
      | "unknown-verb"
      | "unknown-attribute"
      | "invalid-value"
      | "invalid-text"
      | "invalid-name"
      | "pages-lost"
      | "second-verb"
      | "no-verb"
      | "too-large"
      | "malformed"
      | "not-a-response"
    >();
    // @ts-expect-error the code is read-only
    (error: TwimlError) => (error.code = "too-large");
  });
});
