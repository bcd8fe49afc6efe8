/** The provider's error number of each code, from the providers' documentation. */
export const PROVIDER_ERRORS: Readonly<Record<string, number | undefined>> = {
  malformed: 12100,
  "invalid-text": 12100,
  "not-a-response": 12102,
  "unknown-verb": 12200,
  "unknown-attribute": 12200,
  "invalid-value": 12200,
  "invalid-name": 12200,
  "too-large": 11750,
  "no-verb": 34106,
};

/** The expected `providerError` of an error with this code, if there is a number. */
export function providerErrorOf(code: string): { providerError?: number } {
  const providerError = PROVIDER_ERRORS[code];
  return providerError === undefined ? {} : { providerError };
}
