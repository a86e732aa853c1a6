import type { ApiCall, ApiCommand } from './command.ts'
import { time } from './output.ts'

/** As `aws ecr get-login-password`, for machines that do not have `aws`. */
export const loginPasswordCommand: ApiCommand = {
  name: 'login-password',
  over: 'api',
  description: 'print a password for docker login, good for twelve hours; the user name is AWS',
  example: 'lading login-password | docker login --username AWS --password-stdin registry.example',
  run: printPassword,
}

async function printPassword({ api, output }: ApiCall): Promise<void> {
  const { username, password, proxyEndpoint, expiresAt } = await api.authorizationToken()
  output.value(password, { username, password, proxyEndpoint, expiresAt: time(expiresAt) })
}
