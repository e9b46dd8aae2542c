import com.fasterxml.jackson.databind.ObjectMapper;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicCollection;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.quota.ClientQuotaFilter;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Calls every method of Kafka's Admin once; a line of JSON tells what became of each. */
public final class AdminMethods {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LIMIT_SECONDS = 10;
  /** They ask no broker for anything that they would not have asked for before. */
  private static final Set<String> LOCAL =
      Set.of("create", "close", "metrics", "registerMetricForSubscription", "unregisterMetricFromSubscription");
  private static final String TOPIC = "admin-methods";
  private static final String OTHER = "admin-methods-other";
  private static final TopicPartition PARTITION = new TopicPartition(TOPIC, 0);
  private static final TopicPartitionReplica REPLICA = new TopicPartitionReplica(TOPIC, 0, 1);
  private static final ConfigResource CONFIGS = new ConfigResource(ConfigResource.Type.TOPIC, TOPIC);
  private static final Set<TopicPartition> PARTITIONS = Set.of(PARTITION);
  private static final String GROUP = "a-group";
  private static final List<String> GROUPS = List.of(GROUP);
  private static final Map<TopicPartition, OffsetAndMetadata> OFFSETS = Map.of(PARTITION, new OffsetAndMetadata(0));
  private static final AclBinding ACL = new AclBinding(
      new ResourcePattern(ResourceType.TOPIC, TOPIC, PatternType.LITERAL),
      new AccessControlEntry("User:somebody", "*", AclOperation.READ, AclPermissionType.ALLOW));
  private static final ClientQuotaEntity ENTITY = new ClientQuotaEntity(Map.of("client-id", "somebody"));

  private final Map<String, Callable<Object>> calls = new LinkedHashMap<>();
  private final Admin admin;
  private final String server;

  private AdminMethods(Admin admin, String server) {
    this.admin = admin;
    this.server = server;
  }

  public static void main(String[] args) throws Exception {
    Map<String, Object> settings = Map.of("bootstrap.servers", args[0],
        "default.api.timeout.ms", (LIMIT_SECONDS - 1) * 1000, "request.timeout.ms", 5000);
    Admin admin = Admin.create(settings);
    AdminMethods methods = new AdminMethods(admin, args[0]);
    methods.addTopics();
    methods.addCluster();
    methods.addAccess();
    methods.addGroups();
    methods.addTransactions();
    methods.calls.put("deleteTopics", () -> admin.deleteTopics(List.of(TOPIC)).all());
    methods.calls.put("deleteTopics, by id", () -> admin.deleteTopics(
        TopicCollection.ofTopicIds(List.of(methods.topicId(OTHER)))).all());
    methods.expectAll();
    methods.run();
    Runtime.getRuntime().halt(0);
  }

