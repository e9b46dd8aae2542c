import { serveJob } from '../run/worker.ts';
import { fetch } from './fetch.ts';
import { first } from './first.ts';
import type { LoadJob, Work } from './job.ts';
import { latency } from './latency.ts';
import { fill, produce } from './produce.ts';

/** The load for Varve: one job a process. */
const works: Record<Work, (job: LoadJob) => Promise<object>> = {
  produce,
  fill,
  fetch,
  latency,
  first,
};

serveJob<LoadJob>((job) => works[job.work](job));
