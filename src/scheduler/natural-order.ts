/** The order that people expect of names: `node-2` before `node-10`. A total order, the same on every machine. */

export function compareNatural(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (isDigit(a, i) && isDigit(b, j)) {
      const [m, n] = [numberAt(a, i), numberAt(b, j)];
      const difference = m.digits.length - n.digits.length || compare(m.digits, n.digits);
      if (difference !== 0) return difference;
      i = m.end;
      j = n.end;
      continue;
    }
    const difference = a.charCodeAt(i++) - b.charCodeAt(j++);
    if (difference !== 0) return difference;
  }
  // `node-1` and `node-01` are the same so far: the plain order decides, so that only equal names are equal.
  return a.length - i - (b.length - j) || compare(a, b);
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}

/** A run of digits without its leading zeros. */
function numberAt(text: string, at: number): { digits: string; end: number } {
  let start = at;
  while (text[start] === "0" && isDigit(text, start + 1)) start++;
  let end = start;
  while (isDigit(text, end)) end++;
  return { digits: text.slice(start, end), end };
}
