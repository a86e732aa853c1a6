import type { AuditTables } from './schema/audit.ts'
import type { EventTables } from './schema/events.ts'
import type { IamTables } from './schema/iam.ts'
import type { JobTables } from './schema/jobs.ts'
import type { LifecycleTables } from './schema/lifecycle.ts'
import type { RegistryTables } from './schema/registry.ts'
import type { ReplicationTables } from './schema/replication.ts'
import type { ReplicationRunTables } from './schema/replication-runs.ts'
import type { SecretTables } from './schema/secrets.ts'
import type { UpstreamTables } from './schema/upstream.ts'
import type { WebhookTables } from './schema/webhooks.ts'

/** Every table. A room's tables are named in SQL by that room alone. */
export interface Schema
  extends AuditTables,
    EventTables,
    IamTables,
    JobTables,
    LifecycleTables,
    RegistryTables,
    ReplicationTables,
    ReplicationRunTables,
    SecretTables,
    UpstreamTables,
    WebhookTables {}
