/** The flavors: a table of everything in which the imitated providers differ. */
import { SIGNALWIRE_SIGNATURE, TWILIO_SIGNATURE } from "../webhook/signature.js";

/** The imitated provider. */
export type Flavor = "signalwire" | "twilio";

/** The rules of one provider: a row of the table. */
export interface FlavorRules {
  readonly signatureHeader: typeof SIGNALWIRE_SIGNATURE | typeof TWILIO_SIGNATURE;
  readonly userAgent: string;
  /** The limits for a URL with this fragment. */
  readonly limits: (fragment: URLSearchParams) => Limits;
  readonly maxRedirects: number;
  readonly errorCodes: ErrorCodes;
  readonly faxSid: () => string;
  readonly accountSid: () => string;
  /** Additional headers of a request, the same for all its retries. */
  readonly headers: () => Record<string, string>;
  /** Additional parameters of every callback. */
  readonly callbackParams: (now: Date) => Record<string, string>;
  /** Additional parameters of a callback whose pages the provider stores. */
  readonly mediaParams: (mediaName: string) => Record<string, string>;
}

/** Why a request failed: no connection (`ct`), no response in time (`rt`), or its status. */
export type Failure = "ct" | "rt" | "4xx" | "5xx";

/** Timeouts and retries. */
export interface Limits {
  /** Milliseconds for one response. */
  readonly readMs: number;
  /** Milliseconds for a request with its redirects and retries. */
  readonly totalMs: number;
  readonly retries: number;
  readonly retried: readonly (Failure | "all")[];
}

/** The provider's error numbers. */
export interface ErrorCodes {
  readonly noResponse: number;
  readonly connection: number;
  readonly unknownHost: number;
  readonly certificate: number;
  readonly tooManyRedirects: number;
  /** For a status of 4xx or 5xx. */
  readonly status: number;
  /** For a status that is neither 200 nor an error. */
  readonly otherStatus: number;
  readonly tooLarge: number;
  readonly contentType: number;
  readonly notUtf8: number;
  readonly noVerb: number;
}

/** https://www.twilio.com/docs/api/errors */
const TWILIO_ERROR_CODES: ErrorCodes = {
  noResponse: 11200,
  connection: 11205,
  unknownHost: 11210,
  certificate: 11220,
  tooManyRedirects: 11215,
  status: 11200,
  otherStatus: 11200,
  tooLarge: 11750,
  contentType: 12300,
  notUtf8: 12100,
  noVerb: 34106,
};

export const FLAVORS: Readonly<Record<Flavor, FlavorRules>> = {
  /**
   * https://developer.signalwire.com/compatibility-api/guides/webhook-security. SignalWire retries only status
   * callbacks, and does not document whether an `action` is one. Servers cannot rely on a retry, so there is none here.
   */
  signalwire: {
    signatureHeader: SIGNALWIRE_SIGNATURE,
    userAgent: "twiml-fax/testing (signalwire)",
    limits: (fragment) => ({ ...parseTimeouts(fragment, 5_000), retries: 0, retried: [] }),
    maxRedirects: 3,
    errorCodes: { ...TWILIO_ERROR_CODES, status: 11217 },
    faxSid: () => crypto.randomUUID(),
    accountSid: () => crypto.randomUUID(),
    headers: () => ({}),
    callbackParams: (now) => ({ Timestamp: now.toISOString().replace(/\.\d+/, "") }),
    mediaParams: (name) => ({ MediaSid: crypto.randomUUID(), MediaUrl: `https://files.signalwire.com/${name}` }),
  },
  /** https://www.twilio.com/docs/usage/webhooks. No redirect limit is documented. */
  twilio: {
    signatureHeader: TWILIO_SIGNATURE,
    userAgent: "twiml-fax/testing (twilio)",
    limits: parseTwilioOverrides,
    maxRedirects: 10,
    errorCodes: TWILIO_ERROR_CODES,
    faxSid: () => `FX${randomHex()}`,
    accountSid: () => `AC${randomHex()}`,
    headers: () => ({ "i-twilio-idempotency-token": crypto.randomUUID() }),
    callbackParams: () => ({}),
    mediaParams: (name) => ({ MediaUrl: `https://media.twiliocdn.com/fax/${name}` }),
  },
};

/** https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides. Values out of range are ignored. */
function parseTwilioOverrides(fragment: URLSearchParams): Limits {
  return {
    ...parseTimeouts(fragment, 15_000),
    retries: parseIntOverride(fragment, "rc", { min: 0, max: 5, default: 1 }),
    retried: (fragment.get("rp") ?? "ct").split(",") as Limits["retried"],
  };
}

/**
 * The limits that both flavors have, in milliseconds. Those to connect (`ct`, `ot`) are ignored, because `fetch` does
 * not say when a connection is established.
 */
function parseTimeouts(fragment: URLSearchParams, readMs: number): Pick<Limits, "readMs" | "totalMs"> {
  return {
    readMs: parseIntOverride(fragment, "rt", { min: 100, max: 15_000, default: readMs }),
    totalMs: parseIntOverride(fragment, "tt", { min: 100, max: 15_000, default: 15_000 }),
  };
}

function parseIntOverride(
  fragment: URLSearchParams,
  name: string,
  range: { readonly min: number; readonly max: number; readonly default: number },
): number {
  const value = Number(fragment.get(name) ?? range.default);
  return Number.isInteger(value) && value >= range.min && value <= range.max ? value : range.default;
}

/** 32 hexadecimal digits. */
function randomHex(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
