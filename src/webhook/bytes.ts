/** Reads a stream into one buffer, up to a limit. */

/** Bytes that a `Blob` accepts: not shared with other threads. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Initial size: enough for a typical form, and all that an idle client can make us hold. */
const FIRST_BYTES = 4096;

/**
 * The bytes of a stream. Stops and throws what `createTooLargeError` returns once there are more than `limit`, and the
 * signal's reason once it is aborted; leaving the loop cancels the stream.
 *
 * A growing buffer: with a list of chunks, a client that sends single bytes would cost us 100 times its traffic.
 */
export async function readBytes(
  stream: AsyncIterable<Uint8Array | string>,
  limit: number,
  createTooLargeError: () => Error,
  signal?: AbortSignal,
): Promise<Bytes> {
  let bytes = Buffer.allocUnsafeSlow(Math.min(limit, FIRST_BYTES));
  let size = 0;
  for await (const part of stream) {
    signal?.throwIfAborted();
    const chunk = typeof part === "string" ? Buffer.from(part) : part;
    const end = size + chunk.length;
    if (end > limit) throw createTooLargeError();
    if (end > bytes.length) bytes = growBuffer(bytes, size, Math.min(limit, Math.max(end, 2 * bytes.length)));
    bytes.set(chunk, size);
    size = end;
  }
  return bytes.subarray(0, size);
}

/** Not filled with zeros, so that the system provides memory only for what was received. */
function growBuffer(bytes: Buffer<ArrayBuffer>, used: number, length: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(length);
  larger.set(bytes.subarray(0, used));
  return larger;
}
