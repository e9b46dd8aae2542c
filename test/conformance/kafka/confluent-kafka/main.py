"""librdkafka through confluent-kafka: producer, consumer with assigned partitions, admin."""

import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "harness"))

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka import TopicCollection
from confluent_kafka.admin import (
    AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ConfigSource, NewPartitions,
    NewTopic, OffsetSpec, ResourceType,
)
from features import (
    BASE_TIME, Record, Restart, Unsupported, equal, eventually, expect, holds, incompressible,
    numbered, require_restart, run_feature, sample, server, topic_name,
)
from listeners import listener_features

RETENTION = "retention.ms"
admin = AdminClient({"bootstrap.servers": server})


def wait(futures):
    for future in futures.values():
        result = future.result(30)
    return result


def create(name, partitions=1, config=None):
    topic = topic_name(name)
    wait(admin.create_topics([NewTopic(topic, partitions, 1, config=config or {})]))
    eventually(lambda: led(topic, partitions))
    return topic


def led(topic, partitions):
    """Asked for in full: an admin request keeps to what it learnt when a new topic had no leader yet."""
    found = admin.list_topics(topic, timeout=10).topics[topic].partitions
    equal([each.leader >= 0 for each in found.values()], [True] * partitions, "which partitions are led")


def offset_at(topic, spec, partition=0):
    return wait(admin.list_offsets({TopicPartition(topic, partition): spec}))


def fails(code, body):
    try:
        body()
    except KafkaException as error:
        equal(error.args[0].name(), code, f"the error \"{error.args[0].str()}\"")
        return
    raise AssertionError(f"nothing failed, expected {code}")


def producer(**settings):
    callback = {"error_cb": settings.pop("error_cb")} if "error_cb" in settings else {}
    settings = {name.replace("_", "."): value for name, value in settings.items()} | callback
    return Producer({"bootstrap.servers": server, "linger.ms": 5, **settings})


def send(topic, records, partition=0, **settings):
    sender = producer(**settings)
    offsets, errors = [], []

    def delivered(error, message):
        errors.append(error) if error else offsets.append(message.offset())

    for record in records:
        put(sender, topic, partition, record, delivered)
    equal(sender.flush(30), 0, "the number of records not sent")
    equal(errors, [], "the errors")
    if settings.get("acks") != 0:
        equal(offsets, list(range(len(records))), "the offsets")


def put(sender, topic, partition, record, delivered):
    while True:
        try:
            return sender.produce(
                topic, record.value, record.key, partition, delivered,
                timestamp=record.timestamp, headers=record.headers,
            )
        except BufferError:
            sender.poll(0.05)


def consumer(**settings):
    settings = {name.replace("_", "."): value for name, value in settings.items()}
    return Consumer({
        "bootstrap.servers": server, "group.id": "unused", "enable.auto.commit": False,
        "auto.offset.reset": "error", "fetch.wait.max.ms": 100, **settings,
    })


def read(topic, offset, count, partition=0, **settings):
    reader = consumer(**settings)
    reader.assign([TopicPartition(topic, partition, offset)])
    try:
        return take(reader, count, 20)
    finally:
        reader.close()


def take(reader, count, seconds):
    found, end = [], time.monotonic() + seconds
    while len(found) < count and time.monotonic() < end:
        for message in reader.consume(count - len(found), 0.2):
            if message.error():
                raise KafkaException(message.error())
            found.append((
                message.offset(), message.key(), message.value(), message.headers(),
                message.timestamp()[1],
            ))
    return found


def round_trip(name, records, **settings):
    topic = create(name)
    send(topic, records, **settings)
    expect(records, read(topic, 0, len(records)))
    return topic


def metadata():
    topic = create("metadata", 3)
    found = admin.list_topics(topic, timeout=10)
    equal(sorted(found.topics[topic].partitions), [0, 1, 2], "the partitions")
    for partition in found.topics[topic].partitions.values():
        leader = found.brokers[partition.leader]
        equal(f"{leader.host}:{leader.port}", server, "the leader")
        equal(partition.isrs, [leader.id], "the replicas in sync")
    holds(found.cluster_id, "there is a cluster id")
    described = wait(admin.describe_topics(TopicCollection([topic])))
    equal(len(described.partitions), 3, "the number of partitions described")
    holds(topic in admin.list_topics(timeout=10).topics, "the topic is listed")


def seek_by_time():
    topic = create("by-time")
    records = [Record(f"at {i}".encode(), after_ms=i * 1000) for i in range(20)]
    send(topic, records)
    reader = consumer()
    found = reader.offsets_for_times([TopicPartition(topic, 0, BASE_TIME + 7500)], timeout=10)[0]
    equal(found.offset, 8, "the offset")
    late = reader.offsets_for_times([TopicPartition(topic, 0, BASE_TIME + 60_000)], timeout=10)[0]
    equal(late.offset, -1, "the offset of a time after the end")
    reader.close()
    expect(records[8:], read(topic, 8, 12), 8)


