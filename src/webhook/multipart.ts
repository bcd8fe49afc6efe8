/** A multipart delivery: its boundary, its limits, and the platform's reading of it. */
import { Refused } from "./refusal.js";

/** RFC 2046, section 5.1.1: a boundary has 70 characters at most. A delivery has a dozen parts. */
const MAX_BOUNDARY = 70;
const MAX_PARTS = 1000;

/** The parts of a delivery; nothing for an empty body. */
export async function readMultipart(
  bytes: Uint8Array,
  contentType: string,
  maxTextLength: number,
): Promise<FormData | undefined> {
  if (bytes.length === 0) return undefined;
  checkParts(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), boundaryOf(contentType));
  let form: FormData;
  try {
    const headers = { "content-type": contentType };
    form = await new Response(bytes as Uint8Array<ArrayBuffer>, { headers }).formData();
  } catch (error) {
    throw new Refused({ reason: "unreadable-body", error });
  }
  // The text is hashed for every URL and token that is tried: it has the limit of a form, whatever the pages have.
  if (textLength(form) > maxTextLength) throw new Refused({ reason: "too-large" });
  return form;
}

function boundaryOf(contentType: string): string {
  const [, quoted, plain] = /;\s*boundary=(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))/i.exec(contentType) ?? [];
  return quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "";
}

/** Deno takes a delivery that was cut short for a complete one, without its pages. */
function checkParts(buffer: Buffer, boundary: string): void {
  const isClosed = buffer.subarray(-1024).includes(`--${boundary}--`);
  if (boundary === "" || boundary.length > MAX_BOUNDARY || !isClosed) {
    throw new Refused({ reason: "unreadable-body", error: new Error("The closing boundary is missing.") });
  }
  const delimiter = `\r\n--${boundary.slice(0, 8)}`;
  for (let at = 0, parts = 0; (at = buffer.indexOf(delimiter, at)) >= 0; at++) {
    if (++parts > MAX_PARTS) throw new Refused({ reason: "too-large" });
  }
}

function textLength(form: FormData): number {
  let length = 0;
  for (const [name, value] of form) length += name.length + (typeof value === "string" ? value.length : 0);
  return length;
}
