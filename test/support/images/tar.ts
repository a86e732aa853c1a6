/**
 * The smallest tar archive that container engines unpack: regular files, owned by root, dated 1970 (ustar, POSIX.1-1988).
 * The same files give the same bytes.
 */

const blockBytes = 512

/** A tar archive of `files`, whose keys are paths of at most 100 bytes, relative to the root. */
export function tar(files: Readonly<Record<string, Uint8Array | string>>): Buffer {
  const parts: Uint8Array[] = []
  for (const [path, content] of Object.entries(files)) {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    parts.push(header(path, bytes.length), bytes, Buffer.alloc(-bytes.length & (blockBytes - 1)))
  }
  parts.push(Buffer.alloc(2 * blockBytes))
  return Buffer.concat(parts)
}

function header(path: string, sizeBytes: number): Buffer {
  if (Buffer.byteLength(path) > 100) throw new RangeError(`tar: '${path}' is longer than 100 bytes`)
  const block = Buffer.alloc(blockBytes)
  block.write(path, 0)
  block.write('0000755\0', 100)
  block.write('0000000\0', 108)
  block.write('0000000\0', 116)
  block.write(`${sizeBytes.toString(8).padStart(11, '0')}\0`, 124)
  block.write('00000000000\0', 136)
  block.write('        0', 148) // the checksum counts its own field as spaces; then the type: a regular file
  block.write('ustar\x0000', 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return block
}
