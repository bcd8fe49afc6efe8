/** `deduplicate`: runs a callback handler once per fax outcome, although providers repeat callbacks. */
import type { FaxCallback } from "../params/fax.js";
import { checkFunction, optionError } from "../shared/messages.js";
import type { WebhookRequest } from "./http.js";
import type { FaxWebhookOptions } from "./options.js";

/**
 * Remembers which fax outcomes are being handled or are done. For several processes, implement it on a database that
 * they share. Claims must expire, after more time than your handler ever takes: a claim that outlives a crash would
 * lose the fax. While another process holds the claim, throw or wait: if the callback got a 200 and that process
 * crashed, no one would have the fax.
 *
 * @example
 * const store: DeduplicateStore = {
 *   claim: async (key) => {
 *     if ((await redis.set(key, "claimed", { NX: true, EX: 300 })) === "OK") return true;
 *     if ((await redis.get(key)) === "done") return false;
 *     throw new Error("Another process is handling this callback.");
 *   },
 *   done: (key) => redis.set(key, "done", { EX: 30 * 24 * 3600 }),
 *   release: (key) => redis.del(key),
 * };
 * @see https://redis.io/docs/latest/commands/set/
 */
export interface DeduplicateStore {
  /**
   * Claims the key atomically: `true` if it was free or its claim has expired, `false` if it is done. Throws or waits
   * while another process holds the claim.
   */
  readonly claim: (key: string) => boolean | Promise<boolean>;
  /** Marks a claimed key as done: the handler has succeeded. Awaited. */
  readonly done: (key: string) => unknown;
  /** Frees a claimed key: the handler has failed, and the next callback runs it again. Awaited. */
  readonly release: (key: string) => unknown;
}

type OnCallback = NonNullable<FaxWebhookOptions["onCallback"]>;

/**
 * Wraps a callback handler so that it runs once per outcome of a fax (`faxSid` and `faxStatus`), because a provider may
 * send the same callback again, even while the first one is still being handled. Repeated callbacks wait for the
 * running handler and share its result. After it has succeeded, they return immediately. After it has failed, the next
 * callback runs it again.
 *
 * @param onCallback the handler to wrap. Its promise must cover all of its work
 * @param store for several processes. Default: the last 10,000 outcomes, in memory
 * @returns a handler for the `onCallback` option. Rejects with any error that `onCallback` or the store throws
 * @throws {TypeError} if `onCallback` is not a function, or `store` lacks a method
 * @example
 * const webhook = faxWebhook({
 *   authToken: process.env.FAX_AUTH_TOKEN,
 *   onFax: () => receive(),
 *   onCallback: deduplicate(async (callback) => save(callback)),
 * });
 * @see https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
 */
export function deduplicate(
  onCallback: OnCallback,
  store: DeduplicateStore = createMemoryStore(),
): (callback: FaxCallback, request: WebhookRequest) => Promise<void> {
  checkArguments(onCallback, store);
  const running = new Map<string, Promise<void>>();
  return (callback, request) => {
    const key = createKey(callback);
    const current = running.get(key);
    if (current) return current;
    const run = runOnce(store, key, () => onCallback(callback, request)).finally(() => running.delete(key));
    running.set(key, run);
    return run;
  };
}

async function runOnce(store: DeduplicateStore, key: string, run: () => unknown): Promise<void> {
  const isClaimed: unknown = await store.claim(key);
  if (typeof isClaimed !== "boolean") throw optionError("The result of claim()", "a boolean", isClaimed);
  if (!isClaimed) return;
  try {
    await run();
  } catch (error) {
    await releaseAfter(error, store, key);
    throw error;
  }
  await store.done(key);
}

/** Releases the key. Throws both errors if that fails, too: until the claim expires, callbacks are then ignored. */
async function releaseAfter(error: unknown, store: DeduplicateStore, key: string): Promise<void> {
  try {
    await store.release(key);
  } catch (releaseError) {
    const message = "onCallback and store.release() failed. This callback is ignored until its claim expires.";
    throw new AggregateError([error, releaseError], message, { cause: error });
  }
}

/** Statuses are free text, so their length is limited. The copy keeps the request's body from being retained. */
function createKey({ faxSid, faxStatus }: FaxCallback): string {
  return Buffer.from(`${faxSid} ${faxStatus.slice(0, 64)}`).toString();
}

const MAX_OUTCOMES = 10_000;

function createMemoryStore(): DeduplicateStore {
  const keys = new Set<string>();
  return {
    claim: (key) => {
      if (keys.has(key)) return false;
      keys.add(key);
      return true;
    },
    done: () => {
      const [oldest] = keys;
      if (keys.size > MAX_OUTCOMES) keys.delete(oldest!);
    },
    release: (key) => keys.delete(key),
  };
}

function checkArguments(onCallback: unknown, store: unknown): void {
  checkFunction("onCallback", onCallback);
  const { claim, done, release } = Object(store) as Partial<DeduplicateStore>;
  if ([claim, done, release].every((method) => typeof method === "function")) return;
  throw optionError("store", "an object with the methods claim, done and release", store);
}
