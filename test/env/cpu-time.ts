// How much this process has computed, for tests that a hostile input takes no time that grows with its square. Not the wall
// clock: on a machine with much else to do that says nothing.

/** Milliseconds of processor time since the process began, of all its threads. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
