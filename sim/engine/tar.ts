/** The smallest tar archive: one regular file, for containers that nothing was copied into. */

export function tarOf(name: string, content: Buffer): Buffer {
  const head = Buffer.alloc(512);
  head.write(name, 0);
  head.write("0000644\0", 100);
  head.write("0000000\0", 108);
  head.write("0000000\0", 116);
  head.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  head.write("00000000000\0", 136);
  head.write("        ", 148);
  head.write("0", 156);
  head.write("ustar\u000000", 257);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([head, content, padding, Buffer.alloc(1024)]);
}

/** Size in bytes of the first entry called `name` (its last part); undefined when there is none. */
export function sizeInTar(tar: Buffer, name: string): number | undefined {
  for (let at = 0; at + 512 <= tar.length; ) {
    const entry = tar.toString("utf8", at, at + 100).replace(/\0.*$/s, "");
    if (entry === "") return undefined;
    const size = Number.parseInt(tar.toString("ascii", at + 124, at + 135), 8) || 0;
    if (entry.replace(/\/$/, "").split("/").pop() === name) return size;
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return undefined;
}
