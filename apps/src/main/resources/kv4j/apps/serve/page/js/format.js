/** Numbers as people read them. */

const WHOLE = new Intl.NumberFormat("en");
const THREE = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });

export const count = (number) => WHOLE.format(number);

export const three = (number) => THREE.format(number);

/** A noun with its number. */
export const many = (number, noun, plural = `${noun}s`) => `${count(number)} ${number === 1 ? noun : plural}`;

export function bytes(number) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = number;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${THREE.format(value)} ${units[unit]}`;
}

/** Milliseconds. */
export function duration(ms) {
  if (ms === null || ms === undefined) {
    return "–";
  }
  if (ms < 1000) {
    return `${THREE.format(ms)} ms`;
  }
  return ms < 120_000 ? `${THREE.format(ms / 1000)} s` : `${THREE.format(ms / 60_000)} min`;
}

export const percent = (part, whole) =>
  whole === 0 ? "–" : `${new Intl.NumberFormat("en", { maximumFractionDigits: part === whole ? 0 : 1 }).format((100 * part) / whole)} %`;

/** A number with a sign of multiplication, as of a speedup. */
export const times = (factor) => `${THREE.format(factor)}×`;
