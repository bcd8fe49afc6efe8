/** Why a request is refused: the reasons, their status codes, and what is thrown on the way. */
import type { FaxRequestError } from "../shared/errors.js";

/** Every reason, with the status of the answer and what to do, where nothing better is known. */
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

/** What to do about a request of SignalWire's other product. */
export const SWML_HINT =
  "Set the phone number to cXML (Compatibility API) at SignalWire: this looks like SWML, which is not TwiML.";

/** Why a request was refused. */
export type RefusalReason = keyof typeof REFUSALS;

/** What every refusal has. */
interface RefusalBase {
  /** HTTP status of the answer. */
  readonly status: number;
  /** What it means and what to do. */
  readonly message: string;
}

/** What there is beside it, by reason. */
type RefusalDetails =
  | {
      readonly reason: "signature-mismatch";
      /** URLs that the signature was checked against: at most 8 of 200 characters, in ASCII, without passwords. */
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
      /** What reading it threw. */
      readonly error: unknown;
      readonly urls?: undefined;
    }
  | {
      readonly reason: Exclude<RefusalReason, "signature-mismatch" | "invalid-parameters" | "unreadable-body">;
      readonly urls?: undefined;
      readonly error?: undefined;
    };

/**
 * A refused request, for your logs; the provider is only told `status` and `reason`. What there is beside the message
 * depends on the `reason`.
 */
export type Refusal = RefusalBase & RefusalDetails;

/** Thrown by any step of a turn, caught once at its end. `hint` is the message where more is known than the reason. */
export class RefusedError extends Error {
  constructor(
    readonly details: RefusalDetails,
    readonly hint?: string,
  ) {
    super(details.reason);
  }

  get refusal(): Refusal {
    const [status, message] = REFUSALS[this.details.reason];
    return { status, message: this.hint ?? message, ...this.details };
  }
}
