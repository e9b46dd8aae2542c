import { createRequire } from 'node:module';
import type { Server } from '@grpc/grpc-js';
import type * as protoLoader from '@grpc/proto-loader';
import type * as grpcReflection from '@grpc/reflection';
import type * as grpcHealth from 'grpc-health-check';
import { addLazyServices, type MethodShape } from './grpc-lazy-service.ts';
import { protoDirectory } from './proto-directory.ts';

/** The services that every gRPC server is expected to have. */
export interface StandardServices {
  setServing(serving: boolean): void;
}

/**
 * Adds health (grpc.health.v1, for the whole server and for each service) and, where root files are
 * given, reflection. Their libraries parse protos for 0.2 s, so they are loaded by the first call:
 * that of health by the first probe, that of reflection by the first tool that asks.
 */
export function addStandardServices(
  server: Server,
  serviceNames: readonly string[],
  reflection: readonly string[] | undefined,
): StandardServices {
  const require = createRequire(import.meta.url);
  const loadHealth = (): typeof grpcHealth => require('grpc-health-check');
  const names = ['', ...serviceNames];
  let serving = true;
  let health: grpcHealth.HealthImplementation | undefined;
  const tellHealth = (): void => {
    for (const name of names) health?.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
  };
  addLazyServices(server, healthMethods, (library) => {
    health = new (loadHealth().HealthImplementation)();
    tellHealth();
    health.addToServer(library);
  });
  if (reflection !== undefined) {
    addLazyServices(server, reflectionMethods, (library) => {
      const { loadSync }: typeof protoLoader = require('@grpc/proto-loader');
      const { ReflectionService }: typeof grpcReflection = require('@grpc/reflection');
      const files = [...reflection, loadHealth().protoPath];
      new ReflectionService(loadSync(files, { includeDirs: [protoDirectory()] })).addToServer(
        library,
      );
    });
  }
  return {
    setServing: (now) => {
      serving = now;
      tellHealth();
    },
  };
}

const unary = { requestStream: false, responseStream: false } as const;

const healthMethods: readonly MethodShape[] = [
  { path: '/grpc.health.v1.Health/Check', ...unary },
  { path: '/grpc.health.v1.Health/List', ...unary },
  { path: '/grpc.health.v1.Health/Watch', requestStream: false, responseStream: true },
];

const reflectionMethods: readonly MethodShape[] = ['v1', 'v1alpha'].map((version) => ({
  path: `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`,
  requestStream: true,
  responseStream: true,
}));
