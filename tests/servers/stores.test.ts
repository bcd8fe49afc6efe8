/** The store of `deduplicate` in SQLite: docs/examples/store-sqlite.mjs. `npm run test:stores` tests the other two. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FaxCallback } from "twiml-fax";
import { deduplicate, type DeduplicateStore, type WebhookRequest } from "twiml-fax/webhook";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const CLAIM_MS = 500;
const callback = { faxSid: "FX1", faxStatus: "received" } as FaxCallback;
const request = {} as WebhookRequest;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "twiml-fax-store-"));
  vi.stubEnv("SQLITE_FILE", join(folder, "faxes.db"));
  vi.stubEnv("CLAIM_MS", String(CLAIM_MS));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** The store with a connection of its own, as in another process. */
async function openStore(): Promise<DeduplicateStore> {
  vi.resetModules();
  return ((await import("../../docs/examples/store-sqlite.mjs" as string)) as { store: DeduplicateStore }).store;
}

describe("the example store-sqlite.mjs", () => {
  it("runs the handler once for callbacks at two processes, and both wait for it", async () => {
    let isSaved = false;
    const save = vi.fn(async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      isSaved = true;
    });
    const [first, second] = [deduplicate(save, await openStore()), deduplicate(save, await openStore())];
    const handled = [first, second, first, second].map(async (handle) => {
      await handle(callback, request);
      return isSaved;
    });
    expect(await Promise.all(handled)).toEqual([true, true, true, true]);
    expect(save).toHaveBeenCalledTimes(1);
    await Promise.all([first(callback, request), second(callback, request)]);
    expect(save).toHaveBeenCalledTimes(1);
    await second({ ...callback, faxStatus: "failed" } as FaxCallback, request);
    expect(save).toHaveBeenCalledTimes(2);
  });

  it("after the handler fails, lets the waiting process run it", async () => {
    const save = vi.fn().mockRejectedValueOnce(new Error("The disk is full."));
    const [first, second] = [deduplicate(save, await openStore()), deduplicate(save, await openStore())];
    const results = await Promise.allSettled([first(callback, request), second(callback, request)]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(save).toHaveBeenCalledTimes(2);
  });

  it("after a crash, lets the next callback run the handler once the claim has expired", async () => {
    const [crashed, other] = [await openStore(), await openStore()];
    expect(await crashed.claim("FX1 received")).toBe(true);
    const save = vi.fn();
    const start = performance.now();
    await deduplicate(save, other)(callback, request);
    expect(save).toHaveBeenCalledTimes(1);
    expect(performance.now() - start).toBeGreaterThan(CLAIM_MS - 50);
    expect(await crashed.claim("FX1 received")).toBe(false);
  });

  it("keeps an outcome done if a slow handler fails after its claim expired", async () => {
    const [slow, other] = [await openStore(), await openStore()];
    expect(await slow.claim("FX1 received")).toBe(true);
    await deduplicate(vi.fn(), other)(callback, request);
    await slow.release("FX1 received");
    expect(await slow.claim("FX1 received")).toBe(false);
  });
});
