/**
 * The store of `deduplicate` in Redis or Valkey, for several processes on any number of machines:
 *
 *   import { store } from "./store-redis.mjs";
 *   onCallback: deduplicate(save, store),
 */
import { setTimeout } from "node:timers/promises";
import { createClient } from "redis";

/** Must be longer than `save` ever takes: after that time, another process handles the callback again. */
const CLAIM_MS = Number(process.env.CLAIM_MS ?? 60_000);
const DONE_SECONDS = 30 * 24 * 3600;

const redis = createClient({ url: process.env.REDIS_URL });
redis.on("error", console.error); // The client connects again by itself.
await redis.connect();
redis.unref(); // The process can exit when no command is running.
let running = 0;

/** @param {() => Promise<unknown>} command */
async function send(command) {
  if (running++ === 0) redis.ref();
  try {
    return await command();
  } finally {
    if (--running === 0) redis.unref();
  }
}

/** @type {import("twiml-fax/webhook").DeduplicateStore} */
export const store = {
  async claim(key) {
    const options = { condition: "NX", expiration: { type: "PX", value: CLAIM_MS } };
    for (;;) {
      if ((await send(() => redis.set(`fax:${key}`, "claimed", options))) === "OK") return true;
      if ((await send(() => redis.get(`fax:${key}`))) === "done") return false;
      // Another process handles this callback. A 200 now would lose the fax if that process crashed.
      await setTimeout(250);
    }
  },
  done: (key) => send(() => redis.set(`fax:${key}`, "done", { expiration: { type: "EX", value: DONE_SECONDS } })),
  release: (key) => send(() => redis.del(`fax:${key}`)),
};
