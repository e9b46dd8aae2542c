import type { Server } from '@grpc/grpc-js';
import { protoDirectory } from './proto-directory.ts';

/** The services that every gRPC server is expected to have. */
export interface StandardServices {
  addTo(server: Server): void;
  setServing(serving: boolean): void;
}

/**
 * Health (grpc.health.v1, for the whole server and for each service) and, where root files are
 * given, reflection. Their libraries are imported here and now, so that clients never load them.
 */
export async function loadStandardServices(
  serviceNames: readonly string[],
  reflection: readonly string[] | undefined,
): Promise<StandardServices> {
  const { HealthImplementation, protoPath } = await import('grpc-health-check');
  const health = new HealthImplementation();
  const setServing = (serving: boolean): void => {
    for (const name of ['', ...serviceNames]) {
      health.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
    }
  };
  setServing(true);
  const addReflection =
    reflection === undefined ? undefined : await loadReflection([...reflection, protoPath]);
  return {
    addTo: (server) => {
      health.addToServer(server);
      addReflection?.(server);
    },
    setServing,
  };
}

async function loadReflection(files: string[]): Promise<(server: Server) => void> {
  const [{ ReflectionService }, { load }] = await Promise.all([
    import('@grpc/reflection'),
    import('@grpc/proto-loader'),
  ]);
  const definition = await load(files, { includeDirs: [protoDirectory()] });
  const service = new ReflectionService(definition);
  return (server) => service.addToServer(server);
}
