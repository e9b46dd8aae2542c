import { type ByteReader, CorruptError } from '../codec/reader.ts';
import type { ByteWriter } from '../codec/writer.ts';
import { type BrokerEpoch, brokerEpoch, nodeId } from '../model/ids.ts';
import { isPlainRegistration } from './features.ts';
import type {
  BrokerChangeRecord,
  BrokerListener,
  BrokerState,
  FeatureRange,
  RegisterBrokerRecord,
  UnregisterBrokerRecord,
} from './metadata-records.ts';
import {
  NONE,
  readBrokerEpoch,
  readCount,
  readPort,
  readText,
  writeText,
} from './record-fields.ts';

/** What a listener and a feature take at least, with empty texts. */
const MIN_LISTENER_BYTES = 16;
const MIN_FEATURE_BYTES = 8;
/** Numbers on disk. */
const states: readonly BrokerState[] = ['fenced', 'unfenced', 'shutting-down'];

export function writeRegisterBroker(out: ByteWriter, record: RegisterBrokerRecord): void {
  out.int32(record.nodeId);
  out.int64(record.brokerEpoch);
  writeText(out, record.incarnationId);
  writeText(out, record.directoryId);
  writeText(out, record.host);
  out.int32(record.port);
  writeText(out, record.rack);
  if (!isPlainRegistration(record)) writeRegistrationDetails(out, record);
}

export function writeIncarnation(
  out: ByteWriter,
  { nodeId: node, brokerEpoch: epoch }: BrokerChangeRecord | UnregisterBrokerRecord,
): void {
  out.int32(node);
  out.int64(epoch);
}

export const writeState = (out: ByteWriter, state: BrokerState): void =>
  out.int8(states.indexOf(state));

export function readRegisterBroker(reader: ByteReader, version: number): RegisterBrokerRecord {
  const node = nodeId(readCount(reader));
  const epoch = readBrokerEpoch(reader);
  const record: RegisterBrokerRecord = {
    type: 'register-broker',
    nodeId: node,
    brokerEpoch: epoch,
    incarnationId: readText(reader),
    directoryId: readText(reader),
    host: readText(reader),
    port: readPort(reader),
    rack: readText(reader),
    ...(version === 1 ? plainDetails(epoch) : readRegistrationDetails(reader)),
  };
  if (version > 1 && isPlainRegistration(record)) {
    throw new CorruptError('a registration that says nothing new is not of version 1');
  }
  return record;
}

type RegistrationDetails = Pick<
  RegisterBrokerRecord,
  'listeners' | 'peerAddress' | 'features' | 'state' | 'statePosition' | 'servedEpoch'
>;

/** Brokers that registered in version 1 were in service at once. */
const plainDetails = (epoch: BrokerEpoch): RegistrationDetails => ({
  listeners: [],
  peerAddress: '',
  features: [],
  state: 'unfenced',
  statePosition: epoch,
  servedEpoch: epoch,
});

function writeRegistrationDetails(out: ByteWriter, details: RegistrationDetails): void {
  out.int32(details.listeners.length);
  for (const { name, host, port, securityProtocol } of details.listeners) {
    writeText(out, name);
    writeText(out, host);
    out.int32(port);
    writeText(out, securityProtocol);
  }
  writeText(out, details.peerAddress);
  out.int32(details.features.length);
  for (const { name, min, max } of details.features) {
    writeText(out, name);
    out.int16(min);
    out.int16(max);
  }
  writeState(out, details.state);
  out.int64(details.statePosition);
  out.int64(details.servedEpoch);
}

function readRegistrationDetails(reader: ByteReader): RegistrationDetails {
  const listeners: BrokerListener[] = [];
  for (let left = reader.count(reader.int32(), MIN_LISTENER_BYTES); left > 0; left--) {
    listeners.push({
      name: readText(reader),
      host: readText(reader),
      port: readPort(reader),
      securityProtocol: readText(reader),
    });
  }
  const peerAddress = readText(reader);
  const features: FeatureRange[] = [];
  for (let left = reader.count(reader.int32(), MIN_FEATURE_BYTES); left > 0; left--) {
    const range = { name: readText(reader), min: reader.int16(), max: reader.int16() };
    if (range.min < 1 || range.max < range.min) {
      throw new CorruptError(`a broker claims levels ${range.min} to ${range.max} of a feature`);
    }
    features.push(range);
  }
  const state = readState(reader);
  const statePosition = reader.int64();
  if (statePosition < 0) throw new CorruptError(`a state is of position ${statePosition}`);
  const servedEpoch = reader.int64();
  if (servedEpoch < NONE) throw new CorruptError(`a broker has served in epoch ${servedEpoch}`);
  const details = { listeners, peerAddress, features, state, statePosition };
  return { ...details, servedEpoch: brokerEpoch(servedEpoch) };
}

export function readBrokerChange(reader: ByteReader): BrokerChangeRecord {
  return { type: 'broker-change', ...readIncarnation(reader), state: readState(reader) };
}

export function readUnregisterBroker(reader: ByteReader): UnregisterBrokerRecord {
  return { type: 'unregister-broker', ...readIncarnation(reader) };
}

function readIncarnation(reader: ByteReader): Pick<BrokerChangeRecord, 'nodeId' | 'brokerEpoch'> {
  return { nodeId: nodeId(readCount(reader)), brokerEpoch: readBrokerEpoch(reader) };
}

function readState(reader: ByteReader): BrokerState {
  const number = reader.int8();
  const state = states[number];
  if (state === undefined) throw new CorruptError(`a broker is in state ${number}`);
  return state;
}
