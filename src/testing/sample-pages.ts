/** Sample pages: one empty page as PDF or TIFF. */
import type { MediaType } from "../twiml/verbs.js";

/** The page that is sent by default. */
export function emptyPage(type: MediaType): Uint8Array<ArrayBuffer> {
  return type === "image/tiff" ? emptyTiff() : emptyPdf();
}

/** PDF 1.4, section 3.4: a catalog, a page tree with one page, and a table with the offset of each object. */
function emptyPdf(): Uint8Array<ArrayBuffer> {
  const objects = [
    "<< /Type /Catalog /Pages 2 0 R >>",
    "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
    "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>",
  ];
  let text = "%PDF-1.4\n";
  let offsets = "0000000000 65535 f \n";
  for (const [i, object] of objects.entries()) {
    offsets += `${String(text.length).padStart(10, "0")} 00000 n \n`;
    text += `${i + 1} 0 obj\n${object}\nendobj\n`;
  }
  const table = `xref\n0 4\n${offsets}trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n${text.length}\n%%EOF\n`;
  return new TextEncoder().encode(text + table);
}

/** TIFF 6.0, section 4: a white bilevel image of 8 by 1 pixels. */
function emptyTiff(): Uint8Array<ArrayBuffer> {
  const [SHORT, LONG] = [3, 4];
  const entries = [
    [256, SHORT, 8], // width
    [257, SHORT, 1], // length
    [259, SHORT, 1], // not compressed
    [262, SHORT, 0], // white is zero
    [273, LONG, 8], // offset of the pixels
    [278, SHORT, 1], // rows in the strip
    [279, LONG, 1], // bytes in the strip
  ];
  const view = new DataView(new ArrayBuffer(10 + 2 + 12 * entries.length + 4));
  view.setUint32(0, 0x49492a00); // "II", 42
  view.setUint32(4, 10, true);
  view.setUint16(10, entries.length, true);
  for (const [i, [tag, type, value]] of entries.entries()) {
    const at = 12 + 12 * i;
    view.setUint16(at, tag!, true);
    view.setUint16(at + 2, type!, true);
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 8, value!, true);
  }
  return new Uint8Array(view.buffer);
}
