/** The refusals: every reason with its status and message, and the error that a step throws. */
import type { FaxRequestError } from "../shared/errors.js";

/** Every reason, with its HTTP status and the message that applies unless a hint is known. */
export const REFUSALS = {
  "method-not-allowed": [405, "Providers send GET or POST: this is probably somebody else."],
  "missing-signature": [
    403,
    "There is no X-Twilio-Signature or X-SignalWire-Signature header: this is not a provider, or a proxy dropped it.",
  ],
  "signature-mismatch": [
    403,
    "Compare `urls` with the URL at the provider, to the letter. None is equal: set publicUrl. One is: check " +
      "authToken (SignalWire: the signing key), or whether something changes the body on its way.",
  ],
  "no-token": [403, "authToken gave no token for this AccountSid: an unknown account, or one that is missing there."],
  "no-handler": [404, "Give onFax to decide on new faxes: a new fax came, and there is only onCallback."],
  "missing-body": [400, "Mount the webhook before whatever reads the body: it is empty, or was read before."],
  "unreadable-body": [400, "The body is not what its Content-Type says, or did not come to its end: see `error`."],
  "invalid-parameters": [400, "The parameters cannot be read: see `error.issues`."],
  "too-large": [413, "The body is larger than maxFormBytes or maxMediaBytes, or has more than 1,000 parameters."],
  "unsupported-media-type": [
    415,
    "Providers send application/x-www-form-urlencoded, not compressed. For the multipart/form-data that " +
      "storeMedia: false asks for, set maxMediaBytes.",
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
  /** The cause, and how to fix it. */
  readonly message: string;
}

/** The additional fields, by reason. */
type RefusalDetails =
  | {
      readonly reason: "signature-mismatch";
      /** The URLs that were tried: at most 8, each at most 200 characters of ASCII, without passwords. */
      readonly urls: readonly string[];
      readonly error?: undefined;
    }
  | {
      readonly reason: "invalid-parameters";
      /** All issues of the parameters. */
      readonly error: FaxRequestError;
      readonly urls?: undefined;
    }
  | {
      readonly reason: "unreadable-body";
      /** The error that was thrown while the body was read. */
      readonly error: unknown;
      readonly urls?: undefined;
    }
  | {
      readonly reason: Exclude<RefusalReason, "signature-mismatch" | "invalid-parameters" | "unreadable-body">;
      readonly urls?: undefined;
      readonly error?: undefined;
    };

/**
 * A refused request, for your logs. The provider only gets `status` and `reason`. The fields besides `message` depend
 * on the `reason`.
 */
export type Refusal = RefusalBase & RefusalDetails;

/**
 * Thrown by any step of handling a request, and caught once. A hint replaces the message of the reason. A hint that is
 * expensive to find is a function, which is only called if the refusal is observed.
 */
export class RefusedError extends Error {
  constructor(
    readonly details: RefusalDetails,
    readonly hint?: string | (() => string | undefined),
  ) {
    super(details.reason);
  }

  get refusal(): Refusal {
    const [status, message] = REFUSALS[this.details.reason];
    const hint = typeof this.hint === "function" ? this.hint() : this.hint;
    return { status, message: hint ?? message, ...this.details };
  }
}
