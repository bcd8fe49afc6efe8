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

/** Checked and never run: only the types count. */
declare const fax: FaxRequest;
declare const callback: FaxCallback;
declare const error: FaxRequestError;

describe("FaxStatus", () => {
  it("takes every text, because providers add some", () => {
    expectTypeOf<string>().toExtend<FaxStatus>();
    expectTypeOf<"paused">().toExtend<FaxStatus>();
    expectTypeOf<FaxStatus>().toExtend<string>();
    expectTypeOf<undefined>().not.toExtend<FaxStatus>();
    expectTypeOf<number>().not.toExtend<FaxStatus>();
  });

  it("still completes the known ones: it has not collapsed to string", () => {
    expectTypeOf<Same<FaxStatus, string>>().toEqualTypeOf<false>();
    // Of a collapsed union Extract would leave nothing.
    expectTypeOf<Extract<FaxStatus, KnownStatus>>().toEqualTypeOf<KnownStatus>();
    expectTypeOf<(typeof FAX_STATUSES)[number]>().toEqualTypeOf<KnownStatus>();
  });

  it("compares with known and unknown statuses", () => {
    (status: FaxStatus) => status === "received" || status === "something a provider added";
    // @ts-expect-error a status is no number
    (status: FaxStatus) => status === 5;
  });

  it("comes from a tuple that cannot be changed", () => {
    expectTypeOf(FAX_STATUSES).toExtend<readonly string[]>();
    expectTypeOf(FAX_STATUSES.length).toEqualTypeOf<10>();
    // @ts-expect-error a readonly tuple has no push
    () => FAX_STATUSES.push("paused");
    // @ts-expect-error its elements are readonly
    () => (FAX_STATUSES[0] = "queued");
  });
});

describe("FaxRequest", () => {
  it("is what parseFaxRequest gives", () => {
    expectTypeOf(parseFaxRequest).toExtend<(source: FaxParamSource) => FaxRequest>();
    expectTypeOf(parseFaxRequest).returns.toEqualTypeOf<FaxRequest>();
  });

  it("has five texts and params, none of them optional, all read-only", () => {
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
        }
      >
    >().toEqualTypeOf<true>();
    expectTypeOf<OptionalKeys<FaxRequest>>().toEqualTypeOf<never>();
  });

  it("cannot be changed", () => {
    // @ts-expect-error read-only
    () => (fax.faxSid = "FX2");
    // @ts-expect-error read-only
    () => (fax.params = {});
    // @ts-expect-error params is read-only
    () => (fax.params["To"] = "x");
    // @ts-expect-error params is read-only
    () => delete fax.params["To"];
  });

  it("says that any name may be absent from params, under noUncheckedIndexedAccess", () => {
    expectTypeOf(() => fax.params["Trunk"]).returns.toEqualTypeOf<string | undefined>();
  });

  it("has nothing of a callback", () => {
    // @ts-expect-error only callbacks have a status
    () => fax.faxStatus;
    expectTypeOf<FaxRequest>().not.toExtend<FaxCallback>();
  });
});

describe("FaxCallback", () => {
  it("is what parseFaxCallback gives, and has all that a FaxRequest has but its kind", () => {
    expectTypeOf(parseFaxCallback).returns.toEqualTypeOf<FaxCallback>();
    expectTypeOf<FaxCallback>().toExtend<Omit<FaxRequest, "kind">>();
    expectTypeOf<FaxCallback>().not.toExtend<FaxRequest>();
  });

  it("has these properties beside the request's, read-only; all but the status optional", () => {
    type Own = Omit<FaxCallback, keyof FaxRequest>;
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
    expectTypeOf<OptionalKeys<FaxCallback>>().toEqualTypeOf<
      | "remoteStationId"
      | "numPages"
      | "mediaUrl"
      | "mediaSid"
      | "originalMediaUrl"
      | "errorCode"
      | "errorMessage"
      | "timestamp"
      | "media"
    >();
  });

  it("is absent or a value, never undefined, under exactOptionalPropertyTypes", () => {
    // @ts-expect-error an absent property is left out
    () => ({ ...callback, numPages: undefined }) satisfies FaxCallback;
    expectTypeOf(() => callback.numPages).returns.toEqualTypeOf<number | undefined>();
  });

  it("cannot be changed", () => {
    // @ts-expect-error read-only
    () => (callback.faxStatus = "failed");
    // @ts-expect-error read-only
    () => (callback.numPages = 2);
    // @ts-expect-error read-only
    () => delete callback.media;
  });
});

describe("FaxParamSource", () => {
  it("takes text, pairs and body parsers' objects, without a cast", () => {
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

  it("takes what Express says of req.body and req.query: any, and nested records", () => {
    interface ParsedQs {
      [key: string]: undefined | string | ParsedQs | (string | ParsedQs)[];
    }
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    (req: { body: any; query: ParsedQs }) => [parseFaxRequest(req.body), parseFaxRequest(req.query)];
  });

  it("takes nothing that cannot be a source", () => {
    // @ts-expect-error a body that may be absent has to be looked at
    (body: string | undefined) => parseFaxRequest(body);
    // @ts-expect-error null is no source
    () => parseFaxRequest(null);
    // @ts-expect-error a number is no source
    () => parseFaxRequest(5);
    // @ts-expect-error a source is needed
    () => parseFaxRequest();
    // @ts-expect-error unknown has to be looked at
    (body: unknown) => parseFaxCallback(body);
    // @ts-expect-error undefined is no source
    () => parseFaxCallback(undefined);
  });
});

describe("FaxMedia", () => {
  it("is a File or a Blob, by structure", () => {
    expectTypeOf<File>().toExtend<FaxMedia>();
    expectTypeOf<Blob>().toExtend<FaxMedia>();
    expectTypeOf<OptionalKeys<FaxMedia>>().toEqualTypeOf<"name">();
    expectTypeOf<FaxMedia["arrayBuffer"]>().returns.resolves.toEqualTypeOf<ArrayBuffer>();
  });
});

describe("FaxRequestError", () => {
  it("is an Error with a literal name and code", () => {
    expectTypeOf<FaxRequestError>().toExtend<Error>();
    expectTypeOf<FaxRequestError["name"]>().toEqualTypeOf<"FaxRequestError">();
    expectTypeOf<FaxRequestError["code"]>().toEqualTypeOf<"invalid-parameters">();
  });

  it("has issues that cannot be changed", () => {
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
    // @ts-expect-error no such code
    () => error.issues[0]?.code === "wrong";
  });
});

describe("parseFax", () => {
  it("is narrowed by kind, and a switch over it is exhaustive", () => {
    const told = (fax: ReturnType<typeof parseFax>): string => {
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
    expectTypeOf(told).returns.toEqualTypeOf<string>();
  });

  it("keeps the status open, and completes the known ones", () => {
    expectTypeOf<"received">().toExtend<FaxStatus>();
    expectTypeOf<"something-new">().toExtend<FaxStatus>();
    expectTypeOf<FaxStatus>().not.toEqualTypeOf<string>();
  });

  it("takes no promise, request, URL or stream", () => {
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
