/** How much longer something takes for more text, by the work of this process: what a busy machine does not change. */
export const SHORT = 1000;
export const TIMES = 16;
/** Linear growth is as much as the text grows, and quadratic its square: far from both, for busy machines. */
export const boundOf = (times: number): number => 1.5 * times ** 1.5;
export const BOUND = boundOf(TIMES);
/** What a call costs that has nothing to do: shorter times say nothing. */
const LEAST_MS = 0.01;

export type Run = (length: number) => unknown;

/** Milliseconds that this process has worked: what other processes do at the same time does not count. */
function worked(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Milliseconds of one run: the fastest of five batches, which a busy machine disturbs least. */
async function timeOf(run: Run, length: number): Promise<number> {
  let fastest = Infinity;
  for (let batch = 0; batch < 5; batch++) {
    const start = worked();
    let runs = 0;
    do {
      await run(length);
      runs++;
    } while (worked() - start < 1);
    fastest = Math.min(fastest, (worked() - start) / runs);
  }
  return fastest;
}

/** How many times as long the long text takes. A result that is too high counts only when it comes three times. */
export async function growthOf(run: Run, short = SHORT, times = TIMES): Promise<number> {
  const start = worked();
  await run(short * times);
  // A hundred million steps take a hundred times as long: no need to look closer.
  if (worked() - start < 4) return 1;
  let lowest = Infinity;
  for (let attempt = 0; attempt < 3 && lowest >= boundOf(times); attempt++) {
    const before = Math.max(await timeOf(run, short), LEAST_MS);
    lowest = Math.min(lowest, (await timeOf(run, short * times)) / before);
  }
  return lowest;
}
