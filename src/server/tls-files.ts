import type { FileSystem } from '../env/ports.ts';
import type { TlsOptions } from '../rpc/transport.ts';
import type { ServerConfig } from './server-config.ts';

/** The certificates of the gRPC listener, or nothing if it is to be plain. */
export async function readTlsFiles(
  config: ServerConfig,
  files: FileSystem,
): Promise<TlsOptions | undefined> {
  const { tlsCertFile, tlsKeyFile, tlsClientCaFile } = config;
  if (tlsCertFile === '' && tlsKeyFile === '' && tlsClientCaFile === '') return undefined;
  if (tlsCertFile === '' || tlsKeyFile === '') {
    throw new Error(
      'TLS needs both grpc.tls.cert.file and grpc.tls.key.file; grpc.tls.client.ca.file goes with them',
    );
  }
  const [cert, key] = await Promise.all([files.readFile(tlsCertFile), files.readFile(tlsKeyFile)]);
  if (tlsClientCaFile === '') return { cert, key };
  return { cert, key, ca: await files.readFile(tlsClientCaFile) };
}
