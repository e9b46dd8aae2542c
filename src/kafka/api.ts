import { ByteReader } from '../codec/reader.ts';
import type { Fields, MessageOf } from './fields.ts';
import type { FrameWriter } from './frame-writer.ts';
import { type MessageCodec, messageCodec } from './message-codec.ts';
import type { RequestContext } from './request-context.ts';
import { includes, type VersionRange, versions } from './versions.ts';

/** What one API is, and the messages of all its versions: its rows of the schema table. */
export interface ApiSchema<Request extends Fields, Response extends Fields> {
  readonly key: number;
  /** As Kafka calls it. */
  readonly name: string;
  /** Which versions are served. */
  readonly versions: string;
  /** Which are said to be, where that is more. */
  readonly advertised?: string;
  /** From which version on messages are flexible (KIP-482). */
  readonly flexible: string;
  readonly request: Request;
  readonly response: Response;
  /**
   * Whether it may begin while others like it, on the same connection, are unanswered. All else begins
   * when everything before it is answered.
   */
  readonly overlaps?: boolean;
  /** Whether the header of its answers is flexible as its messages are: all but ApiVersions. */
  readonly hasFlexibleHeader?: boolean;
}

/** A request that can be paid for, then decoded, and then run. */
export interface OpenRequest {
  /** What it will take in memory, decoded. */
  readonly heapBytes: number;
  /** @throws CorruptError if it is not what it should be */
  decode(): RunRequest;
}

/** Null is answered by nothing at all. Rejects with what nobody expected. */
export type RunRequest = (context: RequestContext) => Promise<Answer | null>;

/** Writes what is answered. */
export type Answer = (writer: FrameWriter) => void;

/** One API as the connection sees it. */
export interface Api {
  readonly key: number;
  readonly name: string;
  readonly versions: VersionRange;
  readonly advertised: VersionRange;
  readonly flexible: VersionRange;
  readonly overlaps: boolean;
  readonly hasFlexibleHeader: boolean;
  readonly request: Fields;
  readonly response: Fields;
  /**
   * Looks at a request without decoding it.
   *
   * @throws CorruptError if its lengths are not what they should be
   */
  open(body: Uint8Array, version: number): OpenRequest;
}

/** Serves a request; null is answered by nothing at all. */
export type Serve<Request extends Fields, Response extends Fields> = (
  request: MessageOf<Request>,
  context: RequestContext,
) => Promise<MessageOf<Response> | null>;

interface Codecs<Request, Response> {
  readonly request: MessageCodec<Request>;
  readonly response: MessageCodec<Response>;
}

/** Puts a schema and what serves it together. */
export function api<Request extends Fields, Response extends Fields>(
  schema: ApiSchema<Request, Response>,
  serve: Serve<Request, Response>,
): Api {
  const flexible = versions(schema.flexible);
  const served = versions(schema.versions);
  const codecs = new Map<number, Codecs<MessageOf<Request>, MessageOf<Response>>>();
  const codecsOf = (version: number): Codecs<MessageOf<Request>, MessageOf<Response>> => {
    const known = codecs.get(version);
    if (known !== undefined) return known;
    const isFlexible = includes(flexible, version);
    const made = {
      request: messageCodec(schema.request, version, isFlexible),
      response: messageCodec(schema.response, version, isFlexible),
    };
    codecs.set(version, made);
    return made;
  };
  return {
    key: schema.key,
    name: schema.name,
    versions: served,
    advertised: versions(schema.advertised ?? schema.versions),
    flexible,
    overlaps: schema.overlaps ?? false,
    hasFlexibleHeader: schema.hasFlexibleHeader ?? true,
    request: schema.request,
    response: schema.response,
    open(body, version) {
      const { request, response } = codecsOf(version);
      const heapBytes = request.skip(new ByteReader(body));
      return {
        heapBytes,
        decode() {
          const message = request.read(new ByteReader(body));
          return async (context) => {
            const answer = await serve(message, context);
            return answer === null ? null : (writer) => response.write(writer, answer);
          };
        },
      };
    },
  };
}
