/**
 * The store of `deduplicate` in PostgreSQL, for several processes on any number of machines:
 *
 *   import { store } from "./store-postgres.mjs";
 *   onCallback: deduplicate(save, store),
 */
import { setTimeout } from "node:timers/promises";
import pg from "pg";

/** Must be longer than `save` ever takes: after that time, another process handles the callback again. */
const CLAIM_MS = Number(process.env.CLAIM_MS ?? 60_000);

// allowExitOnIdle: the process can exit when no query is running.
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, allowExitOnIdle: true });
pool.on("error", console.error); // An idle connection was lost; the pool opens another.

// claimed_until is NULL if the outcome is done. The lock is for processes that start at the same time.
await pool.query(`
  SELECT pg_advisory_xact_lock(8475293);
  CREATE TABLE IF NOT EXISTS fax_outcomes (key text PRIMARY KEY, claimed_until timestamptz)`);

/** @type {import("twiml-fax/webhook").DeduplicateStore} */
export const store = {
  async claim(key) {
    for (;;) {
      const claimed = await pool.query(
        `INSERT INTO fax_outcomes (key, claimed_until) VALUES ($1, now() + $2 * interval '1 millisecond')
         ON CONFLICT (key) DO UPDATE SET claimed_until = excluded.claimed_until
         WHERE fax_outcomes.claimed_until < now()`,
        [key, CLAIM_MS],
      );
      if (claimed.rowCount === 1) return true;
      const done = await pool.query("SELECT 1 FROM fax_outcomes WHERE key = $1 AND claimed_until IS NULL", [key]);
      if (done.rowCount === 1) return false;
      // Another process handles this callback. A 200 now would lose the fax if that process crashed.
      await setTimeout(250);
    }
  },
  done: (key) => pool.query("UPDATE fax_outcomes SET claimed_until = NULL WHERE key = $1", [key]),
  release: (key) => pool.query("DELETE FROM fax_outcomes WHERE key = $1 AND claimed_until IS NOT NULL", [key]),
};
