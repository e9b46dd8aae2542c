import { type BrokerEpoch, NO_BROKER_EPOCH, type NodeId } from '../model/ids.ts';
import { decodeMetadataRecord, isRegistration } from './metadata-record-codec.ts';

/**
 * The newest broker epoch of a broker in records of the log. Of what is on its own disk: a broker serves
 * under an epoch only when its registration is there, so that one which comes with a lower one has an older
 * copy of its disk (DESIGN 4b rule 7).
 */
export function lastBrokerEpoch(records: Iterable<Uint8Array>, nodeId: NodeId): BrokerEpoch {
  let last = NO_BROKER_EPOCH;
  for (const bytes of records) {
    if (!isRegistration(bytes)) continue;
    const record = decodeMetadataRecord(bytes);
    if (record.type !== 'register-broker' || record.nodeId !== nodeId) continue;
    if (record.brokerEpoch > last) last = record.brokerEpoch;
  }
  return last;
}
