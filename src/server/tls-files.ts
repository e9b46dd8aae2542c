import { SettingError } from '../config/setting.ts';
import type { FileSystem } from '../env/ports.ts';

/** What a listener shows, in PEM; with `ca` it asks every client for a certificate. */
export interface Certificates {
  readonly cert: Uint8Array;
  readonly key: Uint8Array;
  readonly ca?: Uint8Array;
}

/** Settings of the certificates of one door. */
export interface TlsSettings {
  /** What their keys begin with, such as `grpc.tls`. */
  readonly prefix: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly clientCaFile: string;
}

/** The certificates of a listener, or nothing if none are set. */
export async function readTlsFiles(
  { prefix, certFile, keyFile, clientCaFile }: TlsSettings,
  files: FileSystem,
): Promise<Certificates | undefined> {
  if (certFile === '' && keyFile === '' && clientCaFile === '') return undefined;
  if (certFile === '' || keyFile === '') {
    throw new SettingError(
      certFile === '' ? `${prefix}.cert.file` : `${prefix}.key.file`,
      'TLS needs both a certificate and its private key',
    );
  }
  const [cert, key] = await Promise.all([files.readFile(certFile), files.readFile(keyFile)]);
  if (clientCaFile === '') return { cert, key };
  return { cert, key, ca: await files.readFile(clientCaFile) };
}
