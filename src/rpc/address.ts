/** A place to listen on or to connect to. */
export interface Address {
  /** Name or number; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

const shape = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^\s[\]:/@]+)):(\d{1,5})$/;

/** Reads `host:port`; IPv6 stands in brackets (`[::1]:9095`). Throws an `Error` that says what is wrong. */
export function parseAddress(text: string): Address {
  const parts = shape.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port > 65_535) {
    throw new Error(
      `address ${JSON.stringify(text)} is not HOST:PORT with a port from 0 to 65535 (IPv6 as [::1]:9095)`,
    );
  }
  return { host: parts[1] ?? parts[2]!, port };
}

/** The inverse of `parseAddress`. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
