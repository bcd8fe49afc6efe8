/** Objects whose names or values come from outside: read without inherited properties, made without a prototype. */

/**
 * An empty record without a prototype. V8 keeps properties that are added to it as fast as those of `{}`, while
 * `Object.create(null)` makes a hash table, which takes twice the time to fill and freeze.
 */
export function emptyRecord<Value>(): Record<string, Value> {
  return Object.setPrototypeOf({}, null);
}

/** The value of an own property; a polluted prototype gives none. */
export function ownValue(object: unknown, name: string): unknown {
  return Object(object) === object && Object.hasOwn(object as object, name)
    ? (object as Record<string, unknown>)[name]
    : undefined;
}
