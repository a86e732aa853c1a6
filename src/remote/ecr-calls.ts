// Operations of the ECR API that push to a peer which has it (ECR API reference, CreateRepository and PutImage).

import { callEcr, type EcrParts, withSession } from './aws-calls.ts'
import { failureOfAnswer } from './failures.ts'
import { oneLine } from './push-failures.ts'
import type { Answered } from './redirects.ts'
import {
  type EcrCalls,
  type EcrCredentials,
  type RemoteError,
  RemoteFailure,
  type RemoteFailureReason,
} from './registry.ts'

export function createEcrCalls(credentials: EcrCredentials, parts: EcrParts): EcrCalls {
  const registryId = credentials.account

  /** The exception that refuses the call, or nothing. @throws RemoteFailure for any but `understood` */
  async function call(
    operation: string,
    input: Readonly<Record<string, unknown>>,
    understood: string,
    signal: AbortSignal | undefined,
  ): Promise<RemoteError | undefined> {
    return withSession(credentials, parts, async () => {
      const answer = await callEcr(credentials, parts, { operation, input: { registryId, ...input }, signal })
      if (answer.status === 200) {
        await answer.discard()
        return undefined
      }
      const said = await readException(answer)
      if (said?.code === understood) return said
      throw failureOfException(answer, said, parts.clock())
    })
  }

  return {
    async createRepository(repositoryName, { signal } = {}) {
      const exists = 'RepositoryAlreadyExistsException'
      const said = await call('CreateRepository', { repositoryName }, exists, signal)
      return said === undefined ? 'created' : 'exists'
    },

    async putImage(repositoryName, { body, mediaType, digest, tag }, { signal } = {}) {
      const input = {
        ...{ repositoryName, imageManifest: Buffer.from(body).toString('utf8'), imageManifestMediaType: mediaType },
        ...{ imageDigest: digest, ...(tag !== undefined && { imageTag: tag }) },
      }
      await call('PutImage', input, 'ImageAlreadyExistsException', signal)
    },
  }
}

const longestAnswer = 64 * 1024

async function readException(answer: Answered): Promise<RemoteError | undefined> {
  const text = (await answer.start(longestAnswer)).toString()
  try {
    // Each member is checked below.
    const { __type: type, message, Message } = JSON.parse(text) as Record<string, unknown>
    return typeof type === 'string'
      ? { code: oneLine(type.replace(/^.*#/, '')), message: oneLine(message ?? Message) }
      : undefined
  } catch {
    return undefined
  }
}

const reasons: Readonly<Record<string, readonly [RemoteFailureReason, string]>> = {
  RepositoryNotFoundException: ['missing', 'it has no such repository'],
  ImageTagAlreadyExistsException: ['immutable', 'the tag is taken, and may not move'],
  AccessDeniedException: ['forbidden', 'it forbids this'],
  UnrecognizedClientException: ['unauthorized', 'it refuses the AWS credentials'],
  InvalidSignatureException: ['unauthorized', 'it refuses the AWS credentials'],
  ExpiredTokenException: ['unauthorized', 'it refuses the AWS credentials'],
  IncompleteSignatureException: ['unauthorized', 'it refuses the AWS credentials'],
  MissingAuthenticationTokenException: ['unauthorized', 'it refuses the AWS credentials'],
  ThrottlingException: ['limited', 'it receives too many requests'],
  TooManyRequestsException: ['limited', 'it receives too many requests'],
  LimitExceededException: ['forbidden', 'it has a quota in the way'],
}

function failureOfException(answer: Answered, said: RemoteError | undefined, now: number): RemoteFailure {
  const [reason, message] = reasons[said?.code ?? ''] ?? []
  const plain = failureOfAnswer(answer, now)
  return new RemoteFailure(reason ?? plain.reason, message ?? plain.message, {
    retryAfterMs: plain.retryAfterMs,
    said,
  })
}
