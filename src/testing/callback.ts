/** The request that says how a fax went. */
import type { FlavorRules } from "./flavor.js";
import type { FileToSend } from "./request.js";

/** What a callback is made of. */
export interface CallbackParts {
  /** The five parameters of a fax, and what else its first request had. */
  readonly incoming: Readonly<Record<string, string>>;
  /** `received` or `delivered` bring pages; every other status brings none. */
  readonly faxStatus: string;
  /** The type of pages that the provider keeps; absent for those that come with the request. */
  readonly kept?: FileToSend["type"] | undefined;
  readonly now: Date;
}

/** The parameters of the callback, as the flavor has them. */
export function callbackParams(parts: CallbackParts, rules: FlavorRules): Record<string, string> {
  const { incoming, faxStatus, kept, now } = parts;
  const common = { ...incoming, ...rules.callbackParams(now) };
  if (faxStatus === "failed") {
    return { ...common, FaxStatus: faxStatus, ErrorCode: "34007", ErrorMessage: "The sending machine hung up." };
  }
  if (faxStatus !== "received" && faxStatus !== "delivered") return { ...common, FaxStatus: faxStatus };
  const received = { ...common, RemoteStationId: incoming["From"] ?? "", FaxStatus: faxStatus, NumPages: "1" };
  if (kept === undefined) return received;
  return { ...received, ...rules.mediaParams(`${incoming["FaxSid"]}.${kept === "image/tiff" ? "tiff" : "pdf"}`) };
}
