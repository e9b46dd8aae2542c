import {
  fetchRequestCodec,
  fetchResponseCodec,
  produceRequestCodec,
  produceResponseCodec,
} from './log-codecs.ts';
import type {
  FetchRequest,
  FetchResponse,
  ProduceRequest,
  ProduceResponse,
} from './log-messages.ts';
import type { Method } from './method.ts';

/** The streams of `varve.v1.LogService`. */
export const produceMethod: Method<ProduceRequest, ProduceResponse> = {
  path: '/varve.v1.LogService/Produce',
  request: produceRequestCodec,
  response: produceResponseCodec,
};

export const fetchMethod: Method<FetchRequest, FetchResponse> = {
  path: '/varve.v1.LogService/Fetch',
  request: fetchRequestCodec,
  response: fetchResponseCodec,
};
