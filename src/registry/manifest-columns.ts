import { allColumns } from '#metadata/all-columns.ts'
import type { ManifestReferenceTable, ManifestTable } from '#metadata/schema/registry.ts'

/** What an image keeps on its way to the recycle bin and back. Its bytes stay where they are (`image-content.ts`). */
export const manifestColumns = allColumns<ManifestTable>()([
  'repository_id',
  'digest',
  'media_type',
  'artifact_type',
  'subject',
  'image_size',
  'pushed_at',
  'pulled_at',
  'status',
  'archived_at',
  'activated_at',
])

export const referenceColumns = allColumns<ManifestReferenceTable>()([
  'repository_id',
  'parent',
  'child',
  'kind',
  'media_type',
])
