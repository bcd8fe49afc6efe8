/** What the two providers do differently. */

/** Which provider is played. */
export type Flavor = "signalwire" | "twilio";

/** The rules of a provider. */
export interface FlavorRules {
  readonly signatureHeader: string;
  readonly userAgent: string;
  /** How it waits for answers, and what it repeats, at a URL with this fragment. */
  readonly limits: (fragment: URLSearchParams) => Limits;
  readonly maxRedirects: number;
  /** Its number for an answer of 4xx or 5xx. */
  readonly statusError: number;
  readonly faxSid: () => string;
  readonly accountSid: () => string;
  /** What it adds to the headers of a request and of all its retries. */
  readonly headers: () => Record<string, string>;
  /** What it adds to every callback. */
  readonly callbackParams: (now: Date) => Record<string, string>;
  /** What it adds for pages that it keeps. */
  readonly mediaParams: (mediaName: string) => Record<string, string>;
}

/** A way for a request to fail: no connection, no answer in time, or a status. */
export type Failure = "ct" | "rt" | "4xx" | "5xx";

/** The patience of a provider. */
export interface Limits {
  /** Milliseconds for one answer. */
  readonly readMs: number;
  /** Milliseconds for a request with its redirects and retries. */
  readonly totalMs: number;
  readonly retries: number;
  readonly retried: readonly (Failure | "all")[];
}

/**
 * https://developer.signalwire.com/compatibility-api/guides/webhook-security. It repeats status callbacks alone, and
 * does not say whether an `action` is one: nobody may rely on it, so it is not repeated here. The units of its
 * overrides (`#ot`, `#rt`, `#tt`) are not documented, so they are left alone.
 */
const SIGNALWIRE: FlavorRules = {
  signatureHeader: "x-signalwire-signature",
  userAgent: "twiml-fax/testing (signalwire)",
  limits: () => ({ readMs: 5_000, totalMs: Infinity, retries: 0, retried: [] }),
  maxRedirects: 3,
  statusError: 11217,
  faxSid: () => crypto.randomUUID(),
  accountSid: () => crypto.randomUUID(),
  headers: () => ({}),
  callbackParams: (now) => ({ Timestamp: now.toISOString().replace(/\.\d+Z$/, "Z") }),
  mediaParams: (name) => ({ MediaSid: crypto.randomUUID(), MediaUrl: `https://files.signalwire.com/${name}` }),
};

/** https://www.twilio.com/docs/usage/webhooks. Its pages name no number of redirects. */
const TWILIO: FlavorRules = {
  signatureHeader: "x-twilio-signature",
  userAgent: "twiml-fax/testing (twilio)",
  limits: parseTwilioOverrides,
  maxRedirects: 10,
  statusError: 11200,
  faxSid: () => `FX${randomHex()}`,
  accountSid: () => `AC${randomHex()}`,
  headers: () => ({ "i-twilio-idempotency-token": crypto.randomUUID() }),
  callbackParams: () => ({}),
  mediaParams: (name) => ({ MediaUrl: `https://media.twiliocdn.com/fax/${name}` }),
};

export const FLAVORS: Readonly<Record<Flavor, FlavorRules>> = { signalwire: SIGNALWIRE, twilio: TWILIO };

/** https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides; what is out of bounds counts as absent. */
function parseTwilioOverrides(fragment: URLSearchParams): Limits {
  const within = (name: string, least: number, most: number, usual: number): number => {
    const value = Number(fragment.get(name) ?? usual);
    return Number.isInteger(value) && value >= least && value <= most ? value : usual;
  };
  return {
    readMs: within("rt", 100, 15_000, 15_000),
    totalMs: within("tt", 100, 15_000, 15_000),
    retries: within("rc", 0, 5, 1),
    retried: (fragment.get("rp") ?? "ct").split(",") as Limits["retried"],
  };
}

/** 32 hexadecimal digits. */
function randomHex(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
