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
  it("are those of the table, name by name", () => {
    type Table = (typeof VERBS)["Receive"];
    type Value<Rule> = Rule extends readonly (infer Each)[] ? Each : UrlReference;
    expectTypeOf<ReceiveAttributes>().toEqualTypeOf<{
      readonly [Name in keyof Table]?: Value<Table[Name]> | null | undefined;
    }>();
  });

  it("are the values that the providers document", () => {
    expectTypeOf<HttpMethod>().toEqualTypeOf<"GET" | "POST">();
    expectTypeOf<MediaType>().toEqualTypeOf<"application/pdf" | "image/tiff">();
    expectTypeOf<PageSize>().toEqualTypeOf<"letter" | "legal" | "a4">();
    expectTypeOf<UrlReference>().toEqualTypeOf<string | { readonly href: string }>();
  });
});

describe("receive", () => {
  it("takes every documented attribute with every documented value", () => {
    receive();
    receive({});
    receive({ action: "/fax", method: "POST", mediaType: "application/pdf", pageSize: "letter", storeMedia: true });
    receive({ method: "GET", mediaType: "image/tiff", pageSize: "legal" });
    receive({ pageSize: "a4" });
    expectTypeOf(receive()).toEqualTypeOf<Receive>();
    expectTypeOf<keyof ReceiveAttributes>().toEqualTypeOf<
      "action" | "method" | "mediaType" | "pageSize" | "storeMedia"
    >();
  });

  it("takes values of the exported types", () => {
    (method: HttpMethod, mediaType: MediaType, pageSize: PageSize, action: UrlReference) =>
      receive({ action, method, mediaType, pageSize });
    (attributes: ReceiveAttributes, options: ReceiveOptions) => receive(attributes, options);
    (attributes: ReceiveAttributes | undefined, options: ReceiveOptions | undefined) => receive(attributes, options);
    (...args: Parameters<typeof receive>) => receive(...args);
    receive satisfies (attributes?: ReceiveAttributes, options?: ReceiveOptions) => Receive;
    (attributes: ReceiveAttributes) => new FaxResponse().receive(attributes);
  });

  it("takes undefined and null for every attribute, also under exactOptionalPropertyTypes", () => {
    receive(undefined, undefined);
    receive({ action: undefined, method: undefined, mediaType: undefined, pageSize: undefined, storeMedia: undefined });
    receive({ action: null, method: null, mediaType: null, pageSize: null, storeMedia: null });
    (action: string | undefined, pageSize: PageSize | null) => receive({ action, pageSize });
  });

  it("takes a URL, and anything with an href", () => {
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

  it("refuses names in the wrong case, and unknown ones", () => {
    // @ts-expect-error it is pageSize
    receive({ pagesize: "a4" });
    // @ts-expect-error it is action
    receive({ Action: "/fax" });
    // @ts-expect-error it is mediaType
    receive({ media_type: "image/tiff" });
    // @ts-expect-error it is storeMedia
    receive({ storemedia: true });
    // @ts-expect-error there is no such attribute
    receive({ timeout: 5 });
    // @ts-expect-error "unchecked" stands in the second argument
    receive({ unchecked: { later: "1" } });
  });

  it("refuses wrong values", () => {
    // @ts-expect-error methods are in upper case
    receive({ method: "post" });
    // @ts-expect-error PUT is no method of the action request
    receive({ method: "PUT" });
    // @ts-expect-error it is "application/pdf"
    receive({ mediaType: "pdf" });
    // @ts-expect-error it is "a4"
    receive({ pageSize: "A4" });
    // @ts-expect-error a flag is a boolean
    receive({ storeMedia: "true" });
    // @ts-expect-error a flag is a boolean
    receive({ storeMedia: 1 });
    // @ts-expect-error any text is too wide
    (method: string) => receive({ method });
  });

  it("refuses what is no object of attributes", () => {
    // @ts-expect-error the URL stands in { action }
    receive("/fax");
    // @ts-expect-error the URL stands in { action }
    receive(new URL("https://example.com/fax"));
    // @ts-expect-error pairs are no attributes
    receive([["action", "/fax"]]);
    // @ts-expect-error null stands for an attribute that is absent, not for all of them
    receive(null);
  });

  it("refuses storeMedia: false where the pages would be lost", () => {
    // @ts-expect-error there is no action to POST the pages to
    receive({ storeMedia: false });
    // @ts-expect-error a GET has no body for the pages
    receive({ storeMedia: false, action: "/fax", method: "GET" });
    // @ts-expect-error an action that is undefined is none
    receive({ storeMedia: false, action: undefined });
    // @ts-expect-error an action that is null is none
    receive({ storeMedia: false, action: null });
    // @ts-expect-error an action that may be undefined may be none
    (action: string | undefined) => receive({ storeMedia: false, action });
    // @ts-expect-error a method that may be GET may lose the pages
    (method: HttpMethod) => receive({ storeMedia: false, action: "/fax", method });
    // @ts-expect-error a flag that may be false needs an action
    (storeMedia: boolean) => receive({ storeMedia });
    // @ts-expect-error one of two values has no action
    (stored: boolean) => receive(stored ? { action: "/fax" } : { storeMedia: false });
    const attributes = { storeMedia: false } as const;
    // @ts-expect-error a variable of an inferred type is checked as well
    receive(attributes);
    // @ts-expect-error the class takes what the function takes
    new FaxResponse().receive({ storeMedia: false });
  });

  it("takes storeMedia: false where they arrive", () => {
    receive({ storeMedia: false, action: "/fax" });
    receive({ storeMedia: false, action: "/fax", method: "POST" });
    receive({ storeMedia: false, action: "/fax", method: undefined });
    receive({ storeMedia: false, action: "/fax", method: null });
    (storeMedia: boolean) => receive({ storeMedia, action: "/fax" });
    (storeMedia: boolean, pageSize: PageSize) => receive({ action: "/fax", method: "POST", storeMedia, pageSize });
    (storeMedia: true | undefined) => receive({ storeMedia, method: "GET" });
  });

  it("takes unchecked attributes, of text alone", () => {
    receive({}, {});
    receive({}, { unchecked: {} });
    receive({}, { unchecked: { later: "1" } });
    receive({}, { unchecked: undefined });
    expectTypeOf<ReceiveOptions["unchecked"]>().toEqualTypeOf<Readonly<Record<string, string>> | undefined>();
    // @ts-expect-error a number is not text
    receive({}, { unchecked: { later: 1 } });
    // @ts-expect-error a boolean is not text
    receive({}, { unchecked: { later: true } });
    // @ts-expect-error the option is "unchecked"
    receive({}, { uncheked: { later: "1" } });
    // @ts-expect-error the names stand in { unchecked }
    receive({}, { later: "1" });
    // @ts-expect-error a list of names has no values
    receive({}, { unchecked: ["later"] });
  });
});

describe("a verb", () => {
  it("is told apart by its name", () => {
    expectTypeOf<Verb>().toEqualTypeOf<Receive | Reject>();
    expectTypeOf<Verb["verb"]>().toEqualTypeOf<"Receive" | "Reject">();
    (verb: Verb) => (verb.verb === "Receive" ? verb.attributes.action : undefined) satisfies string | undefined;
    // @ts-expect-error <Reject> has no attributes
    (verb: Reject) => verb.attributes;
  });

  it("has its attributes as they are written", () => {
    const { attributes, unchecked } = receive();
    expectTypeOf(attributes.action).toEqualTypeOf<string | undefined>();
    expectTypeOf(attributes.method).toEqualTypeOf<HttpMethod | undefined>();
    expectTypeOf(attributes.mediaType).toEqualTypeOf<MediaType | undefined>();
    expectTypeOf(attributes.pageSize).toEqualTypeOf<PageSize | undefined>();
    expectTypeOf(attributes.storeMedia).toEqualTypeOf<boolean | undefined>();
    expectTypeOf(unchecked).toEqualTypeOf<Readonly<Record<string, string>> | undefined>();
    (verb: Receive) => receive(verb.attributes);
  });

  it("is read-only, like all in it", () => {
    // @ts-expect-error the verb is read-only
    (verb: Receive) => (verb.verb = "Receive");
    // @ts-expect-error the verb is read-only
    (verb: Reject) => (verb.verb = "Reject");
    // @ts-expect-error the attributes are read-only
    (verb: Receive) => (verb.attributes = {});
    // @ts-expect-error every attribute is read-only
    (verb: Receive) => (verb.attributes.action = "/fax");
    // @ts-expect-error every attribute is read-only
    (verb: Receive) => (verb.attributes.pageSize = "a4");
    // @ts-expect-error the unchecked attributes are read-only
    (verb: Receive) => (verb.unchecked = {});
    // @ts-expect-error every unchecked attribute is read-only
    (verb: Receive) => (verb.unchecked!["later"] = "1");
  });
});

describe("reject", () => {
  it("takes no arguments", () => {
    expectTypeOf(reject).parameters.toEqualTypeOf<[]>();
    expectTypeOf(reject()).toEqualTypeOf<Reject>();
    // @ts-expect-error <Reject> has no attributes
    () => reject({ reason: "busy" });
    // @ts-expect-error not even an empty object
    () => reject({});
    // @ts-expect-error the class takes what the function takes
    () => new FaxResponse().reject({ reason: "busy" });
  });
});

describe("toTwiml", () => {
  it("takes a verb, plain data of its shape, or nothing", () => {
    expectTypeOf(toTwiml()).toEqualTypeOf<string>();
    toTwiml(undefined);
    toTwiml(receive());
    toTwiml(reject());
    toTwiml({ verb: "Reject" });
    toTwiml({ verb: "Receive", attributes: { action: "/fax", pageSize: "a4" } });
    toTwiml({ verb: "Receive", attributes: {}, unchecked: { later: "1" } });
    (verb: Verb | undefined) => toTwiml(verb);
  });

  it("refuses everything else", () => {
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
    // @ts-expect-error the attributes stand in { attributes }
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
    // @ts-expect-error any object is too wide
    (verb: object) => toTwiml(verb);
    // @ts-expect-error any record is too wide
    (verb: Record<string, unknown>) => toTwiml(verb);
  });
});

describe("FaxResponse", () => {
  it("returns itself from what adds something", () => {
    expectTypeOf(new FaxResponse().receive()).toEqualTypeOf<FaxResponse>();
    expectTypeOf(new FaxResponse().reject()).toEqualTypeOf<FaxResponse>();
    expectTypeOf(new FaxResponse().comment("a")).toEqualTypeOf<FaxResponse>();
    expectTypeOf(new FaxResponse(reject()).verb).toEqualTypeOf<Verb | undefined>();
    expectTypeOf(new FaxResponse().toString()).toEqualTypeOf<string>();
  });

  it("refuses what it would throw for", () => {
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
  it("carries its identity in read-only properties", () => {
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
