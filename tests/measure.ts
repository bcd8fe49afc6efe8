/** Measures how CPU time grows with the length of the input. CPU time does not include other processes. */
export const SHORT = 1000;
export const TIMES = 16;
/** The limit between linear growth (`times`) and quadratic growth (its square), far from both. */
export const boundOf = (times: number): number => 1.5 * times ** 1.5;
export const BOUND = boundOf(TIMES);
/** Shorter times are only overhead of the call. */
const LEAST_MS = 0.01;

export type Run = (length: number) => unknown;

/** CPU milliseconds of this process. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Milliseconds of one run, in the fastest of five batches. */
export async function measureMs(run: Run, length: number): Promise<number> {
  let fastest = Infinity;
  for (let batch = 0; batch < 5; batch++) {
    const start = cpuMs();
    let runs = 0;
    do {
      await run(length);
      runs++;
    } while (cpuMs() - start < 1);
    fastest = Math.min(fastest, (cpuMs() - start) / runs);
  }
  return fastest;
}

/** The time for the long input divided by that for the short one. Over the limit, the lowest of three results. */
export async function growthOf(run: Run, short = SHORT, times = TIMES): Promise<number> {
  const start = cpuMs();
  await run(short * times);
  // Quadratic growth would take a hundred times as long.
  if (cpuMs() - start < 4) return 1;
  let lowest = Infinity;
  for (let attempt = 0; attempt < 3 && lowest >= boundOf(times); attempt++) {
    const before = Math.max(await measureMs(run, short), LEAST_MS);
    lowest = Math.min(lowest, (await measureMs(run, short * times)) / before);
  }
  return lowest;
}
