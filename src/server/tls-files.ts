import { SettingError } from '../config/setting.ts';
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
    throw new SettingError(
      tlsCertFile === '' ? 'grpc.tls.cert.file' : 'grpc.tls.key.file',
      'TLS needs both a certificate and its private key',
    );
  }
  const [cert, key] = await Promise.all([files.readFile(tlsCertFile), files.readFile(tlsKeyFile)]);
  if (tlsClientCaFile === '') return { cert, key };
  return { cert, key, ca: await files.readFile(tlsClientCaFile) };
}
