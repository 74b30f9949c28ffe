// The flags of klog, the 2019 program's log: understood so that an old Deployment starts, and ignored. Part of the
// configuration; must not know how our own log works beyond what its warning says.

/** klog 0.x and 1.0, InitFlags in klog.go. Only a boolean may stand alone; the level is no number of ours to check. */
const boolean = { default: false, help: '', ignored: true } as const;
const value = { default: '', help: '', ignored: true } as const;

export const klogFlags = {
  logtostderr: boolean,
  alsologtostderr: boolean,
  add_dir_header: boolean,
  skip_headers: boolean,
  skip_log_headers: boolean,
  v: value,
  vmodule: value,
  stderrthreshold: value,
  log_backtrace_at: value,
  log_dir: value,
  log_file: value,
  log_file_max_size: value,
} as const;

/** One sentence that names those that were given, or none. */
export function klogWarnings(given: ReadonlySet<string>): string[] {
  const names = Object.keys(klogFlags).filter((name) => given.has(name));
  if (names.length === 0) return [];
  const flags = names.map((name) => `-${name}`).join(', ');
  return [`ignored, since the log always goes to standard error and -log-level says how much: ${flags}; remove them`];
}
