/** Calls of Lading's own API, signed as AWS's are. */
import { SignatureV4 } from '@smithy/signature-v4'
import { Sha256 } from '#lib/sha256.ts'
import type { Credentials, RunningServer } from './server.ts'

export interface AdminAnswer<T> {
  readonly status: number
  readonly body: T
  readonly requestId: string
}

export async function callAdmin<T>(
  server: RunningServer,
  credentials: Credentials,
  operation: string,
  input: object,
  signingDate = new Date(),
): Promise<AdminAnswer<T>> {
  const signer = new SignatureV4({ service: 'lading', region: server.region, credentials, sha256: Sha256 })
  const body = JSON.stringify(input)
  const headers = {
    host: server.host,
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': `Lading_20261125.${operation}`,
  }
  const request = { method: 'POST', protocol: 'http:', hostname: server.host, path: '/', query: {}, headers, body }
  const signed = await signer.sign(request, { signingDate })
  const answer = await fetch(server.url, { method: 'POST', headers: signed.headers, body })
  // What the API promises of the operation.
  const requestId = answer.headers.get('x-amzn-requestid') ?? ''
  return { status: answer.status, body: (await answer.json()) as T, requestId }
}
