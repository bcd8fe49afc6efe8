/** Why a request is refused: the reasons, their status codes, and what is thrown on the way. */
import type { FaxRequestError } from "../errors.js";

/** Every reason, with the status of the answer and a sentence on what to do. */
export const REFUSALS = {
  "method-not-allowed": [405, "Providers send GET or POST."],
  "missing-signature": [403, "There is no X-Twilio-Signature or X-SignalWire-Signature header."],
  "signature-mismatch": [
    403,
    "Is one of `urls` the URL at the provider, to the letter (see publicUrl)? Then it is the token, or a changed body.",
  ],
  "no-token": [403, "authToken has none for this AccountSid."],
  "missing-body": [400, "There is no body: it is empty, or something read the stream before and left nothing."],
  "unreadable-body": [400, "The body ended early, or is not what its Content-Type says."],
  "invalid-parameters": [400, "The parameters cannot be read: see `error.issues`."],
  "too-large": [413, "More than maxFormBytes or maxMediaBytes."],
  "unsupported-media-type": [
    415,
    "Providers send application/x-www-form-urlencoded or multipart/form-data, uncompressed.",
  ],
} as const;

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
      /** Every URL that the signature was checked against, passwords blotted out. */
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

/** Thrown by any step of a turn, caught once at its end. */
export class Refused extends Error {
  readonly refusal: Refusal;
  constructor(details: RefusalDetails) {
    super(details.reason);
    const [status, message] = REFUSALS[details.reason];
    this.refusal = { status, message, ...details };
  }
}
