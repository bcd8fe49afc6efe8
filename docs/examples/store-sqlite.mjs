/**
 * The store of `deduplicate` in SQLite, for several processes on one machine:
 *
 *   import { store } from "./store-sqlite.mjs";
 *   onCallback: deduplicate(save, store),
 */
import { DatabaseSync } from "node:sqlite"; // Node 22.13 or later. better-sqlite3 has the same methods.
import { setTimeout } from "node:timers/promises";

/** Must be longer than `save` ever takes: after that time, another process handles the callback again. */
const CLAIM_MS = Number(process.env.CLAIM_MS ?? 60_000);

const database = new DatabaseSync(process.env.SQLITE_FILE ?? "faxes.db");
database.exec("PRAGMA busy_timeout = 5000");
database.exec("PRAGMA journal_mode = WAL");
// claimed_until is in milliseconds, and NULL if the outcome is done.
database.exec("CREATE TABLE IF NOT EXISTS fax_outcomes (key TEXT PRIMARY KEY, claimed_until INTEGER) WITHOUT ROWID");

const claim = database.prepare(`
  INSERT INTO fax_outcomes (key, claimed_until) VALUES (?, ?)
  ON CONFLICT (key) DO UPDATE SET claimed_until = excluded.claimed_until WHERE fax_outcomes.claimed_until < ?`);
const isDone = database.prepare("SELECT 1 FROM fax_outcomes WHERE key = ? AND claimed_until IS NULL");
const done = database.prepare("UPDATE fax_outcomes SET claimed_until = NULL WHERE key = ?");
const release = database.prepare("DELETE FROM fax_outcomes WHERE key = ? AND claimed_until IS NOT NULL");

/** @type {import("twiml-fax/webhook").DeduplicateStore} */
export const store = {
  async claim(key) {
    for (;;) {
      const now = Date.now();
      if (Number(claim.run(key, now + CLAIM_MS, now).changes) === 1) return true;
      if (isDone.get(key) !== undefined) return false;
      // Another process handles this callback. A 200 now would lose the fax if that process crashed.
      await setTimeout(250);
    }
  },
  done: (key) => done.run(key),
  release: (key) => release.run(key),
};
