import { describe, expectTypeOf, it } from "vitest";
import {
  FAX_STATUSES,
  type FaxCallback,
  type FaxMedia,
  type FaxParamSource,
  type FaxRequest,
  FaxRequestError,
  type FaxRequestIssue,
  type FaxStatus,
  parseFax,
  parseFaxCallback,
  parseFaxRequest,
} from "../../src/index.js";

/** The optional properties of a type. */
type OptionalKeys<T> = { [Key in keyof T]-?: object extends Pick<T, Key> ? Key : never }[keyof T];
/** True for exactly equal types, `readonly` and `?` included. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type KnownStatus =
  | "queued"
  | "processing"
  | "sending"
  | "delivered"
  | "receiving"
  | "received"
  | "no-answer"
  | "busy"
  | "failed"
  | "canceled";

/** Only their types are used. */
declare const fax: FaxRequest;
declare const callback: FaxCallback;
declare const error: FaxRequestError;

describe("FaxStatus", () => {
  it("FaxStatus accepts every text, because providers add statuses", () => {
    expectTypeOf<string>().toExtend<FaxStatus>();
    expectTypeOf<FaxStatus>().toExtend<string>();
    expectTypeOf<undefined>().not.toExtend<FaxStatus>();
    expectTypeOf<number>().not.toExtend<FaxStatus>();
  });

  it("FaxStatus is not only string, so that editors suggest the known statuses", () => {
    expectTypeOf<Same<FaxStatus, string>>().toEqualTypeOf<false>();
    // Extract returns never for string.
    expectTypeOf<Extract<FaxStatus, KnownStatus>>().toEqualTypeOf<KnownStatus>();
    expectTypeOf<(typeof FAX_STATUSES)[number]>().toEqualTypeOf<KnownStatus>();
  });

  it("FaxStatus can be compared with known and unknown statuses, and with no number", () => {
    (status: FaxStatus) => status === "received" || status === "something a provider added";
    // @ts-expect-error a status is not a number
    (status: FaxStatus) => status === 5;
  });

  it("FAX_STATUSES is a readonly tuple", () => {
    expectTypeOf(FAX_STATUSES).toExtend<readonly string[]>();
    expectTypeOf(FAX_STATUSES.length).toEqualTypeOf<10>();
    // @ts-expect-error a readonly tuple has no push
    () => FAX_STATUSES.push("paused");
    // @ts-expect-error its elements are readonly
    () => (FAX_STATUSES[0] = "queued");
  });
});

describe("FaxRequest", () => {
  it("FaxRequest is the result of parseFaxRequest", () => {
    expectTypeOf(parseFaxRequest).toExtend<(source: FaxParamSource) => FaxRequest>();
    expectTypeOf(parseFaxRequest).returns.toEqualTypeOf<FaxRequest>();
  });

  it("FaxRequest has exactly these properties, all required and read-only", () => {
    expectTypeOf<
      Same<
        { [Key in keyof FaxRequest]: FaxRequest[Key] },
        {
          readonly kind: "request";
          readonly faxSid: string;
          readonly accountSid: string;
          readonly from: string;
          readonly to: string;
          readonly apiVersion: string;
          readonly params: Readonly<Record<string, string>>;
          readonly issues: readonly FaxRequestIssue[];
          readonly errorCode?: string;
          readonly errorUrl?: string;
        }
      >
    >().toEqualTypeOf<true>();
  });

  it("params can lack any name, with noUncheckedIndexedAccess", () => {
    expectTypeOf(() => fax.params["Trunk"]).returns.toEqualTypeOf<string | undefined>();
  });

  it("FaxRequest has no properties of a callback", () => {
    // @ts-expect-error only callbacks have a status
    () => fax.faxStatus;
    expectTypeOf<FaxRequest>().not.toExtend<FaxCallback>();
  });
});

describe("FaxCallback", () => {
  it("FaxCallback is the result of parseFaxCallback, and has most properties of FaxRequest", () => {
    expectTypeOf(parseFaxCallback).returns.toEqualTypeOf<FaxCallback>();
    expectTypeOf<FaxCallback>().toExtend<Omit<FaxRequest, "kind" | "errorUrl">>();
    expectTypeOf<FaxCallback>().not.toExtend<FaxRequest>();
  });

  it("FaxCallback also has exactly these properties, read-only; all except faxStatus are optional", () => {
    type Own = Omit<FaxCallback, Exclude<keyof FaxRequest, "errorCode">>;
    expectTypeOf<
      Same<
        { [Key in keyof Own]: Own[Key] },
        {
          readonly faxStatus: FaxStatus;
          readonly remoteStationId?: string;
          readonly numPages?: number;
          readonly mediaUrl?: string;
          readonly mediaSid?: string;
          readonly originalMediaUrl?: string;
          readonly errorCode?: string;
          readonly errorMessage?: string;
          readonly timestamp?: Date;
          readonly media?: FaxMedia;
        }
      >
    >().toEqualTypeOf<true>();
  });

  it("an optional property of FaxCallback is never undefined, with exactOptionalPropertyTypes", () => {
    // @ts-expect-error an absent property has to be omitted
    () => ({ ...callback, numPages: undefined }) satisfies FaxCallback;
    expectTypeOf(() => callback.numPages).returns.toEqualTypeOf<number | undefined>();
  });
});

