/** Safe access to untrusted objects: own properties only, and records without a prototype. */
import { formatUnknownName, optionError } from "./messages.js";

/**
 * Returns an empty record without a prototype. V8 adds properties to it as fast as to `{}`, but stores the object of
 * `Object.create(null)` as a hash table, which takes twice as long to fill and freeze.
 */
export function emptyRecord<Value>(): Record<string, Value> {
  return Object.setPrototypeOf({}, null) as Record<string, Value>;
}

/** Reads an own property and ignores inherited ones, so a polluted prototype cannot supply a value. */
export function readOwn(object: unknown, name: string): unknown {
  return Object(object) === object && Object.hasOwn(object as object, name)
    ? (object as Record<string, unknown>)[name]
    : undefined;
}

/**
 * Whether `value` is a plain object, or a class instance with own properties. A URL, Promise, Map or empty class
 * instance would otherwise be read as `{}`.
 */
export function isPlainObject(value: unknown): boolean {
  if (Object(value) !== value) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // `Object.prototype` of any realm has a null prototype.
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return typeof value !== "function";
  return Object.prototype.toString.call(value) === "[object Object]" && Object.keys(value as object).length > 0;
}

/** Whether a value is an `ArrayBuffer` or a view of one, of any realm: `instanceof` fails in Jest and `vm`. */
export function isBytes(value: unknown): value is ArrayBuffer | ArrayBufferView {
  return ArrayBuffer.isView(value) || Object.prototype.toString.call(value) === "[object ArrayBuffer]";
}

/** Returns the bytes without copying them. */
export function toUint8Array(bytes: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(bytes)) return new Uint8Array(bytes);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Copies the options onto a null-prototype object, so a polluted prototype cannot set an option. Throws a TypeError if
 * `options` is not a plain object, or has a name that is not one of `names`.
 */
export function checkOptionNames(caller: string, options: unknown, names: readonly string[]): Record<string, unknown> {
  if (!isPlainObject(options)) throw optionError(`The options of ${caller}`, "an object", options, true);
  const unknown = Object.keys(options as object).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new TypeError(`${caller}: ${formatUnknownName("option", unknown, names)}`);
  return Object.assign(emptyRecord<unknown>(), options);
}
