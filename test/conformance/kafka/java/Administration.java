import static org.apache.kafka.clients.admin.AlterConfigOp.OpType.DELETE;
import static org.apache.kafka.clients.admin.AlterConfigOp.OpType.SET;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** What the admin client does. */
final class Administration {
  private static final String RETENTION = "retention.ms";
  private static final String WEEK_MS = "604800000";

  private final Features features;
  private final Admin admin;
  private final Records records;

  Administration(Features features, Admin admin, Records records) {
    this.features = features;
    this.admin = admin;
    this.records = records;
  }

  void run() {
    features.feature("create a topic with settings", this::createWithSettings);
    features.feature("create a topic that exists", () -> {
      String topic = records.create("exists").topic();
      Features.fails(TopicExistsException.class, () -> create(new NewTopic(topic, 1, (short) 1)));
    });
    features.feature("create a topic with an invalid name", () -> Features.fails(
        InvalidTopicException.class, () -> create(new NewTopic("not a name!", 1, (short) 1))));
    features.feature("create partitions", this::createPartitions);
    features.feature("delete a topic", this::deleteTopic);
    features.feature("unknown topic", () -> {
      Features.fails(UnknownTopicOrPartitionException.class, () -> partitionsOf(features.topic("unknown")));
      Features.fails(UnknownTopicOrPartitionException.class, () ->
          admin.deleteTopics(List.of(features.topic("unknown"))).all().get());
    });
    features.feature("describe configs", this::describeConfigs);
    features.feature("alter configs, incremental", this::alterConfigs);
    features.feature("alter configs, full", () -> {
      throw new Features.Unsupported("kafka-clients 4 has only the incremental form");
    });
    features.feature("unknown config", () -> {
      NewTopic topic = new NewTopic(features.topic("bad-config"), 1, (short) 1).configs(Map.of("no.such.config", "1"));
      Features.fails(InvalidConfigurationException.class, () -> create(topic));
      NewTopic value = new NewTopic(features.topic("bad-config"), 1, (short) 1).configs(Map.of(RETENTION, "soon"));
      Features.fails(InvalidConfigurationException.class, () -> create(value));
      String known = records.create("known").topic();
      Features.fails(InvalidConfigurationException.class, () -> alter(known, new ConfigEntry("no.such.config", "1"), SET));
    });
    features.feature("delete records", this::deleteRecords);
    features.feature("describe the cluster", this::describeCluster);
    features.feature("describe log dirs", this::describeLogDirs);
    features.feature("describe producers", this::describeProducers);
  }

  private void createWithSettings() throws Exception {
    NewTopic topic = new NewTopic(features.topic("created"), 3, (short) 1)
        .configs(Map.of(RETENTION, "86400000", "max.message.bytes", "100000"));
    admin.createTopics(List.of(topic), new CreateTopicsOptions().validateOnly(true)).all().get();
    Features.holds(!admin.listTopics().names().get().contains(topic.name()), "validating creates nothing");
    var created = admin.createTopics(List.of(topic));
    Features.equal(created.numPartitions(topic.name()).get(), 3, "the number of partitions in the answer");
    Features.equal(created.config(topic.name()).get().get(RETENTION).value(), "86400000", "the setting in the answer");
    Features.eventually(() -> Features.equal(partitionsOf(topic.name()), 3, "the number of partitions"));
    Config config = configOf(topic.name());
    Features.equal(config.get(RETENTION).value(), "86400000", RETENTION);
    Features.equal(config.get("max.message.bytes").value(), "100000", "max.message.bytes");
    Features.equal(config.get(RETENTION).source(), ConfigEntry.ConfigSource.DYNAMIC_TOPIC_CONFIG, "its source");
  }

