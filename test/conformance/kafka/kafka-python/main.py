"""kafka-python: producer, consumer with assigned partitions, admin; no native code but the codecs."""

import logging
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import AlterConfigOp, ConfigResource, KafkaAdminClient, OffsetSpec
from kafka.errors import (
    InvalidConfigurationError, InvalidPartitionsError, InvalidTopicError, KafkaTimeoutError,
    OffsetOutOfRangeError, TopicAlreadyExistsError, UnknownTopicOrPartitionError,
)
from features import (
    BASE_TIME, Record, Restart, equal, eventually, expect, holds, incompressible, numbered,
    require_restart, run_feature, sample, server, topic_name,
)
from listeners import listener_features

RETENTION = "retention.ms"
# By itself the client waits up to 30 s before it connects again.
RECONNECT = {"reconnect_backoff_max_ms": 500}
admin = KafkaAdminClient(bootstrap_servers=server, **RECONNECT)


def create(name, partitions=1, configs=None):
    topic = topic_name(name)
    admin.create_topics(
        {topic: {"num_partitions": partitions, "replication_factor": 1, "configs": configs or {}}},
        wait_for_metadata=True,
    )
    return topic


def offset_at(topic, spec, partition=0):
    at = TopicPartition(topic, partition)
    return admin.list_partition_offsets({at: spec})[at]


def fails(expected, body):
    try:
        body()
    except Exception as error:
        equal(type(error), expected, f"the error \"{str(error)[:200]}\"")
        return
    raise AssertionError(f"nothing failed, expected {expected.__name__}")


def producer(**settings):
    return KafkaProducer(**{
        "bootstrap_servers": server, "linger_ms": 5, "enable_idempotence": False, **RECONNECT, **settings,
    })


def put(sender, topic, partition, record):
    return sender.send(
        topic, record.value, record.key, headers=record.headers or None, partition=partition,
        timestamp_ms=record.timestamp,
    )


def send(topic, records, partition=0, **settings):
    sender = producer(**settings)
    try:
        futures = [put(sender, topic, partition, record) for record in records]
        sender.flush(30)
        offsets = [future.get(30).offset for future in futures]
        if settings.get("acks") != 0:
            equal(offsets, list(range(len(records))), "the offsets")
    finally:
        sender.close(timeout=5)


def consumer(**settings):
    return KafkaConsumer(**{
        "bootstrap_servers": server, "group_id": None, "auto_offset_reset": "none",
        "enable_auto_commit": False, "fetch_max_wait_ms": 100, **settings,
    })


def read(topic, offset, count, partition=0, **settings):
    reader, at = consumer(**settings), TopicPartition(topic, partition)
    try:
        reader.assign([at])
        reader.seek(at, offset)
        return take(reader, count, 20)
    finally:
        reader.close()


def take(reader, count, seconds):
    found, end = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < end:
        for records in reader.poll(timeout_ms=200).values():
            found += [(each.offset, each.key, each.value, each.headers, each.timestamp) for each in records]
    return found


def round_trip(name, records, **settings):
    topic = create(name)
    send(topic, records, **settings)
    expect(records, read(topic, 0, len(records)))


def metadata():
    topic = create("metadata", 3)
    [described] = admin.describe_topics([topic])
    equal([each["partition_index"] for each in described["partitions"]], [0, 1, 2], "the partitions")
    [broker] = admin.describe_cluster()["brokers"]
    equal(f"{broker['host']}:{broker['port']}", server, "the address")
    equal([each["leader_id"] for each in described["partitions"]], [broker["broker_id"]] * 3, "the leaders")
    holds(topic in admin.list_topics(), "the topic is listed")
    sender = producer()
    equal(sender.partitions_for(topic), {0, 1, 2}, "the partitions for a producer")
    sender.close()


def seek_by_time():
    topic = create("by-time")
    at = TopicPartition(topic, 0)
    records = [Record(f"at {i}".encode(), after_ms=i * 1000) for i in range(20)]
    send(topic, records)
    reader = consumer()
    found = reader.offsets_for_times({at: BASE_TIME + 7500})[at]
    equal((found.offset, found.timestamp), (8, BASE_TIME + 8000), "the offset and its time")
    equal(reader.offsets_for_times({at: BASE_TIME + 60_000})[at], None, "a time after the end")
    reader.close()
    expect(records[8:], read(topic, 8, 12), 8)


