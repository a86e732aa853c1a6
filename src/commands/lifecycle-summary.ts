// The lines above the table of `lading lifecycle preview`: how much would go, what that frees, and what a draft changes.

import type { LifecyclePreviewSummary } from '#admin/model.ts'
import type { Wire } from './api/client.ts'

export function summaryLines(summary: Wire<LifecyclePreviewSummary>): string[] {
  const { expireCount, archiveCount, imageCount, recycleBinDays, difference } = summary
  const lines: string[] = []
  if (expireCount + archiveCount === 0) lines.push(`Would change nothing: ${staysText(imageCount)}.`)
  else {
    const parts = [
      ...(expireCount > 0 ? [`expire ${images(expireCount)}`] : []),
      ...(archiveCount > 0 ? [`archive ${expireCount > 0 ? number(archiveCount) : images(archiveCount)}`] : []),
    ]
    lines.push(`Would ${parts.join(' and ')} of ${number(imageCount)}, ${freedText(summary)}`)
    if (expireCount > 0 && recycleBinDays > 0) {
      lines.push(
        `They can be restored for ${recycleBinDays === 1 ? '1 day' : `${recycleBinDays} days`}, and are freed then.`,
      )
    }
  }
  if (difference !== undefined) {
    const { draftCount, inForceCount, bothCount } = difference
    lines.push(
      `Against the policy in force: ${number(draftCount)} more (+), ${number(inForceCount)} fewer (-), ${number(bothCount)} the same.`,
    )
  }
  return lines
}

function staysText(count: number): string {
  if (count === 0) return 'there is no image'
  return count === 1 ? 'the one image stays' : `all ${images(count)} stay`
}

function freedText({ expireCount, expiringSizeInBytes, freedSizeInBytes }: Wire<LifecyclePreviewSummary>): string {
  if (expireCount === 0) return 'freeing nothing: what is archived keeps its bytes.'
  if (freedSizeInBytes === expiringSizeInBytes) return `freeing ${bytes(freedSizeInBytes)}, all that they have.`
  return `freeing ${bytes(freedSizeInBytes)} of their ${bytes(expiringSizeInBytes)}: the rest is shared with images that stay.`
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

/** Such as `18.2 GiB`. */
export function bytes(size: number): string {
  const power = size < 1 ? 0 : Math.min(Math.floor(Math.log2(size) / 10), units.length - 1)
  return `${power === 0 ? size : (size / 1_024 ** power).toFixed(1)} ${units[power]}`
}

function images(count: number): string {
  return count === 1 ? '1 image' : `${number(count)} images`
}

function number(count: number): string {
  return count.toLocaleString('en-US')
}
