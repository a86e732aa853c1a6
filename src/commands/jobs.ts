import { cancelJob, type Job, type JobState, jobStates, listJobs, retryJob, runSchedule } from '#jobs/overview.ts'
import { everyPage } from '#lib/every-page.ts'
import { type Call, CommandError, type CommandGroup, textOf } from './command.ts'
import { type Fields, pageSize, shownPages, time } from './output.ts'

/** What a deployment does by itself. Servers know of a change within a second. */
export const jobsCommands: CommandGroup = {
  name: 'jobs',
  description: 'what servers do by themselves: lifecycle runs, garbage collection and so on',
  commands: [
    {
      name: 'list',
      description: 'list them, the latest first; those that are over are kept for a week',
      options: [
        ['--state <state>', `only those that are ${jobStates.join(', ')}`],
        ['--kind <kind>', 'only those of one kind'],
      ],
      example: 'lading jobs list --state failed',
      run: list,
    },
    {
      name: 'retry',
      description: 'have a job that failed, was cancelled or waits for its time be due now',
      arguments: [['<id>', 'its number']],
      example: 'lading jobs retry 17',
      run: retry,
    },
    {
      name: 'cancel',
      description: 'have a job that waits not be done',
      arguments: [['<id>', 'its number']],
      example: 'lading jobs cancel 17',
      run: cancel,
    },
    {
      name: 'run',
      description: 'have what is done time and again be due now',
      arguments: [['<schedule>', 'its name, such as collect-garbage']],
      example: 'lading jobs run collect-garbage',
      run,
    },
  ],
}

async function list(call: Call): Promise<void> {
  const state = stateOf(call)
  const kind = textOf(call, 'kind')
  const deployment = await call.open()
  const pages = everyPage((after?: number) =>
    listJobs(deployment.metadata, { state, kind }, { limit: pageSize, after }),
  )
  const columns = ['id', 'kind', 'key', 'state', 'runAt', 'attempts', 'lastError']
  await call.output.list('jobs', shownPages(pages, jobFields), columns)
}

async function retry(call: Call): Promise<void> {
  const id = idOf(call)
  const { metadata, clock } = await call.open()
  await retryJob(metadata, id, clock())
  call.output.note(`Job ${id} is due now.`)
}

async function cancel(call: Call): Promise<void> {
  const id = idOf(call)
  const { metadata, clock } = await call.open()
  await cancelJob(metadata, id, clock())
  call.output.note(`Job ${id} is cancelled.`)
}

async function run(call: Call): Promise<void> {
  const [name = ''] = call.arguments
  const { metadata, clock } = await call.open()
  await runSchedule(metadata, name, clock)
  call.output.note(`${name} is due now.`)
}

function stateOf(call: Call): JobState | undefined {
  const text = textOf(call, 'state')
  const state = jobStates.find((known) => known === text)
  if (text !== undefined && state === undefined)
    throw new CommandError(`${JSON.stringify(text)} is no state: expected one of ${jobStates.join(', ')}`)
  return state
}

function idOf({ arguments: [text = ''] }: Call): number {
  if (!/^\d{1,15}$/.test(text)) throw new CommandError(`${JSON.stringify(text)} is no number of a job`)
  return Number(text)
}

function jobFields({ runAt, finishedAt, ...job }: Job): Fields {
  return { ...job, runAt: time(runAt), finishedAt: time(finishedAt) }
}
