import { describe, expect, it, vi } from "vitest";
import type { FaxCallback } from "../../src/index.js";
import { deduplicate, type DeduplicateStore, faxWebhook, type WebhookRequest } from "../../src/webhook/index.js";
import { CALLBACK, ORIGIN, request, TOKEN } from "./support.js";

const callback = (faxSid: string, faxStatus = "received") => ({ faxSid, faxStatus }) as FaxCallback;
const http = {} as WebhookRequest;

/** A promise with its functions. */
function createDeferred() {
  let resolve!: () => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<void>((...functions) => ([resolve, reject] = functions));
  return { promise, resolve, reject };
}

/** A store that several wrappers share, as several processes share a database. */
function createStore(): DeduplicateStore & { readonly states: Map<string, string> } {
  const states = new Map<string, string>();
  return {
    states,
    claim: async (key) => !states.has(key) && Boolean(states.set(key, "claimed")),
    done: async (key) => states.set(key, "done"),
    release: async (key) => states.delete(key),
  };
}

describe("deduplicate", () => {
  it("runs the handler once for concurrent callbacks, and resolves all of them when it is done", async () => {
    const work = createDeferred();
    const handler = vi.fn(() => work.promise);
    const wrapped = deduplicate(handler);
    const settled = vi.fn();
    const all = Array.from({ length: 40 }, () => wrapped(callback("FX1"), http).then(settled));
    await new Promise(setImmediate);
    expect(settled).not.toHaveBeenCalled();
    work.resolve();
    await Promise.all(all);
    expect(settled).toHaveBeenCalledTimes(40);
    expect(handler.mock.calls).toEqual([[callback("FX1"), http]]);
  });

  it("does not run the handler again after it has succeeded", async () => {
    const handler = vi.fn();
    const wrapped = deduplicate(handler);
    await wrapped(callback("FX1"), http);
    await wrapped(callback("FX1"), http);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it("runs the handler for each fax and each status", async () => {
    const handler = vi.fn();
    const wrapped = deduplicate(handler);
    for (const each of [callback("FX1"), callback("FX2"), callback("FX1", "failed")]) await wrapped(each, http);
    expect(handler).toHaveBeenCalledTimes(3);
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("disk full"))],
    [
      "throws",
      () => {
        throw new Error("disk full");
      },
    ],
  ])("runs the handler again for the next callback after it %s, and rejects all that waited", async (_, fail) => {
    const handler = vi.fn<() => unknown>(fail);
    const wrapped = deduplicate(handler);
    const results = await Promise.allSettled([wrapped(callback("FX1"), http), wrapped(callback("FX1"), http)]);
    expect(results.map((result) => result.status === "rejected" && String(result.reason))).toEqual([
      "Error: disk full",
      "Error: disk full",
    ]);
    expect(handler).toHaveBeenCalledTimes(1);
    handler.mockReturnValue(undefined);
    await wrapped(callback("FX1"), http);
    await wrapped(callback("FX1"), http);
    expect(handler).toHaveBeenCalledTimes(2);
  });

  it("remembers the last 10,000 outcomes", async () => {
    const handler = vi.fn();
    const wrapped = deduplicate(handler);
    for (let i = 0; i < 10_000; i++) await wrapped(callback(`FX${i}`), http);
    await wrapped(callback("FX0"), http);
    expect(handler).toHaveBeenCalledTimes(10_000);
    await wrapped(callback("FX10000"), http);
    await wrapped(callback("FX1"), http);
    expect(handler).toHaveBeenCalledTimes(10_001);
    await wrapped(callback("FX0"), http);
    expect(handler).toHaveBeenCalledTimes(10_002);
  });

  it("saves concurrent callbacks of a real webhook once, and replies 200 to each", async () => {
    const save = vi.fn(() => new Promise((resolve) => setTimeout(resolve, 10)));
    const webhook = faxWebhook({ authToken: TOKEN, publicUrl: ORIGIN, onCallback: deduplicate(save) });
    const replies = await Promise.all(Array.from({ length: 10 }, () => webhook.handle(request({ params: CALLBACK }))));
    expect(replies.map(({ status }) => status)).toEqual(Array<number>(10).fill(200));
    expect(save).toHaveBeenCalledTimes(1);
  });

  it.each([undefined, null, "save", {}])("throws for the handler %j", (handler) => {
    expect(() => deduplicate(handler as never)).toThrow(TypeError);
  });
});

describe("deduplicate with a store", () => {
  it("runs the handler in one of several processes, and marks the outcome as done", async () => {
    const store = createStore();
    const handler = vi.fn();
    const processes = [deduplicate(handler, store), deduplicate(handler, store)];
    await Promise.all(processes.map((wrapped) => wrapped(callback("FX1"), http)));
    expect(handler).toHaveBeenCalledTimes(1);
    expect([...store.states]).toEqual([["FX1 received", "done"]]);
  });

  it("marks an outcome as done only after the handler", async () => {
    const store = createStore();
    const work = createDeferred();
    const result = deduplicate(() => work.promise, store)(callback("FX1"), http);
    await new Promise(setImmediate);
    expect([...store.states.values()]).toEqual(["claimed"]);
    work.resolve();
    await result;
    expect([...store.states.values()]).toEqual(["done"]);
  });

  it("releases the claim if the handler fails", async () => {
    const store = createStore();
    const failing = deduplicate(() => Promise.reject(new Error("disk full")), store);
    await expect(failing(callback("FX1"), http)).rejects.toThrow("disk full");
    expect(store.states.size).toBe(0);
  });

  it("rejects with both errors if the handler and release() fail", async () => {
    const store = { ...createStore(), release: () => Promise.reject(new Error("no connection")) };
    const error: unknown = await deduplicate(() => Promise.reject(new Error("disk full")), store)(
      callback("FX1"),
      http,
    ).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors.map(String)).toEqual(["Error: disk full", "Error: no connection"]);
  });

  it("rejects without running the handler if claim() fails, and tries again with the next callback", async () => {
    const store = createStore();
    const handler = vi.fn();
    const claim = vi.fn(store.claim).mockRejectedValueOnce(new Error("no connection"));
    const wrapped = deduplicate(handler, { ...store, claim });
    await expect(wrapped(callback("FX1"), http)).rejects.toThrow("no connection");
    expect(handler).not.toHaveBeenCalled();
    await wrapped(callback("FX1"), http);
    expect(handler).toHaveBeenCalledTimes(1);
  });

  it.each([undefined, null, "OK", 1])("rejects if claim() returns %j, which could lose a fax", async (result) => {
    const handler = vi.fn();
    const wrapped = deduplicate(handler, { ...createStore(), claim: () => result as never });
    await expect(wrapped(callback("FX1"), http)).rejects.toThrow(TypeError);
    expect(handler).not.toHaveBeenCalled();
  });

  it("limits the length of keys, because a status is free text", async () => {
    const store = createStore();
    await deduplicate(() => {}, store)(callback("FX1", "x".repeat(10_000)), http);
    expect([...store.states.keys()]).toEqual([`FX1 ${"x".repeat(64)}`]);
  });

  it.each(["claim", "done", "release"])("throws for a store without %s()", (method) => {
    expect(() => deduplicate(() => {}, { ...createStore(), [method]: undefined } as never)).toThrow(
      /^store must be an object with the methods claim, done and release/,
    );
  });
});