def ends():
    topic = create("ends")
    at = TopicPartition(topic, 0)
    reader = consumer()
    equal(reader.end_offsets([at])[at], 0, "the end of an empty partition")
    send(topic, sample(10))
    equal(reader.beginning_offsets([at])[at], 0, "the beginning")
    equal(reader.end_offsets([at])[at], 10, "the end")
    reader.assign([at])
    reader.seek_to_end(at)
    equal(reader.position(at), 10, "the position at the end")
    reader.close()


def largest_timestamp():
    topic = create("largest")
    send(topic, [Record(b"x", after_ms=500 if i == 4 else i) for i in range(10)])
    found = offset_at(topic, OffsetSpec.MAX_TIMESTAMP)
    equal((found.offset, found.timestamp), (4, BASE_TIME + 500), "the offset and its time")


def from_offset():
    topic = create("from-offset")
    send(topic, sample(100), batch_size=100_000)
    expect(sample(100)[37:], read(topic, 37, 63), 37)


def long_poll():
    topic = create("long-poll")
    at = TopicPartition(topic, 0)
    # It would answer by itself only long after this gives up.
    reader = consumer(fetch_max_wait_ms=25_000, fetch_min_bytes=1)
    reader.assign([at])
    reader.seek(at, 0)
    equal(take(reader, 1, 1), [], "what is there at first")
    records = [Record(b"wake up")]
    send(topic, records)
    expect(records, take(reader, 1, 12))
    reader.close()


