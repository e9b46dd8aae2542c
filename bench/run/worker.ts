/**
 * The other end of `Workspace.work`: the frame of every load and limit process. The job comes as
 * JSON in the first argument, events leave as JSON lines on stdout, and the process ends when its
 * parent does, because then its stdin closes.
 */
export function serveJob<Job>(work: (job: Job) => Promise<object>): void {
  process.stdin.resume();
  process.stdin.on('end', () => process.exit(1));
  const job = JSON.parse(process.argv[2] ?? 'null') as Job;
  work(job).then(
    (result) => emit({ event: 'result', ...result }, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
}

export function emit(event: { readonly event: string }, then?: () => void): void {
  process.stdout.write(`${JSON.stringify(event)}\n`, then);
}
