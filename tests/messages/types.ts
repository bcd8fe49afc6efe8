/** A section of the snapshot of all messages. */
export interface Messages {
  /** The names that the calls use. */
  readonly scope: Readonly<Record<string, unknown>>;
  /** Expressions. What they throw, reject with or return is the message. */
  readonly calls: readonly string[];
}
