// Headers of a tar archive as POSIX has them ("pax", "ustar Interchange Format"), with GNU's way to write sizes of 8 GiB and more.

export const blockBytes = 512

const text = (block: Uint8Array, start: number, length: number) => {
  const field = Buffer.from(block.buffer, block.byteOffset + start, length)
  const end = field.indexOf(0)
  return field.subarray(0, end === -1 ? length : end).toString()
}

/** Names of up to 100 bytes after a slash and 155 before it. */
export function printHeader(name: string, sizeBytes: number, modifiedAtSeconds: number): Buffer {
  const cut = name.length <= 100 ? -1 : name.indexOf('/', name.length - 101)
  const [prefix, last] = cut === -1 ? ['', name] : [name.slice(0, cut), name.slice(cut + 1)]
  if (last.length > 100 || prefix.length > 155) throw new Error(`tar has no room for the name ${name}`)
  const block = Buffer.alloc(blockBytes)
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`
  block.write(last, 0)
  block.write(octal(0o600, 8), 100)
  block.write(octal(0, 8), 108)
  block.write(octal(0, 8), 116)
  if (sizeBytes < 8 ** 11) block.write(octal(sizeBytes, 12), 124)
  else {
    block.writeUInt8(0x80, 124)
    block.writeBigUInt64BE(BigInt(sizeBytes), 128)
  }
  block.write(octal(modifiedAtSeconds, 12), 136)
  block.write('0', 156)
  block.write('ustar\x0000', 257)
  block.write(prefix, 345)
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148)
  return block
}

/** `undefined` for a block that is no header, such as those of zeros at the end. */
export function parseHeader(block: Uint8Array): { readonly name: string; readonly sizeBytes: number } | undefined {
  const given = Number.parseInt(text(block, 148, 8), 8)
  if (block.byteLength !== blockBytes || given !== checksum(block)) return undefined
  const large = ((block[124] ?? 0) & 0x80) !== 0
  const sizeBytes = large
    ? Number(Buffer.from(block.buffer, block.byteOffset, blockBytes).readBigUInt64BE(128))
    : Number.parseInt(text(block, 124, 12), 8)
  const prefix = text(block, 345, 155)
  const last = text(block, 0, 100)
  return { name: prefix === '' ? last : `${prefix}/${last}`, sizeBytes }
}

/** The sum of all bytes, with blanks for those of the sum. */
function checksum(block: Uint8Array): number {
  let sum = 0
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte
  return sum
}

export function paddingOf(sizeBytes: number): number {
  return (blockBytes - (sizeBytes % blockBytes)) % blockBytes
}
