"""Uses the administration and looks at how failures are told: ADDRESS."""

import sys

import grpc
from varve.v1 import admin_pb2, admin_pb2_grpc, log_pb2, log_pb2_grpc

TOPIC = "administered"

channel = grpc.insecure_channel(sys.argv[1])
admin = admin_pb2_grpc.AdminServiceStub(channel)
log = log_pb2_grpc.LogServiceStub(channel)


def equal(actual, expected):
    assert actual == expected, f"{actual!r} is not {expected!r}"


def create(**fields):
    request = admin_pb2.CreateTopicsRequest(topics=[admin_pb2.NewTopic(**fields)])
    return admin.CreateTopics(request).topics[0]


capabilities = admin.GetCapabilities(admin_pb2.GetCapabilitiesRequest())
cluster = admin.DescribeCluster(admin_pb2.DescribeClusterRequest())
equal(cluster.cluster_id, capabilities.cluster_id)
equal([broker.node_id for broker in cluster.brokers], [capabilities.node_id])

created = create(name=TOPIC, partition_count=3, configs={"retention.ms": "60000"})
assert not created.HasField("error"), created.error
equal(len(created.topic_id), 22)

# One item fails, with a name and a sentence; the call does not.
again = create(name=TOPIC)
equal((again.error.code, again.error.name), (36, "TOPIC_ALREADY_EXISTS"))
equal(again.error.retriable, False)
assert TOPIC in again.error.message, again.error.message
equal(create(name="two-copies", replication_factor=2).error.name, "INVALID_REPLICATION_FACTOR")
wrong = create(name="wrong", configs={"retention.ms": "soon"})
equal(wrong.error.name, "INVALID_CONFIG")
assert "retention.ms" in wrong.error.message, wrong.error.message

listed = admin.ListTopics(admin_pb2.ListTopicsRequest())
assert TOPIC in [topic.name for topic in listed.topics], listed
described = admin.DescribeTopics(admin_pb2.DescribeTopicsRequest(names=[TOPIC])).topics[0]
equal([each.partition for each in described.partitions], [0, 1, 2])
equal({each.leader_id for each in described.partitions}, {capabilities.node_id})

configs = admin.DescribeConfigs(admin_pb2.DescribeConfigsRequest(topics=[TOPIC])).topics[0]
retention = next(entry for entry in configs.entries if entry.name == "retention.ms")
equal((retention.value, retention.source), ("60000", admin_pb2.CONFIG_SOURCE_TOPIC))

query = admin_pb2.OffsetQuery(topic=TOPIC, partition=2, latest=True)
offsets = admin.ListOffsets(admin_pb2.ListOffsetsRequest(partitions=[query]))
equal(offsets.partitions[0].offset, 0)

ids = [admin.AllocateProducerId(admin_pb2.AllocateProducerIdRequest()) for _ in range(3)]
equal(len({each.producer_id for each in ids}), 3)

deleted = admin.DeleteTopics(admin_pb2.DeleteTopicsRequest(names=[TOPIC])).topics[0]
assert not deleted.HasField("error"), deleted.error

# A call that fails as a whole has its status, and ours in the trailers.
stream = log.Produce(iter([log_pb2.ProduceRequest(correlation_id=-1)]))
try:
    for _ in stream:
        pass
    raise AssertionError("a correlation id below 1 was taken")
except grpc.RpcError as error:
    equal(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
    assert "correlation id" in error.details(), error.details()
    trailers = dict(error.trailing_metadata())
    equal(trailers["varve-error-code"], "42")
    equal(trailers["varve-error-name"], "INVALID_REQUEST")
    equal(trailers["varve-error-retriable"], "false")

channel.close()