def ends():
    topic = create("ends")
    reader = consumer()
    equal(reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=10), (0, 0), "the ends at first")
    send(topic, sample(10))
    equal(reader.get_watermark_offsets(TopicPartition(topic, 0), timeout=10), (0, 10), "the ends")
    reader.close()
    equal(offset_at(topic, OffsetSpec.earliest()).offset, 0, "the beginning")
    equal(offset_at(topic, OffsetSpec.latest()).offset, 10, "the end")


def largest_timestamp():
    topic = create("largest")
    send(topic, [Record(b"x", after_ms=500 if i == 4 else i) for i in range(10)])
    found = offset_at(topic, OffsetSpec.max_timestamp())
    equal((found.offset, found.timestamp), (4, BASE_TIME + 500), "the offset and its time")


def from_offset():
    topic = create("from-offset")
    records = sample(100)
    send(topic, records)
    expect(records[37:], read(topic, 37, 63), 37)


def long_poll():
    topic = create("long-poll")
    # It would answer by itself only long after this gives up.
    reader = consumer(fetch_wait_max_ms=25_000)
    reader.assign([TopicPartition(topic, 0, 0)])
    equal(take(reader, 1, 1), [], "what is there at first")
    records = [Record(b"wake up")]
    send(topic, records)
    expect(records, take(reader, 1, 12))
    reader.close()


def restart():
    require_restart()
    topic = create("restart")
    sender = producer(enable_idempotence=True, batch_size=1000, linger_ms=1, reconnect_backoff_max_ms=500)
    records, offsets, errors = [], [], []

    def delivered(error, message):
        errors.append(error) if error else offsets.append(message.offset())

    after, restarting = 0, None
    while after < 1000:
        records.append(Record(f"record {len(records)}".encode(), after_ms=len(records) // 10))
        put(sender, topic, 0, records[-1], delivered)
        # Some are acknowledged by then, some are under way: the first waits for a producer id.
        if len(offsets) >= 500 and not restarting:
            restarting = Restart()
        if restarting and restarting.is_over:
            after += 1
        if len(records) % 10 == 0:
            sender.poll(0.002)
            time.sleep(0.002)
    equal(sender.flush(30), 0, "the number of records not sent")
    equal(errors, [], "the errors")
    equal(offsets, list(range(len(records))), "the offsets")
    expect(records, read(topic, 0, len(records)))
    # The admin client has a connection of its own, and may still be waiting to try it again.
    eventually(lambda: led(topic, 1))
    equal(offset_at(topic, OffsetSpec.latest()).offset, len(records), "the end")


def config_of(topic):
    return wait(admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]))


def partitions_of(topic):
    return len(wait(admin.describe_topics(TopicCollection([topic]))).partitions)


def alter(topic, name, value, how=AlterConfigOpType.SET):
    entry = ConfigEntry(name, value, incremental_operation=how)
    wait(admin.incremental_alter_configs(
        [ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])]))


def create_with_settings():
    topic = create("created", 3, {RETENTION: "86400000", "max.message.bytes": "100000"})
    equal(partitions_of(topic), 3, "the number of partitions")
    config = config_of(topic)
    equal(config[RETENTION].value, "86400000", RETENTION)
    equal(config["max.message.bytes"].value, "100000", "max.message.bytes")
    equal(config[RETENTION].source, ConfigSource.DYNAMIC_TOPIC_CONFIG.value, "its source")


def create_existing():
    topic = create("exists")
    fails("TOPIC_ALREADY_EXISTS", lambda: wait(admin.create_topics([NewTopic(topic, 1, 1)])))


def create_partitions():
    topic = create("grows")
    wait(admin.create_partitions([NewPartitions(topic, 4)]))
    eventually(lambda: equal(partitions_of(topic), 4, "the number of partitions"))
    fails("INVALID_PARTITIONS", lambda: wait(admin.create_partitions([NewPartitions(topic, 2)])))
    eventually(lambda: led(topic, 4))
    send(topic, sample(3), partition=3)
    expect(sample(3), read(topic, 0, 3, partition=3))


def delete_topic():
    topic = create("goes")
    send(topic, sample(5))
    wait(admin.delete_topics([topic]))
    eventually(lambda: fails("UNKNOWN_TOPIC_OR_PART", lambda: partitions_of(topic)))
    eventually(lambda: wait(admin.create_topics([NewTopic(topic, 1, 1)])))
    eventually(lambda: led(topic, 1))
    equal(offset_at(topic, OffsetSpec.latest()).offset, 0, "the end of the new topic")


def unknown_topic():
    topic = topic_name("unknown")
    fails("UNKNOWN_TOPIC_OR_PART", lambda: wait(admin.delete_topics([topic])))
    fails("UNKNOWN_TOPIC_OR_PART", lambda: partitions_of(topic))


def describe_configs():
    topic = create("configs")
    config = config_of(topic)
    equal(config[RETENTION].value, "604800000", RETENTION)
    equal(config[RETENTION].source, ConfigSource.DEFAULT_CONFIG.value, "its source")
    equal(config["cleanup.policy"].value, "delete", "cleanup.policy")
    node = next(iter(admin.list_topics(timeout=10).brokers))
    broker = wait(admin.describe_configs([ConfigResource(ResourceType.BROKER, str(node))]))
    holds(int(broker["message.max.bytes"].value) > 0, "the broker has its settings")
    fails("UNKNOWN_TOPIC_OR_PART", lambda: config_of(topic_name("no-configs")))


