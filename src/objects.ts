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

/**
 * Whether `value` holds its data in own properties. A URL, a Promise, a Map or an empty instance of a class has none,
 * and would be taken for `{}` in silence.
 */
export function isPlainData(value: unknown): boolean {
  if (Object(value) !== value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // The prototype of every realm's plain objects has none itself.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return typeof value !== "function";
  return Object.prototype.toString.call(value) === "[object Object]" && Object.keys(value as object).length > 0;
}