  private void createPartitions() throws Exception {
    String topic = records.create("grows").topic();
    admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(4))).all().get();
    Features.eventually(() -> Features.equal(partitionsOf(topic), 4, "the number of partitions"));
    Features.fails(InvalidPartitionsException.class, () ->
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all().get());
    TopicPartition last = new TopicPartition(topic, 3);
    Features.eventually(() -> admin.listOffsets(Map.of(last, OffsetSpec.latest())).all().get());
    var sent = records.sample(last, 3);
    records.send(Map.of(), sent);
    Records.expect(sent, 0, records.read(last, 0, 3));
  }

  private void deleteTopic() throws Exception {
    TopicPartition at = records.create("goes");
    records.send(Map.of(), records.sample(at, 5));
    admin.deleteTopics(List.of(at.topic())).all().get();
    Features.eventually(() -> Features.fails(UnknownTopicOrPartitionException.class, () -> partitionsOf(at.topic())));
    // The name is free again, and what comes back is another, empty topic.
    Features.eventually(() -> create(new NewTopic(at.topic(), 1, (short) 1)));
    Features.eventually(() -> {
      var end = admin.listOffsets(Map.of(at, OffsetSpec.latest())).partitionResult(at).get();
      Features.equal(end.offset(), 0L, "the end of the new topic");
    });
  }

  private void describeConfigs() throws Exception {
    String topic = records.create("configs").topic();
    ConfigEntry retention = configOf(topic).get(RETENTION);
    Features.equal(retention.value(), WEEK_MS, RETENTION);
    Features.equal(retention.source(), ConfigEntry.ConfigSource.DEFAULT_CONFIG, "its source");
    Features.equal(retention.type(), ConfigEntry.ConfigType.LONG, "its type");
    Features.equal(configOf(topic).get("cleanup.policy").value(), "delete", "cleanup.policy");
    int id = admin.describeCluster().nodes().get().iterator().next().id();
    ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, String.valueOf(id));
    Config config = admin.describeConfigs(List.of(broker)).all().get().get(broker);
    Features.equal(config.get("message.max.bytes").type(), ConfigEntry.ConfigType.INT, "the type of a setting of the broker");
    Features.fails(UnknownTopicOrPartitionException.class, () -> configOf(features.topic("no-configs")));
  }

  private void alterConfigs() throws Exception {
    String topic = records.create("alters").topic();
    alter(topic, new ConfigEntry(RETENTION, "1234567"), SET);
    Features.eventually(() -> Features.equal(configOf(topic).get(RETENTION).value(), "1234567", RETENTION));
    alter(topic, new ConfigEntry("segment.bytes", "2000000"), SET);
    Features.eventually(() -> Features.equal(configOf(topic).get("segment.bytes").value(), "2000000", "segment.bytes"));
    Features.equal(configOf(topic).get(RETENTION).value(), "1234567", "the other setting");
    alter(topic, new ConfigEntry(RETENTION, null), DELETE);
    Features.eventually(() -> Features.equal(configOf(topic).get(RETENTION).value(), WEEK_MS, RETENTION));
    Features.fails(InvalidConfigurationException.class, () -> alter(topic, new ConfigEntry(RETENTION, "soon"), SET));
  }

  private void deleteRecords() throws Exception {
    TopicPartition at = records.create("shrinks");
    var sent = records.sample(at, 20);
    records.send(Map.of(), sent);
    var deleted = admin.deleteRecords(Map.of(at, RecordsToDelete.beforeOffset(12)));
    Features.equal(deleted.lowWatermarks().get(at).get().lowWatermark(), 12L, "the low watermark");
    var start = admin.listOffsets(Map.of(at, OffsetSpec.earliest())).partitionResult(at).get();
    Features.equal(start.offset(), 12L, "the beginning");
    Records.expect(sent.subList(12, 20), 12, records.read(at, 12, 8));
    Features.fails(OffsetOutOfRangeException.class, () ->
        admin.deleteRecords(Map.of(at, RecordsToDelete.beforeOffset(99))).all().get());
  }

  private void describeCluster() throws Exception {
    var cluster = admin.describeCluster();
    Collection<Node> nodes = cluster.nodes().get();
    Features.equal(nodes.size(), 1, "the number of nodes");
    Node node = nodes.iterator().next();
    Features.equal(node.host() + ":" + node.port(), features.server, "the address");
    Features.equal(cluster.controller().get().id(), node.id(), "the controller");
    Features.holds(!cluster.clusterId().get().isEmpty(), "there is a cluster id");
  }

  private void describeLogDirs() throws Exception {
    TopicPartition at = records.create("log-dirs");
    records.send(Map.of(), List.of(Records.record(at, 0, null, new byte[50_000])));
    int id = admin.describeCluster().nodes().get().iterator().next().id();
    var replicas = admin.describeLogDirs(List.of(id)).allDescriptions().get().get(id).values().stream()
        .map(each -> each.replicaInfos().get(at)).filter(each -> each != null).toList();
    Features.equal(replicas.size(), 1, "the number of folders with the partition");
    Features.holds(replicas.get(0).size() >= 50_000 && replicas.get(0).size() < 60_000, "its size is " + replicas.get(0).size());
  }

  private void describeProducers() throws Exception {
    TopicPartition at = records.create("producers");
    records.send(Map.of("enable.idempotence", true), records.sample(at, 10));
    var active = admin.describeProducers(List.of(at)).partitionResult(at).get().activeProducers();
    Features.equal(active.size(), 1, "the number of producers");
    Features.equal(active.get(0).lastSequence(), 9, "the last sequence number");
    Features.equal(active.get(0).producerEpoch(), 0, "the epoch");
    Features.equal(active.get(0).lastTimestamp(), Features.BASE_TIME + 9, "the last time");
    Features.holds(active.get(0).producerId() >= 0, "the id is " + active.get(0).producerId());
  }

  private void create(NewTopic topic) throws Exception {
    admin.createTopics(List.of(topic)).all().get();
  }

  private int partitionsOf(String topic) throws Exception {
    return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
  }

  private Config configOf(String topic) throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    return admin.describeConfigs(List.of(resource)).all().get().get(resource);
  }

  private void alter(String topic, ConfigEntry entry, AlterConfigOp.OpType how) throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    admin.incrementalAlterConfigs(Map.of(resource, List.of(new AlterConfigOp(entry, how)))).all().get();
  }
}
