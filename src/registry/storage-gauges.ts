import type { Reader } from '#metadata/metadata.ts'
import { readStorageUsage, type StorageUsage } from './storage-usage.ts'

/** What each registry stores, for metrics. */
export const storageGauges = [
  gauge('lading_storage_stored_bytes', 'Bytes of blobs and manifests of a registry.', (of) => of.storedBytes),
  gauge('lading_storage_upload_bytes', 'Bytes of uploads that are open in a registry.', (of) => of.uploadBytes),
  gauge('lading_storage_open_uploads', 'Uploads that are open in a registry.', (of) => of.openUploads),
] as const

function gauge(name: string, help: string, count: (usage: StorageUsage) => number) {
  const read = async (reader: Reader) => {
    const usage = await readStorageUsage(reader)
    return usage.map((of) => ({ labels: { account: of.account, region: of.region }, value: count(of) }))
  }
  return { name, help, labelNames: ['account', 'region'], read } as const
}
