/** The number under which a provider's log shows each mistake, by the providers' error pages. */
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

/** The property that an error of this code has, if a provider has a number for it. */
export function providerErrorOf(code: string): { providerError?: number } {
  const providerError = PROVIDER_ERRORS[code];
  return providerError === undefined ? {} : { providerError };
}
