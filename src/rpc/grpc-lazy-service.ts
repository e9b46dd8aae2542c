import type {
  Server,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';

/** A method, and whether its requests and its responses are streams. */
export interface MethodShape {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/**
 * Adds services that a library implements, and loads it when the first of their messages arrives. That
 * is in the middle of decoding it, so `load` cannot wait; it adds to the server it gets, which only
 * remembers, what the library would have added to a real one.
 */
export function addLazyServices(
  server: Server,
  methods: readonly MethodShape[],
  load: (server: Server) => void,
): void {
  let loaded: ReadonlyMap<string, LoadedMethod> | undefined;
  const method = (path: string): LoadedMethod => {
    loaded ??= methodsOf(load);
    const found = loaded.get(path);
    if (found === undefined) throw new Error(`the library does not implement ${path}`);
    return found;
  };
  const definition: Record<string, ServiceDefinition[string]> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const shape of methods) {
    const { path } = shape;
    definition[path] = {
      ...shape,
      requestSerialize: (message: unknown) => method(path).definition.requestSerialize(message),
      requestDeserialize: (bytes) => method(path).definition.requestDeserialize(bytes),
      responseSerialize: (message: unknown) => method(path).definition.responseSerialize(message),
      responseDeserialize: (bytes) => method(path).definition.responseDeserialize(bytes),
    };
    implementation[path] = (...call: unknown[]): void => method(path).handle(...call);
  }
  server.addService(definition, implementation);
}

interface LoadedMethod {
  readonly definition: ServiceDefinition[string];
  handle(...call: readonly unknown[]): void;
}

/** What `load` adds, by the paths of the methods. */
function methodsOf(load: (server: Server) => void): ReadonlyMap<string, LoadedMethod> {
  const methods = new Map<string, LoadedMethod>();
  const addService = (
    service: ServiceDefinition,
    implementation: UntypedServiceImplementation,
  ): void => {
    for (const [name, definition] of Object.entries(service)) {
      const handle = implementation[name] ?? implementation[definition.originalName ?? ''];
      if (handle === undefined) continue;
      methods.set(definition.path, { definition, handle: asFunction(handle, implementation) });
    }
  };
  load({ addService } as unknown as Server);
  return methods;
}

/** All kinds of handlers are called with what grpc-js made for their kind of method. */
const asFunction = (
  handle: UntypedHandleCall,
  implementation: UntypedServiceImplementation,
): LoadedMethod['handle'] => (handle as (...call: readonly unknown[]) => void).bind(implementation);
