import { readStorageUsage } from '#registry/storage-usage.ts'
import type { Call, Command } from './command.ts'
import { onePage } from './output.ts'

/** What the quotas of bytes and of open uploads count. */
export const storageCommand: Command = {
  name: 'storage',
  description: 'list how many bytes each registry stores, and its open uploads',
  example: 'lading storage',
  run: list,
}

async function list({ output, settings: { quotas }, open }: Call): Promise<void> {
  const { metadata } = await open()
  const usage = await readStorageUsage(metadata.reader)
  const rows = usage.map((of) => ({ ...of }))
  await output.list('registries', onePage(rows), ['account', 'region', 'storedBytes', 'openUploads', 'uploadBytes'])
  const limit = (bytes: number) => (bytes === Number.POSITIVE_INFINITY ? 'no limit' : `at most ${bytes} bytes`)
  output.note(
    `By these settings a registry has ${limit(quotas.bytesPerRegistry)}, and an account ${limit(quotas.bytesPerAccount)}.`,
  )
}
