/** The output of the helper libraries, as `npm run bench:record` recorded it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The document, or the message of the error. */
type Outcome = { readonly text: string } | { readonly error: string };

export interface Peer {
  readonly empty: string;
  readonly attributes: readonly string[];
  readonly url: string;
  readonly unchecked: string;
  readonly wrong: readonly Outcome[];
  readonly reject: string;
}

export interface Twilio extends Peer {
  readonly comments: readonly string[];
  readonly commentAlone: string;
  readonly commentRefused: Outcome;
}

type Signatures = Readonly<Record<"incoming" | "callback" | "odd", string>>;

interface Recorded {
  /** The versions of the libraries. */
  readonly versions: Readonly<Record<string, string>>;
  /** The digest of the recorded inputs. */
  readonly inputs: string;
  readonly peers: { readonly twilio: Twilio; readonly "@signalwire/compatibility-api": Peer };
  /** The documents of both for the random attributes. */
  readonly random: readonly string[];
  /** Accepted by the library's own validator, and not accepted for another `From`. */
  readonly signatures: Readonly<Record<"twilio" | "signalwire", Signatures>>;
}

export const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "recorded.json"), "utf8")) as Recorded;
