// The pages that the provider has: the smallest fax there is, as PDF or as TIFF.

export const MEDIA_TYPES = { "application/pdf": "pdf", "image/tiff": "tiff" } as const;
export type MediaType = keyof typeof MEDIA_TYPES;
export type PageSize = "letter" | "legal" | "a4";

export interface Pages {
  bytes: Uint8Array<ArrayBuffer>;
  numPages: number;
}

/** In points, as PDF counts. */
const SIZES: Record<PageSize, string> = { letter: "612 792", legal: "612 1008", a4: "595 842" };

export function blankPage(mediaType: MediaType, pageSize: PageSize): Pages {
  return { bytes: mediaType === "application/pdf" ? blankPdf(SIZES[pageSize]) : blankTiff(), numPages: 1 };
}

function blankPdf(size: string): Uint8Array<ArrayBuffer> {
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${size}] /Resources << >> >>`,
  ];
  let file = "%PDF-1.4\n";
  let table = "0000000000 65535 f \n";
  objects.forEach((object, index) => {
    table += `${String(file.length).padStart(10, "0")} 00000 n \n`;
    file += `${index + 1} 0 obj\n${object}\nendobj\n`;
  });
  const trailer = `trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n${file.length}\n%%EOF\n`;
  return new TextEncoder().encode(`${file}xref\n0 4\n${table}${trailer}`);
}

/** A bilevel strip, 1728 dots wide as fax machines scan, uncompressed (TIFF 6.0 section 3). */
function blankTiff(width = 1728, height = 16): Uint8Array<ArrayBuffer> {
  const size = (width / 8) * height;
  const SHORT = 3;
  const LONG = 4;
  const RATIONAL = 5;
  const count = 11;
  const resolutionAt = 8 + 2 + count * 12 + 4;
  const stripAt = resolutionAt + 8;
  const entries: [tag: number, type: number, value: number][] = [
    [256, LONG, width],
    [257, LONG, height],
    [259, SHORT, 1], // no compression
    [262, SHORT, 0], // 0 is white
    [273, LONG, stripAt],
    [277, SHORT, 1],
    [278, LONG, height],
    [279, LONG, size],
    [282, RATIONAL, resolutionAt],
    [283, RATIONAL, resolutionAt],
    [296, SHORT, 2], // inches
  ];
  const bytes = new Uint8Array(stripAt + size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x49492a00); // "II", 42: little-endian
  view.setUint32(4, 8, true);
  view.setUint16(8, count, true);
  entries.forEach(([tag, type, value], index) => {
    const at = 10 + index * 12;
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 8, value, true);
  });
  view.setUint32(resolutionAt, 204, true);
  view.setUint32(resolutionAt + 4, 1, true);
  return bytes;
}
