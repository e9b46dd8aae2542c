"""Writes records that it is given, or prints those it reads: ADDRESS produce|consume TOPIC [COUNT].

A record is a line of JSON: {"partition", "key", "value", "headers": [[name, value]...], "timestampMs"},
and "offset" when it was read; bytes stand as base64, or null.
"""

import base64
import json
import queue
import sys

import grpc
from varve.v1 import admin_pb2, admin_pb2_grpc, log_pb2, log_pb2_grpc

LIMIT = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
RECORDS_PER_REQUEST = 7


def from_base64(text):
    return None if text is None else base64.b64decode(text)


def to_base64(message, field):
    if not message.HasField(field):
        return None
    return base64.b64encode(getattr(message, field)).decode()


def requests(topic, records):
    for at in range(0, len(records), RECORDS_PER_REQUEST):
        partitions = {}
        for record in records[at : at + RECORDS_PER_REQUEST]:
            headers = [log_pb2.Header(key=k, value=from_base64(v)) for k, v in record["headers"]]
            plain = log_pb2.Record(
                key=from_base64(record["key"]),
                value=from_base64(record["value"]),
                headers=headers,
                timestamp_ms=record["timestampMs"],
            )
            partitions.setdefault(record["partition"], []).append(plain)
        entries = [
            log_pb2.ProducePartition(topic=topic, partition=partition, plain_records=plain)
            for partition, plain in partitions.items()
        ]
        yield log_pb2.ProduceRequest(correlation_id=at + 1, partitions=entries)


def produce(channel, topic):
    records = [json.loads(line) for line in sys.stdin]
    answered = set()
    for answer in log_pb2_grpc.LogServiceStub(channel).Produce(requests(topic, records)):
        if answer.correlation_id == 0:
            assert answer.credit_bytes > 0, "the first message grants no credit"
            continue
        answered.add(answer.correlation_id)
        for partition in answer.partitions:
            assert not partition.HasField("error"), partition.error
            print(json.dumps({"partition": partition.partition, "offset": partition.base_offset}))
    assert answered == set(range(1, len(records) + 1, RECORDS_PER_REQUEST)), answered


def consume(channel, topic, count):
    admin = admin_pb2_grpc.AdminServiceStub(channel)
    described = admin.DescribeTopics(admin_pb2.DescribeTopicsRequest(names=[topic])).topics[0]
    positions = [
        log_pb2.FetchPosition(topic=topic, partition=each.partition)
        for each in described.partitions
    ]
    # A stream that stays open, with credit granted bit by bit.
    grants = queue.Queue()
    grants.put(
        log_pb2.FetchRequest(
            correlation_id=1, credit_bytes=1000, positions=positions, plain_records=True
        )
    )
    stream = log_pb2_grpc.LogServiceStub(channel).Fetch(iter(grants.get, None))
    for answer in stream:
        for partition in answer.partitions:
            assert not partition.HasField("error"), partition.error
            for record in partition.plain_records:
                fields = {
                    "partition": partition.partition,
                    "offset": record.offset,
                    "key": to_base64(record, "key"),
                    "value": to_base64(record, "value"),
                    "headers": [[each.key, to_base64(each, "value")] for each in record.headers],
                    "timestampMs": record.timestamp_ms,
                }
                print(json.dumps(fields))
                count -= 1
        if count <= 0:
            break
        grants.put(log_pb2.FetchRequest(credit_bytes=answer.ByteSize()))
    stream.cancel()


address, mode, topic = sys.argv[1:4]
with grpc.insecure_channel(address, options=LIMIT) as channel:
    if mode == "produce":
        produce(channel, topic)
    else:
        consume(channel, topic, int(sys.argv[4]))