def restart():
    require_restart()
    topic = create("restart")
    sender = producer(enable_idempotence=True, batch_size=1000, linger_ms=1, delivery_timeout_ms=50_000)
    records, futures = [], []
    after, restarting = 0, None
    while after < 1000:
        records.append(Record(f"record {len(records)}".encode(), after_ms=len(records) // 10))
        futures.append(put(sender, topic, 0, records[-1]))
        # Some are acknowledged by then, and some are under way.
        if len(records) > 500 and futures[500].is_done and not restarting:
            restarting = Restart()
        if restarting and restarting.is_over:
            after += 1
        if len(records) % 10 == 0:
            time.sleep(0.004)
    sender.flush(40)
    equal([future.get(1).offset for future in futures], list(range(len(records))), "the offsets")
    sender.close(timeout=5)
    expect(records, read(topic, 0, len(records)))
    # The admin client has a connection of its own, and may still be waiting to try it again.
    end = eventually(lambda: offset_at(topic, OffsetSpec.LATEST))
    equal(end.offset, len(records), "the end")


def config_of(topic):
    found = admin.describe_configs([ConfigResource("TOPIC", topic)], config_filter="all")
    return found["topic"][topic]


def value_of(topic, name):
    return config_of(topic)[name]["value"]


def partitions_of(topic):
    [found] = admin.describe_topics([topic])
    if found["error_code"] == UnknownTopicOrPartitionError.errno:
        raise UnknownTopicOrPartitionError()
    return len(found["partitions"])


def alter(topic, configs, incremental=True):
    resource = ConfigResource("TOPIC", topic, configs)
    told = admin.alter_configs([resource], raise_on_unknown=False, incremental=incremental)
    return told["topic"][topic]


def create_with_settings():
    topic = create("created", 3, {RETENTION: "86400000", "max.message.bytes": "100000"})
    equal(partitions_of(topic), 3, "the number of partitions")
    equal(value_of(topic, RETENTION), "86400000", RETENTION)
    equal(value_of(topic, "max.message.bytes"), "100000", "max.message.bytes")
    equal(config_of(topic)[RETENTION]["config_source"], "DYNAMIC_TOPIC_CONFIG", "its source")


def create_existing():
    topic = create("exists")
    fails(TopicAlreadyExistsError, lambda: admin.create_topics([topic]))


def create_partitions():
    topic = create("grows")
    admin.create_partitions({topic: 4})
    eventually(lambda: equal(partitions_of(topic), 4, "the number of partitions"))
    fails(InvalidPartitionsError, lambda: admin.create_partitions({topic: 2}))
    eventually(lambda: offset_at(topic, OffsetSpec.LATEST, 3))
    send(topic, sample(3), partition=3)
    expect(sample(3), read(topic, 0, 3, partition=3))


def delete_topic():
    topic = create("goes")
    send(topic, sample(5))
    admin.delete_topics([topic])
    eventually(lambda: fails(UnknownTopicOrPartitionError, lambda: partitions_of(topic)))
    eventually(lambda: create("goes"))
    equal(offset_at(topic, OffsetSpec.LATEST).offset, 0, "the end of the new topic")


def unknown_topic():
    topic = topic_name("unknown")
    fails(UnknownTopicOrPartitionError, lambda: admin.delete_topics([topic]))
    fails(UnknownTopicOrPartitionError, lambda: partitions_of(topic))


def describe_configs():
    topic = create("configs")
    equal(value_of(topic, RETENTION), "604800000", RETENTION)
    equal(config_of(topic)[RETENTION]["config_source"], "DEFAULT_CONFIG", "its source")
    equal(value_of(topic, "cleanup.policy"), "delete", "cleanup.policy")
    node = str(admin.describe_cluster()["brokers"][0]["broker_id"])
    broker = admin.describe_configs([ConfigResource("BROKER", node)], config_filter="all")["broker"][node]
    holds(int(broker["message.max.bytes"]["value"]) > 0, "the broker has its settings")


def alter_incremental():
    topic = create("alters")
    equal(alter(topic, {RETENTION: "1234567"}), "OK", "the answer")
    equal(alter(topic, {"segment.bytes": "2000000"}), "OK", "the answer")
    eventually(lambda: equal(value_of(topic, "segment.bytes"), "2000000", "segment.bytes"))
    equal(value_of(topic, RETENTION), "1234567", RETENTION)
    equal(alter(topic, {RETENTION: (AlterConfigOp.DELETE, None)}), "OK", "the answer")
    eventually(lambda: equal(value_of(topic, RETENTION), "604800000", RETENTION))
    holds(InvalidConfigurationError.__name__ in alter(topic, {RETENTION: "soon"}), "no value is refused")


def alter_full():
    topic = create("alters-fully", 1, {"segment.bytes": "2000000"})
    # The client adds what is set already, as the request would reset it.
    equal(alter(topic, {RETENTION: "1234567"}, incremental=False), "OK", "the answer")
    eventually(lambda: equal(value_of(topic, RETENTION), "1234567", RETENTION))
    equal(value_of(topic, "segment.bytes"), "2000000", "segment.bytes")


def unknown_config():
    fails(InvalidConfigurationError, lambda: create("bad-config", 1, {"no.such.config": "1"}))
    told = alter(create("known"), {"no.such.config": "1"})
    holds(InvalidConfigurationError.__name__ in told, f"the answer is {told}")


def delete_records():
    topic = create("shrinks")
    at = TopicPartition(topic, 0)
    send(topic, sample(20))
    equal(admin.delete_records({at: 12})[at]["low_watermark"], 12, "the low watermark")
    equal(offset_at(topic, OffsetSpec.EARLIEST).offset, 12, "the beginning")
    expect(sample(20)[12:], read(topic, 12, 8), 12)
    fails(OffsetOutOfRangeError, lambda: admin.delete_records({at: 99}))


def describe_cluster():
    found = admin.describe_cluster()
    [broker] = found["brokers"]
    equal(f"{broker['host']}:{broker['port']}", server, "the address")
    equal(found["controller_id"], broker["broker_id"], "the controller")
    holds(found["cluster_id"], "there is a cluster id")


def describe_log_dirs():
    topic = create("log-dirs")
    send(topic, [Record(bytes(50_000))])
    [broker] = admin.describe_log_dirs([topic])
    sizes = [
        partition["partition_size"]
        for folder in broker["log_dirs"] for each in folder["topics"] if each["name"] == topic
        for partition in each["partitions"]
    ]
    holds(len(sizes) == 1 and 50_000 <= sizes[0] < 60_000, f"the sizes are {sizes}")


def describe_producers():
    topic = create("producers")
    at = TopicPartition(topic, 0)
    send(topic, sample(10), enable_idempotence=True)
    [found] = admin.describe_producers([at])[at].active_producers
    equal((found.last_sequence, found.producer_epoch), (9, 0), "the last sequence number and the epoch")
    equal(found.last_timestamp, BASE_TIME + 9, "the last time")


def settings_at(place):
    settings = {"bootstrap_servers": place["server"], **RECONNECT}
    if "ca" in place:
        settings |= {"security_protocol": "SSL", "ssl_cafile": place["ca"]}
    if "cert" in place:
        settings |= {"ssl_certfile": place["cert"], "ssl_keyfile": place["key"]}
    return settings


def told(place):
    errors = []
    # The client logs why it cannot connect, and fails because of the time.
    handler = logging.Handler(logging.ERROR)
    handler.emit = lambda record: errors.append(record.getMessage())
    logging.getLogger("kafka").addHandler(handler)
    try:
        asker = KafkaAdminClient(**settings_at(place), bootstrap_timeout_ms=8000)
    except KafkaTimeoutError as error:
        raise ConnectionError(f"{error}: {'; '.join(errors)}")
    finally:
        logging.getLogger("kafka").removeHandler(handler)
    try:
        return [f"{each['host']}:{each['port']}" for each in asker.describe_cluster()["brokers"]]
    finally:
        asker.close()


def round_trip_at(place, topic):
    settings = settings_at(place)
    send(topic, sample(40), **settings)
    expect(sample(40), read(topic, 0, 40, **settings))


# The client refuses a header without a value.
headers = [("name", b"first"), ("name", b"second"), ("größe", bytes(range(256))), ("empty", b"")]
run_feature("metadata", metadata)
for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
    run_feature(f"produce and fetch, {codec}", lambda: round_trip(
        f"codec-{codec}", sample(40), compression_type=None if codec == "none" else codec))
run_feature("headers", lambda: round_trip("headers", [Record(b"v", b"k", headers), Record(b"without")]))
run_feature("null keys", lambda: round_trip(
    "null-keys", [Record(b"v", key) for key in [None, b"", b"key"]]))
run_feature("null values", lambda: round_trip("null-values", [Record(None, b"a"), Record(b"", b"b")]))
run_feature("a record of 900 KB", lambda: round_trip("large", [Record(incompressible(900_000), b"large")]))
run_feature("10,000 records in order, pipelined, idempotent", lambda: round_trip(
    "many", numbered(10_000), enable_idempotence=True, batch_size=4096))
for acks in [0, 1, "all"]:
    run_feature(f"acks {acks}", lambda: round_trip(f"acks-{acks}", sample(100), acks=acks))
run_feature("seek by time", seek_by_time)
run_feature("earliest and latest offsets", ends)
run_feature("offset of the largest timestamp", largest_timestamp)
run_feature("read a partition from an offset", from_offset)
run_feature("a long poll is woken by a produce", long_poll)
run_feature("produce through a broker restart", restart)
run_feature("create a topic with settings", create_with_settings)
run_feature("create a topic that exists", create_existing)
run_feature("create a topic with an invalid name", lambda: fails(
    InvalidTopicError, lambda: admin.create_topics(["not a name!"])))
run_feature("create partitions", create_partitions)
run_feature("delete a topic", delete_topic)
run_feature("unknown topic", unknown_topic)
run_feature("describe configs", describe_configs)
run_feature("alter configs, incremental", alter_incremental)
run_feature("alter configs, full", alter_full)
run_feature("unknown config", unknown_config)
run_feature("delete records", delete_records)
run_feature("describe the cluster", describe_cluster)
run_feature("describe log dirs", describe_log_dirs)
run_feature("describe producers", describe_producers)
listener_features(told, round_trip_at)
