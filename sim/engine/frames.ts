/** The eight-byte header of attach, logs and exec streams without a terminal. */

export function frame(stream: 1 | 2, data: Buffer): Buffer {
  const out = Buffer.allocUnsafe(8 + data.length);
  out.writeUInt32BE(stream << 24, 0);
  out.writeUInt32BE(data.length, 4);
  data.copy(out, 8);
  return out;
}