describe("FaxParamSource", () => {
  it("FaxParamSource accepts text, pairs and body parsers' objects", () => {
    (body: string) => parseFaxRequest(body);
    (search: URLSearchParams) => parseFaxRequest(search);
    (url: URL) => parseFaxRequest(url.searchParams);
    async (request: Request) => [parseFaxRequest(await request.text()), parseFaxCallback(await request.formData())];
    (form: FormData) => parseFaxRequest(form);
    (map: Map<string, string>) => parseFaxRequest(map);
    (map: ReadonlyMap<string, unknown>) => parseFaxRequest(map);
    (pairs: [string, string][]) => parseFaxRequest(pairs);
    (pairs: readonly (readonly [string, string])[]) => parseFaxRequest(pairs);
    (pairs: Generator<[string, string]>) => parseFaxRequest(pairs);
    (record: Record<string, string>) => parseFaxRequest(record);
    (record: Readonly<Record<string, unknown>>) => parseFaxRequest(record);
    (body: { FaxSid: string; To?: string }) => parseFaxRequest(body);
    (query: NodeJS.Dict<string | string[]>) => parseFaxRequest(query);
    (query: import("node:querystring").ParsedUrlQuery) => parseFaxRequest(query);
  });

  it("FaxParamSource accepts the types of req.body and req.query in Express", () => {
    interface ParsedQs {
      [key: string]: undefined | string | ParsedQs | (string | ParsedQs)[];
    }
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    (req: { body: any; query: ParsedQs }) => [parseFaxRequest(req.body), parseFaxRequest(req.query)];
  });

  it("FaxParamSource rejects undefined, null, numbers and unknown", () => {
    // @ts-expect-error a body that can be undefined has to be checked first
    (body: string | undefined) => parseFaxRequest(body);
    // @ts-expect-error null is not a source
    () => parseFaxRequest(null);
    // @ts-expect-error a number is not a source
    () => parseFaxRequest(5);
    // @ts-expect-error the source is required
    () => parseFaxRequest();
    // @ts-expect-error unknown has to be checked first
    (body: unknown) => parseFaxCallback(body);
  });
});

describe("FaxMedia", () => {
  it("File and Blob are assignable to FaxMedia", () => {
    expectTypeOf<File>().toExtend<FaxMedia>();
    expectTypeOf<Blob>().toExtend<FaxMedia>();
    expectTypeOf<OptionalKeys<FaxMedia>>().toEqualTypeOf<"name">();
    expectTypeOf<FaxMedia["arrayBuffer"]>().returns.resolves.toEqualTypeOf<ArrayBuffer>();
  });
});

describe("FaxRequestError", () => {
  it("FaxRequestError is an Error with a literal name and code", () => {
    expectTypeOf<FaxRequestError>().toExtend<Error>();
    expectTypeOf<FaxRequestError["name"]>().toEqualTypeOf<"FaxRequestError">();
    expectTypeOf<FaxRequestError["code"]>().toEqualTypeOf<"invalid-parameters">();
  });

  it("FaxRequestError has read-only issues", () => {
    expectTypeOf<FaxRequestError["issues"]>().toEqualTypeOf<readonly FaxRequestIssue[]>();
    expectTypeOf<
      Same<
        { [Key in keyof FaxRequestIssue]: FaxRequestIssue[Key] },
        {
          readonly parameter: string;
          readonly code: "missing" | "empty" | "repeated" | "not-text" | "invalid";
          readonly message: string;
        }
      >
    >().toEqualTypeOf<true>();
    // @ts-expect-error read-only
    () => (error.issues = []);
    // @ts-expect-error a readonly array has no push
    () => error.issues.push({ parameter: "To", code: "missing", message: "" });
    // @ts-expect-error "wrong" is not a code
    () => error.issues[0]?.code === "wrong";
  });
});

describe("parseFax", () => {
  it("the result of parseFax is narrowed by kind, and a switch over kind is exhaustive", () => {
    const describeFax = (fax: ReturnType<typeof parseFax>): string => {
      switch (fax.kind) {
        case "request":
          expectTypeOf(fax).toEqualTypeOf<FaxRequest>();
          return fax.from;
        case "callback":
          expectTypeOf(fax).toEqualTypeOf<FaxCallback>();
          return fax.faxStatus;
        default:
          expectTypeOf(fax).toEqualTypeOf<never>();
          return fax;
      }
    };
    expectTypeOf(describeFax).returns.toEqualTypeOf<string>();
  });

  it("parseFax rejects a promise, a Request, a URL and a stream", () => {
    // @ts-expect-error an await is missing
    () => parseFax(Promise.resolve("FaxSid=FX1"));
    // @ts-expect-error its text() is the source
    () => parseFax(new Request("https://x.example"));
    // @ts-expect-error its searchParams are the source
    () => parseFax(new URL("https://x.example"));
    // @ts-expect-error its body is the source
    () => parseFax(process.stdin);
  });
});
