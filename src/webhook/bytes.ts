/** The bounded reader, a stream into one buffer, and strict UTF-8. */

/** Bytes that a `Blob` accepts: not shared with other threads. */
export type Bytes = Uint8Array<ArrayBuffer>;

/**
 * Reads the bytes of a stream. Throws the error of `createTooLargeError` for more than `limit` bytes, and the signal's
 * reason if it is aborted. Leaving the loop cancels the stream.
 *
 * The buffer grows with the received bytes, so an idle client uses no memory. If a client sent single bytes, a list of
 * chunks would use 100 times as much memory as the bytes.
 */
export async function readBytes(
  stream: AsyncIterable<Uint8Array | string>,
  limit: number,
  createTooLargeError: () => Error,
  signal?: AbortSignal,
): Promise<Bytes> {
  let bytes = Buffer.alloc(0);
  let size = 0;
  for await (const part of stream) {
    signal?.throwIfAborted();
    const chunk = typeof part === "string" ? Buffer.from(part) : part;
    const end = size + chunk.length;
    if (end > limit) throw createTooLargeError();
    if (end > bytes.length) bytes = growBuffer(bytes, Math.min(limit, Math.max(end, 2 * bytes.length)));
    bytes.set(chunk, size);
    size = end;
  }
  return bytes.subarray(0, size);
}

/** Copies the bytes into a longer buffer. Not zero-filled, so the system allocates memory only for received bytes. */
function growBuffer(bytes: Uint8Array, length: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(length);
  larger.set(bytes);
  return larger;
}

/**
 * Decodes UTF-8; returns `undefined` for other bytes. A byte order mark is text, as in WHATWG form parsing.
 *
 * Compares the bytes instead of creating a fatal `TextDecoder`, which Jest's jsdom environment does not have.
 */
export function decodeUtf8(bytes: Buffer): string | undefined {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : undefined;
}
