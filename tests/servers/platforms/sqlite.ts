/** `node:sqlite`, which Node 20 does not have, as far as the example uses it: SQLite compiled to WebAssembly. */
import { type BindValues, Database, type Statement } from "node-sqlite3-wasm";

/** Prepared statements take their parameters one by one. */
function adapt(statement: Statement) {
  return {
    run: (...values: BindValues[]) => statement.run(values as BindValues),
    // Unlike get(), all() leaves no read lock.
    get: (...values: BindValues[]) => statement.all(values as BindValues)[0],
  };
}

export class DatabaseSync {
  readonly #database: Database;
  constructor(file: string) {
    this.#database = new Database(file);
  }
  exec(sql: string) {
    this.#database.exec(sql);
  }
  prepare(sql: string) {
    return adapt(this.#database.prepare(sql));
  }
}
