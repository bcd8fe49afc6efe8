/** Objects whose names or values come from outside: read without inherited properties, made without a prototype. */
import { didYouMean, formatValue } from "./messages.js";

/**
 * An empty record without a prototype. V8 keeps properties that are added to it as fast as those of `{}`, while
 * `Object.create(null)` makes a hash table, which takes twice the time to fill and freeze.
 */
export function emptyRecord<Value>(): Record<string, Value> {
  return Object.setPrototypeOf({}, null);
}

/** The value of an own property; a polluted prototype gives none. */
export function readOwn(object: unknown, name: string): unknown {
  return Object(object) === object && Object.hasOwn(object as object, name)
    ? (object as Record<string, unknown>)[name]
    : undefined;
}

/**
 * Whether `value` holds its data in own properties. A URL, a Promise, a Map or an empty instance of a class has none,
 * and would be taken for `{}` in silence.
 */
export function isPlainObject(value: unknown): boolean {
  if (Object(value) !== value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // The prototype of every realm's plain objects has none itself.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return typeof value !== "function";
  return Object.prototype.toString.call(value) === "[object Object]" && Object.keys(value as object).length > 0;
}

/**
 * A copy of an object of options without a prototype: what an option is must not come from a polluted one. Throws a
 * TypeError for what is no such object, and for a name that is not among `names`.
 */
export function checkOptionNames(caller: string, options: unknown, names: readonly string[]): Record<string, unknown> {
  if (!isPlainObject(options))
    throw new TypeError(`${caller} takes an object of options, not ${formatValue(options)}.`);
  const unknown = Object.keys(options as object).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const hint = didYouMean(unknown, names);
    throw new TypeError(`${caller} has no option ${formatValue(unknown)}${hint}; there are: ${names.join(", ")}.`);
  }
  return Object.assign(emptyRecord<unknown>(), options);
}
