import grpc
from varve.v1 import admin_pb2, admin_pb2_grpc, log_pb2, log_pb2_grpc

channel = grpc.insecure_channel("127.0.0.1:9095")
admin = admin_pb2_grpc.AdminServiceStub(channel)
log = log_pb2_grpc.LogServiceStub(channel)
admin.CreateTopics(admin_pb2.CreateTopicsRequest(topics=[admin_pb2.NewTopic(name="from-python")]))

records = [log_pb2.Record(key=b"en", value=b"hello"), log_pb2.Record(key=b"fr", value=b"bonjour")]
batch = log_pb2.ProducePartition(topic="from-python", plain_records=records)
for answer in log.Produce(iter([log_pb2.ProduceRequest(correlation_id=1, partitions=[batch])])):
    print([(p.error.message or "stored", p.base_offset) for p in answer.partitions])

start = log_pb2.FetchPosition(topic="from-python", offset=0)
request = log_pb2.FetchRequest(correlation_id=1, credit_bytes=1, positions=[start], plain_records=True)
for answer in log.Fetch(iter([request])):
    print([(r.offset, r.key, r.value) for p in answer.partitions for r in p.plain_records])