  private void addTopics() {
    calls.put("createTopics", () -> admin.createTopics(
        List.of(new NewTopic(TOPIC, 1, (short) 1), new NewTopic(OTHER, 1, (short) 1))).all());
    calls.put("listTopics", () -> admin.listTopics().listings());
    calls.put("describeTopics", () -> admin.describeTopics(List.of(TOPIC)).allTopicNames());
    calls.put("describeTopics, by id", () -> admin.describeTopics(
        TopicCollection.ofTopicIds(List.of(topicId(TOPIC)))).allTopicIds());
    calls.put("createPartitions", () -> admin.createPartitions(Map.of(TOPIC, NewPartitions.increaseTo(2))).all());
    calls.put("describeConfigs", () -> admin.describeConfigs(List.of(CONFIGS)).all());
    calls.put("incrementalAlterConfigs", () -> admin.incrementalAlterConfigs(Map.of(CONFIGS, List.of(
        new AlterConfigOp(new ConfigEntry("retention.ms", "1000000"), AlterConfigOp.OpType.SET)))).all());
    calls.put("listConfigResources", () -> admin.listConfigResources().all());
    calls.put("listOffsets", () -> {
      try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
          Map.of("bootstrap.servers", server), new ByteArraySerializer(), new ByteArraySerializer())) {
        producer.send(new ProducerRecord<>(TOPIC, 0, null, new byte[] {1})).get();
      }
      KafkaFuture<?> last = null;
      for (OffsetSpec spec : List.of(OffsetSpec.earliest(), OffsetSpec.latest(), OffsetSpec.maxTimestamp(), OffsetSpec.forTimestamp(0))) {
        last = admin.listOffsets(Map.of(PARTITION, spec)).all();
        last.get();
      }
      return last;
    });
    calls.put("deleteRecords", () -> admin.deleteRecords(Map.of(PARTITION, RecordsToDelete.beforeOffset(1))).all());
    calls.put("describeProducers", () -> admin.describeProducers(PARTITIONS).all());
    calls.put("electLeaders", () -> admin.electLeaders(ElectionType.PREFERRED, PARTITIONS).all());
    calls.put("listPartitionReassignments", () -> admin.listPartitionReassignments().reassignments());
    calls.put("alterPartitionReassignments", () -> admin.alterPartitionReassignments(
        Map.of(PARTITION, Optional.of(new NewPartitionReassignment(List.of(1))))).all());
  }

  @SuppressWarnings("removal")
  private ListClientMetricsResourcesResult clientMetricsResources() {
    return admin.listClientMetricsResources();
  }

  private void addCluster() {
    calls.put("describeCluster", () -> admin.describeCluster().nodes());
    calls.put("describeFeatures", () -> admin.describeFeatures().featureMetadata());
    calls.put("updateFeatures", () -> admin.updateFeatures(Map.of("group.version",
        new FeatureUpdate((short) 1, FeatureUpdate.UpgradeType.UPGRADE)), new UpdateFeaturesOptions().validateOnly(true)).all());
    calls.put("describeLogDirs", () -> admin.describeLogDirs(List.of(1)).allDescriptions());
    calls.put("describeReplicaLogDirs", () -> admin.describeReplicaLogDirs(List.of(REPLICA)).all());
    calls.put("alterReplicaLogDirs", () -> admin.alterReplicaLogDirs(Map.of(REPLICA, "/nowhere")).all());
    calls.put("describeMetadataQuorum", () -> admin.describeMetadataQuorum().quorumInfo());
    calls.put("addRaftVoter", () -> admin.addRaftVoter(9, Uuid.randomUuid(),
        Set.of(new RaftVoterEndpoint("CONTROLLER", "127.0.0.1", 9))).all());
    calls.put("removeRaftVoter", () -> admin.removeRaftVoter(9, Uuid.randomUuid()).all());
    calls.put("unregisterBroker", () -> admin.unregisterBroker(9).all());
    calls.put("listClientMetricsResources", () -> clientMetricsResources().all());
    calls.put("clientInstanceId", () -> KafkaFuture.completedFuture(admin.clientInstanceId(Duration.ofSeconds(5))));
  }

  private void addAccess() {
    calls.put("describeAcls", () -> admin.describeAcls(AclBindingFilter.ANY).values());
    calls.put("createAcls", () -> admin.createAcls(List.of(ACL)).all());
    calls.put("deleteAcls", () -> admin.deleteAcls(List.of(ACL.toFilter())).all());
    calls.put("createDelegationToken", () -> admin.createDelegationToken().delegationToken());
    calls.put("renewDelegationToken", () -> admin.renewDelegationToken(new byte[] {1}).expiryTimestamp());
    calls.put("expireDelegationToken", () -> admin.expireDelegationToken(new byte[] {1}).expiryTimestamp());
    calls.put("describeDelegationToken", () -> admin.describeDelegationToken().delegationTokens());
    calls.put("describeClientQuotas", () -> admin.describeClientQuotas(ClientQuotaFilter.all()).entities());
    calls.put("alterClientQuotas", () -> admin.alterClientQuotas(List.of(new ClientQuotaAlteration(
        ENTITY, List.of(new ClientQuotaAlteration.Op("producer_byte_rate", 1e9))))).all());
    calls.put("describeUserScramCredentials", () -> admin.describeUserScramCredentials().all());
    calls.put("alterUserScramCredentials", () -> admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion(
        "somebody", new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), "a password"))).all());
  }

  private void addGroups() {
    calls.put("listGroups", () -> admin.listGroups().all());
    calls.put("listConsumerGroups", () -> consumerGroups().all());
    calls.put("alterConsumerGroupOffsets", () -> admin.alterConsumerGroupOffsets(GROUP, OFFSETS).all());
    calls.put("listConsumerGroupOffsets", () -> admin.listConsumerGroupOffsets(GROUP).all());
    calls.put("describeConsumerGroups", () -> admin.describeConsumerGroups(GROUPS).all());
    calls.put("describeClassicGroups", () -> admin.describeClassicGroups(GROUPS).all());
    calls.put("removeMembersFromConsumerGroup", () -> admin.removeMembersFromConsumerGroup(GROUP,
        new RemoveMembersFromConsumerGroupOptions(List.of(new MemberToRemove("a-member")))).all());
    calls.put("deleteConsumerGroupOffsets", () -> admin.deleteConsumerGroupOffsets(GROUP, PARTITIONS).all());
    calls.put("deleteConsumerGroups", () -> admin.deleteConsumerGroups(GROUPS).all());
    calls.put("describeShareGroups", () -> admin.describeShareGroups(GROUPS).all());
    calls.put("alterShareGroupOffsets", () -> admin.alterShareGroupOffsets("a-share-group", Map.of(PARTITION, 0L)).all());
    calls.put("listShareGroupOffsets", () -> admin.listShareGroupOffsets(
        Map.of("a-share-group", new ListShareGroupOffsetsSpec())).all());
    calls.put("deleteShareGroupOffsets", () -> admin.deleteShareGroupOffsets("a-share-group", Set.of(TOPIC)).all());
    calls.put("deleteShareGroups", () -> admin.deleteShareGroups(List.of("a-share-group")).all());
    calls.put("describeStreamsGroups", () -> admin.describeStreamsGroups(GROUPS).all());
    calls.put("alterStreamsGroupOffsets", () -> admin.alterStreamsGroupOffsets(GROUP, OFFSETS).all());
    calls.put("listStreamsGroupOffsets", () -> admin.listStreamsGroupOffsets(
        Map.of(GROUP, new ListStreamsGroupOffsetsSpec())).all());
    calls.put("deleteStreamsGroupOffsets", () -> admin.deleteStreamsGroupOffsets(GROUP, PARTITIONS).all());
    calls.put("deleteStreamsGroups", () -> admin.deleteStreamsGroups(GROUPS).all());
  }

  @SuppressWarnings("removal")
  private ListConsumerGroupsResult consumerGroups() {
    return admin.listConsumerGroups();
  }

  private void addTransactions() {
    List<String> ids = List.of("a-transaction");
    calls.put("listTransactions", () -> admin.listTransactions().all());
    calls.put("describeTransactions", () -> admin.describeTransactions(ids).all());
    calls.put("abortTransaction", () -> admin.abortTransaction(
        new AbortTransactionSpec(PARTITION, 1234, (short) 0, 0)).all());
    calls.put("fenceProducers", () -> admin.fenceProducers(ids).all());
    calls.put("forceTerminateTransaction", () -> admin.forceTerminateTransaction("a-transaction").result());
  }

  private Uuid topicId(String name) throws Exception {
    return admin.describeTopics(List.of(name)).allTopicNames().get().get(name).topicId();
  }

  /** The table above has every method that the interface has, and no other. */
  private void expectAll() {
    Set<String> declared = new TreeSet<>();
    for (Method method : Admin.class.getMethods()) {
      if (!Modifier.isStatic(method.getModifiers()) && !LOCAL.contains(method.getName())) declared.add(method.getName());
    }
    Set<String> called = new TreeSet<>();
    for (String name : calls.keySet()) called.add(name.split(",")[0]);
    if (!declared.equals(called)) throw new AssertionError("there are " + declared + "\nand called are " + called);
  }

  private void run() throws Exception {
    for (Map.Entry<String, Callable<Object>> call : calls.entrySet()) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("method", call.getKey());
      FutureTask<Object> task = new FutureTask<>(() -> ((KafkaFuture<?>) call.getValue().call()).get());
      Thread thread = new Thread(task);
      thread.setDaemon(true);
      thread.start();
      try {
        task.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        line.put("outcome", "works");
      } catch (TimeoutException error) {
        line.put("outcome", "hangs");
        line.put("message", "no end within " + LIMIT_SECONDS + " s");
      } catch (ExecutionException wrapper) {
        Throwable error = wrapper.getCause();
        while (error instanceof ExecutionException) error = error.getCause();
        boolean isLate = error instanceof org.apache.kafka.common.errors.TimeoutException;
        line.put("outcome", isLate ? "hangs" : "fails");
        line.put("error", error.getClass().getSimpleName());
        line.put("message", String.valueOf(error.getMessage()));
      }
      System.out.println(JSON.writeValueAsString(line));
    }
  }
}
