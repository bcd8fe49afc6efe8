/** The bounded reader: its buffer, its limit, its errors. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { readBytes } from "../../src/webhook/bytes.js";
import { stream } from "./support.js";

const createTooLargeError = () => new Error("too large");
const singleBytes = (count: number) => stream(...Array.from({ length: count }, (_, i) => Uint8Array.of(i)));

afterEach(() => vi.restoreAllMocks());

describe("readBytes", () => {
  it("readBytes returns the bytes of all chunks", async () => {
    const chunks = [Uint8Array.of(1, 2), "é", new Uint8Array(), Buffer.from([3])];
    expect([...(await readBytes(stream(...chunks), 5, createTooLargeError))]).toEqual([1, 2, 0xc3, 0xa9, 3]);
  });

  it("readBytes doubles its buffer for single bytes, up to the limit", async () => {
    const allocate = vi.spyOn(Buffer, "allocUnsafeSlow");
    const bytes = await readBytes(singleBytes(100), 100, createTooLargeError);
    expect([...bytes]).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(allocate.mock.calls).toEqual([1, 2, 4, 8, 16, 32, 64, 100].map((size) => [size]));
  });

  it("readBytes allocates nothing for a stream without bytes", async () => {
    const allocate = vi.spyOn(Buffer, "allocUnsafeSlow");
    expect(await readBytes(stream(), 1 << 20, createTooLargeError)).toHaveLength(0);
    expect(allocate).not.toHaveBeenCalled();
  });

  it("readBytes rejects for one byte over the limit and cancels the stream", async () => {
    const cancel = vi.fn();
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(6)), cancel });
    await expect(readBytes(body, 5, createTooLargeError)).rejects.toThrow("too large");
    expect(cancel).toHaveBeenCalledOnce();
  });

  it("readBytes rejects with the reason of an aborted signal", async () => {
    const reason = new Error("timeout");
    await expect(readBytes(stream("a"), 5, createTooLargeError, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
