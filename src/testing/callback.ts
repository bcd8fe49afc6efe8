/** The parameters of the request that says how a fax went. */
import type { FlavorRules } from "./flavors.js";
import type { FileToSend } from "./request.js";

/** What a callback is made of. */
export interface CallbackParts {
  /** The five parameters of a fax, and what else its first request had. */
  readonly incoming: Readonly<Record<string, string>>;
  /** Parameters over the usual ones; a `FaxStatus`, or a `Status` alone, decides on the rest. */
  readonly given: Readonly<Record<string, string>>;
  readonly outcome: "received" | "failed";
  /** The type of pages that the provider keeps; absent for those that come with the request. */
  readonly kept?: FileToSend["type"] | undefined;
  readonly mediaUrl?: string | undefined;
  readonly now: Date;
}

/** The parameters as the flavor has them. */
export function callbackParams(parts: CallbackParts, rules: FlavorRules): Record<string, string> {
  const { incoming, given, outcome, now } = parts;
  const status = getStatus(given) ?? outcome;
  const name = "Status" in given && !("FaxStatus" in given) ? "Status" : "FaxStatus";
  const common = { ...incoming, ...rules.callbackParams(now), [name]: status };
  const more = bringsPages(status) ? buildPageParams(parts, rules) : status === "failed" ? FAILURE : {};
  return { ...common, ...more, ...given };
}

const FAILURE = { ErrorCode: "34007", ErrorMessage: "The sending machine hung up." };

function buildPageParams({ incoming, kept, mediaUrl }: CallbackParts, rules: FlavorRules): Record<string, string> {
  const pages = { RemoteStationId: incoming["From"] ?? "", NumPages: "1" };
  if (kept === undefined) return pages;
  const media = rules.mediaParams(`${incoming["FaxSid"]}.${kept === "image/tiff" ? "tiff" : "pdf"}`);
  return { ...pages, ...media, ...(mediaUrl !== undefined && { MediaUrl: mediaUrl }) };
}

export function getStatus(params: Readonly<Record<string, string>>): string | undefined {
  return params["FaxStatus"] ?? params["Status"];
}

export function bringsPages(status: string): boolean {
  return status === "received" || status === "delivered";
}
