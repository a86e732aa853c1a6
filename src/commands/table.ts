import { accountCommands } from './account.ts'
import { auditCommands } from './audit.ts'
import { backupCommand } from './backup.ts'
import { cacheCommands } from './cache.ts'
import type { Command, CommandGroup } from './command.ts'
import { dockerCredentialCommands } from './docker-credential.ts'
import { eventCommands } from './events.ts'
import { gcCommands } from './gc.ts'
import { groupCommands } from './group.ts'
import { imageCommands } from './image.ts'
import { inUseCommands } from './in-use.ts'
import { jobsCommands } from './jobs.ts'
import { keyCommands } from './key.ts'
import { lifecycleCommands } from './lifecycle.ts'
import { loginPasswordCommand } from './login-password.ts'
import { recycleBinCommands } from './recycle-bin.ts'
import { replicationCommands } from './replication.ts'
import { repositoryCommands } from './repository.ts'
import { restoreCommand } from './restore.ts'
import { retentionCommands } from './retention.ts'
import { roleCommands } from './role.ts'
import { scrubCommands } from './scrub.ts'
import { storageCommand } from './storage.ts'
import { tagCommands } from './tag.ts'
import { tokenKeyCommands } from './token-keys.ts'
import { userCommands } from './user.ts'
import { webhookCommands } from './webhook.ts'
import { whyCommand } from './why.ts'

/** Every command besides `serve`, in the order of `lading --help`. */
export const commandTable: readonly (Command | CommandGroup)[] = [
  accountCommands,
  userCommands,
  groupCommands,
  keyCommands,
  roleCommands,
  repositoryCommands,
  imageCommands,
  tagCommands,
  lifecycleCommands,
  recycleBinCommands,
  inUseCommands,
  cacheCommands,
  webhookCommands,
  eventCommands,
  replicationCommands,
  retentionCommands,
  gcCommands,
  storageCommand,
  jobsCommands,
  auditCommands,
  tokenKeyCommands,
  loginPasswordCommand,
  dockerCredentialCommands,
  whyCommand,
  scrubCommands,
  backupCommand,
  restoreCommand,
]
