/** What a process has used, as Linux tells it (proc(5)). */
import { readFile } from 'node:fs/promises'

/** `sysconf(_SC_CLK_TCK)`, which Linux has fixed for programs. */
const ticksPerSecond = 100

/** User and system time of all its threads, in seconds. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
  // The second field is a name in parentheses that may hold anything; the third, the state, comes after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** The most memory that was ever resident, in MB. */
export async function peakResidentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1')
  return (Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6
}
