/** The text that is signed after the URL, and its ambiguity: names and values are not separated. */
import { isFaxMedia, type ReceivedParams } from "./received-params.js";

/**
 * Returns the signed texts of the parameters: every name followed by its value, sorted by name. If a name is repeated,
 * there can be two: Twilio signs each distinct value once, sorted, and SignalWire's SDK signs all values in order. If a
 * value is not text, because a body parser nested it, the signed text is unknown, and the list is empty.
 */
export function getSignedTexts({ params, repeatedOrNonText }: ReceivedParams): readonly string[] {
  return repeatedOrNonText.size === 0 ? [joinRecord(params)!] : joinLists(params, repeatedOrNonText);
}

/** Returns the signed text of a record, or `undefined` if a value is not text. */
export function joinRecord(params: Readonly<Record<string, unknown>>): string | undefined {
  let text = "";
  for (const name of Object.keys(params).sort()) {
    const value = params[name];
    if (typeof value !== "string") return undefined;
    text += name + value;
  }
  return text;
}

function joinLists(params: ReceivedParams["params"], lists: ReceivedParams["repeatedOrNonText"]): string[] {
  const names = [...new Set([...Object.keys(params), ...lists.keys()])].sort();
  const getValues = (name: string): unknown[] => lists.get(name)?.flat().filter(isSignable) ?? [params[name]];
  const sorted = names.map((name) => [name, getValues(name).map(toSentText)] as const);
  if (!sorted.every(([, list]) => list.every((value) => typeof value === "string"))) return [];
  const distinct = sorted.flatMap(([name, list]) => [...new Set(list)].sort().map((value) => name + value));
  const ordered = sorted.flatMap(([name, list]) => list.map((value) => name + value));
  return [...new Set([distinct.join(""), ordered.join("")])];
}

function isSignable(value: unknown): boolean {
  return value !== undefined && value !== null && !isFaxMedia(value);
}

/** Converts a JSON parser's numbers and booleans to the text that the provider signed. */
function toSentText(value: unknown): unknown {
  return typeof value === "number" || typeof value === "boolean" ? String(value) : value;
}
