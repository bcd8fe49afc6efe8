/** The chart at the top of docs/benchmarks.md: one bar for each candidate, as SVG. */

const WIDTH = 640;
const ROW = 34;
const LABELS = 130;
const VALUES = 90;
/** Both have enough contrast on a white page and on a dark one (#0d1117), so the chart needs no background. */
const TEXT = "#727a83";
const BARS = { ours: "#2f81f7", others: "#848d97" };

/** Returns the SVG. `times` are microseconds by name; the first bar is this library's. */
export function createChart(title, times, show) {
  const longest = Math.max(...Object.values(times));
  const bars = Object.entries(times).map(([name, value], row) => {
    const length = Math.max(2, ((WIDTH - LABELS - VALUES) * value) / longest);
    return createBar({ name, value: show(value), length: Math.round(length), row });
  });
  const height = 40 + bars.length * ROW;
  const head = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`;
  const style = `<style>text { font: 14px system-ui, sans-serif; fill: ${TEXT} }</style>`;
  const heading = `<title>${title}</title>\n<text x="0" y="18" font-weight="bold">${title}</text>`;
  return [head, style, heading, ...bars, "</svg>\n"].join("\n");
}

function createBar({ name, value, length, row }) {
  const y = 32 + row * ROW;
  const color = row === 0 ? BARS.ours : BARS.others;
  return [
    `<text x="${LABELS - 10}" y="${y + 17}" text-anchor="end">${name}</text>`,
    `<rect x="${LABELS}" y="${y}" width="${length}" height="24" rx="3" fill="${color}"/>`,
    `<text x="${LABELS + length + 8}" y="${y + 17}">${value}</text>`,
  ].join("\n");
}