def alter_incremental():
    topic = create("alters")
    alter(topic, RETENTION, "1234567")
    alter(topic, "segment.bytes", "2000000")
    eventually(lambda: equal(config_of(topic)["segment.bytes"].value, "2000000", "segment.bytes"))
    equal(config_of(topic)[RETENTION].value, "1234567", RETENTION)
    alter(topic, RETENTION, None, AlterConfigOpType.DELETE)
    eventually(lambda: equal(config_of(topic)[RETENTION].value, "604800000", RETENTION))
    fails("INVALID_CONFIG", lambda: alter(topic, RETENTION, "soon"))


def alter_full():
    topic = create("alters-fully", 1, {"segment.bytes": "2000000"})
    resource = ConfigResource(ResourceType.TOPIC, topic, set_config={RETENTION: "1234567"})
    wait(admin.alter_configs([resource]))
    eventually(lambda: equal(config_of(topic)[RETENTION].value, "1234567", RETENTION))
    equal(config_of(topic)["segment.bytes"].source, ConfigSource.DEFAULT_CONFIG.value, "the source of the other")


def unknown_config():
    bad = NewTopic(topic_name("bad-config"), 1, 1, config={"no.such.config": "1"})
    fails("INVALID_CONFIG", lambda: wait(admin.create_topics([bad])))
    topic = create("known")
    fails("INVALID_CONFIG", lambda: alter(topic, "no.such.config", "1"))


def delete_records():
    topic = create("shrinks")
    send(topic, sample(20))
    deleted = wait(admin.delete_records([TopicPartition(topic, 0, 12)]))
    equal(deleted.low_watermark, 12, "the low watermark")
    equal(offset_at(topic, OffsetSpec.earliest()).offset, 12, "the beginning")
    expect(sample(20)[12:], read(topic, 12, 8), 12)
    fails("OFFSET_OUT_OF_RANGE", lambda: wait(admin.delete_records([TopicPartition(topic, 0, 99)])))


def describe_cluster():
    found = admin.describe_cluster().result(30)
    equal(len(found.nodes), 1, "the number of nodes")
    equal(f"{found.nodes[0].host}:{found.nodes[0].port}", server, "the address")
    equal(found.controller.id, found.nodes[0].id, "the controller")
    holds(found.cluster_id, "there is a cluster id")


def settings_at(place):
    settings = {"bootstrap_servers": place["server"]}
    if "ca" in place:
        settings |= {"security_protocol": "ssl", "ssl_ca_location": place["ca"]}
    if "cert" in place:
        settings |= {"ssl_certificate_location": place["cert"], "ssl_key_location": place["key"]}
    return settings


def told(place):
    errors = []
    asker = producer(error_cb=lambda error: errors.append(error.str()), **settings_at(place))
    try:
        found = asker.list_topics(timeout=8)
    except KafkaException as error:
        asker.poll(0)
        # What it could not do, and why.
        raise ConnectionError(f"{error.args[0].str()}: {'; '.join(errors)}")
    return [f"{each.host}:{each.port}" for each in found.brokers.values()]


def round_trip_at(place, topic):
    settings = settings_at(place)
    send(topic, sample(40), **settings)
    expect(sample(40), read(topic, 0, 40, **settings))


def unsupported(reason):
    def body():
        raise Unsupported(reason)
    return body


headers = [("name", b"first"), ("name", None), ("größe", bytes(range(256))), ("empty", b"")]
run_feature("metadata", metadata)
for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
    run_feature(f"produce and fetch, {codec}",
                lambda: round_trip(f"codec-{codec}", sample(40), compression_type=codec))
run_feature("headers", lambda: round_trip("headers", [Record(b"v", b"k", headers), Record(b"without")]))
run_feature("null keys", lambda: round_trip(
    "null-keys", [Record(b"v", key) for key in [None, b"", b"key"]]))
run_feature("null values", lambda: round_trip(
    "null-values", [Record(None, b"a"), Record(b"", b"b"), Record(None)]))
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
    "TOPIC_EXCEPTION", lambda: wait(admin.create_topics([NewTopic("not a name!", 1, 1)]))))
run_feature("create partitions", create_partitions)
run_feature("delete a topic", delete_topic)
run_feature("unknown topic", unknown_topic)
run_feature("describe configs", describe_configs)
run_feature("alter configs, incremental", alter_incremental)
run_feature("alter configs, full", alter_full)
run_feature("unknown config", unknown_config)
run_feature("delete records", delete_records)
run_feature("describe the cluster", describe_cluster)
run_feature("describe log dirs", unsupported("librdkafka has no DescribeLogDirs"))
run_feature("describe producers", unsupported("librdkafka has no DescribeProducers"))
listener_features(told, round_trip_at)
