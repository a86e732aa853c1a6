import type { DraftFollower } from '#blobs/store.ts'

/** The source sends other bytes for a part of the blob that is there already. */
export class StartDiffers extends Error {}

/** What follows byte `to` of a body that begins at byte `from`, once the bytes before are those of the draft. @throws StartDiffers */
export async function* withoutStart(
  body: AsyncIterable<Uint8Array>,
  draft: DraftFollower,
  { from, to }: { readonly from: number; readonly to: number },
): AsyncGenerator<Uint8Array, void, void> {
  let position = from
  for await (const chunk of body) {
    const known = Math.min(chunk.byteLength, to - position)
    if (known > 0) {
      const own = new Uint8Array(known)
      await draft.read(own, position)
      if (Buffer.compare(own, chunk.subarray(0, known)) !== 0) throw new StartDiffers()
      position += known
    }
    if (known < chunk.byteLength) yield chunk.subarray(known)
  }
}
