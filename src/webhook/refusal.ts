/** The refusals: the reasons with their statuses and messages, and the error that refuses a request. */
import type { FaxRequestError } from "../shared/errors.js";

/** Every reason with its HTTP status, and its message if there is no hint. */
export const REFUSALS = {
  "method-not-allowed": [405, "Providers use GET and POST, so the request is probably not from a provider."],
  "missing-signature": [
    403,
    "The request has no X-Twilio-Signature or X-SignalWire-Signature header. It is not from a provider, or a proxy " +
      "removes the header.",
  ],
  "signature-mismatch": [
    403,
    "The signature matches none of the tried URLs (`urls`). Set publicUrl to the URL configured at the provider. If " +
      "it is one of them, check authToken (SignalWire: the signing key), and whether a proxy or middleware changes " +
      "the body.",
  ],
  "no-token": [
    403,
    "authToken returned no token for this AccountSid. If the account is yours, is the environment variable set?",
  ],
  "no-handler": [404, "A new fax was received. Set onFax to answer new faxes."],
  "missing-body": [400, "The body is empty or was already read. Mount the webhook before middleware that reads it."],
  "unreadable-body": [
    400,
    "The body ended early: the connection was lost, or other middleware read the stream. See `error`.",
  ],
  "invalid-parameters": [400, "The parameters are invalid. See `error.issues`."],
  "too-large": [
    413,
    "The body exceeds maxFormBytes or maxMediaBytes, or has more than 1,000 parameters. Raise the option.",
  ],
  "unsupported-media-type": [
    415,
    "The body is compressed, or its Content-Type is not application/x-www-form-urlencoded. To receive multipart " +
      "callbacks (storeMedia: false), set maxMediaBytes.",
  ],
} as const;

/** Why a request was refused. */
export type RefusalReason = keyof typeof REFUSALS;

/** The fields of every refusal. */
interface RefusalBase {
  /** Why the request was refused. */
  readonly reason: RefusalReason;
  /** HTTP status of the reply. */
  readonly status: number;
  /** The cause and the fix. */
  readonly message: string;
}

/** The additional fields, by reason. */
type RefusalDetails =
  | {
      readonly reason: "signature-mismatch";
      /**
       * For `signature-mismatch`: the URLs that were tried. At most 8, each with at most 200 characters of ASCII,
       * without passwords and without the values of the provider's parameters.
       */
      readonly urls: readonly string[];
      readonly error?: undefined;
    }
  | {
      readonly reason: "invalid-parameters";
      /** For `invalid-parameters`: the `FaxRequestError` with all issues. */
      readonly error: FaxRequestError;
      readonly urls?: undefined;
    }
  | {
      readonly reason: "unreadable-body";
      /** For `unreadable-body`: the error that was thrown while the body was read. */
      readonly error: unknown;
      readonly urls?: undefined;
    }
  | {
      readonly reason: Exclude<RefusalReason, "signature-mismatch" | "invalid-parameters" | "unreadable-body">;
      readonly urls?: undefined;
      readonly error?: undefined;
    };

/**
 * A refused request, for your logs. The client only gets the status and the reason, or `forbidden` for a 403. The
 * additional fields depend on the `reason`.
 */
export type Refusal = RefusalBase & RefusalDetails;

/** Refuses the request. Any step throws it, and `handleRequest` catches it. The hint replaces the reason's message. */
export class RefusedError extends Error {
  constructor(
    readonly details: RefusalDetails,
    readonly hint?: string,
  ) {
    super(hint ?? details.reason);
  }

  get refusal(): Refusal {
    const [status, message] = REFUSALS[this.details.reason];
    return { status, message: this.hint ?? message, ...this.details };
  }
}

/** Refuses a body that was received, but cannot be used. */
export function unreadableBodyError(message: string): RefusedError {
  return new RefusedError({ reason: "unreadable-body", error: new Error(message) }, message);
}

/** Writes to the console. Ignores an error of the console, which must not change a response. */
export function log(level: "warn" | "error", value: unknown): void {
  try {
    console[level](value);
  } catch {
    // There is no other place to report it.
  }
}
