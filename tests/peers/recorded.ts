/** What the helper libraries wrote and signed, as `npm run bench:record` has recorded it: see tests/bench. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What came of a call: the document, or what was thrown. */
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
  /** Of the libraries. */
  readonly versions: Readonly<Record<string, string>>;
  /** The digest of the inputs that were recorded. */
  readonly inputs: string;
  readonly peers: { readonly twilio: Twilio; readonly "@signalwire/compatibility-api": Peer };
  /** What both write for the random attributes. */
  readonly random: readonly string[];
  /** Each was taken by the library's own validator, and refused for another `From`. */
  readonly signatures: Readonly<Record<"twilio" | "signalwire", Signatures>>;
}

export const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "recorded.json"), "utf8")) as Recorded;
