/** What the two providers do differently. */

/** Which provider is played. */
export type Flavor = "signalwire" | "twilio";

/** The rules of a provider. */
export interface FlavorRules {
  readonly signatureHeader: string;
  /** How long it waits for an answer, in milliseconds. */
  readonly readMs: number;
  readonly maxRedirects: number;
  /** Its number for an answer of 4xx or 5xx. */
  readonly statusError: number;
  readonly userAgent: string;
  readonly faxSid: () => string;
  readonly accountSid: () => string;
  /** What it adds to every callback. */
  readonly callbackParams: (now: Date) => Record<string, string>;
  /** What it adds for pages that it keeps. */
  readonly mediaParams: (mediaName: string) => Record<string, string>;
}

/**
 * https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides and
 * https://developer.signalwire.com/compatibility-api/guides/webhook-security. Twilio's pages name no number of
 * redirects.
 */
export const FLAVORS: Readonly<Record<Flavor, FlavorRules>> = {
  signalwire: {
    signatureHeader: "x-signalwire-signature",
    readMs: 5_000,
    maxRedirects: 3,
    statusError: 11217,
    userAgent: "twiml-fax/testing (signalwire)",
    faxSid: () => crypto.randomUUID(),
    accountSid: () => crypto.randomUUID(),
    callbackParams: (now) => ({ Timestamp: now.toISOString().replace(/\.\d+Z$/, "Z") }),
    mediaParams: (name) => ({ MediaSid: crypto.randomUUID(), MediaUrl: `https://files.signalwire.com/${name}` }),
  },
  twilio: {
    signatureHeader: "x-twilio-signature",
    readMs: 15_000,
    maxRedirects: 10,
    statusError: 11200,
    userAgent: "twiml-fax/testing (twilio)",
    faxSid: () => `FX${hex()}`,
    accountSid: () => `AC${hex()}`,
    callbackParams: () => ({}),
    mediaParams: (name) => ({ MediaUrl: `https://media.twiliocdn.com/fax/${name}` }),
  },
};

/** 32 hexadecimal digits. */
function hex(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
