import static org.apache.kafka.clients.producer.ProducerConfig.*;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** What producers and consumers with assigned partitions do. */
final class Records {
  private final Features features;
  private final Admin admin;

  Records(Features features, Admin admin) {
    this.features = features;
    this.admin = admin;
  }

  void run() {
    features.feature("metadata", this::metadata);
    for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
      features.feature("produce and fetch, " + codec, () -> {
        TopicPartition at = create("codec-" + codec);
        List<ProducerRecord<byte[], byte[]>> sent = sample(at, 40);
        send(Map.of(COMPRESSION_TYPE_CONFIG, codec), sent);
        expect(sent, 0, read(at, 0, sent.size()));
      });
    }
    features.feature("headers", this::headers);
    features.feature("null keys", () -> keysAndValues("null-keys", null, new byte[0], text("key")));
    features.feature("null values", this::nullValues);
    features.feature("a record of 900 KB", () -> {
      TopicPartition at = create("large");
      byte[] value = new byte[900_000];
      new java.util.Random(1).nextBytes(value);
      List<ProducerRecord<byte[], byte[]>> sent = List.of(record(at, 0, text("large"), value));
      send(Map.of(), sent);
      expect(sent, 0, read(at, 0, 1));
    });
    features.feature("10,000 records in order, pipelined, idempotent", () -> {
      TopicPartition at = create("many");
      List<ProducerRecord<byte[], byte[]>> sent = numbered(at, 10_000);
      Map<String, Object> settings = Map.of(ENABLE_IDEMPOTENCE_CONFIG, true, BATCH_SIZE_CONFIG, 4_096);
      send(settings, sent);
      expect(sent, 0, read(at, 0, sent.size()));
    });
    for (String acks : List.of("0", "1", "all")) {
      features.feature("acks " + acks, () -> {
        TopicPartition at = create("acks-" + acks);
        List<ProducerRecord<byte[], byte[]>> sent = sample(at, 100);
        send(Map.of(ACKS_CONFIG, acks, ENABLE_IDEMPOTENCE_CONFIG, false), sent);
        expect(sent, 0, read(at, 0, sent.size()));
      });
    }
    features.feature("seek by time", this::seekByTime);
    features.feature("earliest and latest offsets", this::ends);
    features.feature("offset of the largest timestamp", this::largestTimestamp);
    features.feature("read a partition from an offset", () -> {
      TopicPartition at = create("from-offset");
      List<ProducerRecord<byte[], byte[]>> sent = sample(at, 100);
      send(Map.of(BATCH_SIZE_CONFIG, 100_000), sent);
      expect(sent.subList(37, 100), 37, read(at, 37, 63));
    });
    features.feature("a long poll is woken by a produce", this::longPoll);
    features.feature("produce through a broker restart", this::restart);
  }

  private void metadata() throws Exception {
    String topic = create("metadata", 3).topic();
    var described = admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic);
    Features.equal(described.partitions().size(), 3, "the number of partitions");
    Features.holds(admin.listTopics().names().get().contains(topic), "the topic is listed");
    Features.holds(!described.topicId().equals(org.apache.kafka.common.Uuid.ZERO_UUID), "there is a topic id");
    var byId = admin.describeTopics(org.apache.kafka.common.TopicCollection.ofTopicIds(List.of(described.topicId())));
    Features.equal(byId.allTopicIds().get().get(described.topicId()).name(), topic, "the name by id");
    try (var producer = producer(Map.of())) {
      var partitions = producer.partitionsFor(topic);
      Features.equal(partitions.size(), 3, "the number of partitions for a producer");
      for (var partition : partitions) {
        var leader = partition.leader();
        Features.equal(leader.host() + ":" + leader.port(), features.server, "the leader");
        Features.equal(List.of(partition.inSyncReplicas()), List.of(leader), "the replicas in sync");
      }
    }
  }

  private void headers() throws Exception {
    TopicPartition at = create("headers");
    List<Header> headers = List.of(
        new RecordHeader("name", text("first")), new RecordHeader("name", (byte[]) null),
        new RecordHeader("größe", Features.bytes(0, 256)), new RecordHeader("", new byte[0]));
    var sent = List.of(
        new ProducerRecord<>(at.topic(), 0, Features.BASE_TIME, text("k"), text("v"), headers),
        record(at, 1, text("k"), text("without")));
    send(Map.of(), sent);
    expect(sent, 0, read(at, 0, 2));
  }

  private void nullValues() throws Exception {
    TopicPartition at = create("null-values");
    var sent = List.of(record(at, 0, text("a"), null), record(at, 1, text("b"), new byte[0]), record(at, 2, null, null));
    send(Map.of(), sent);
    expect(sent, 0, read(at, 0, 3));
  }

  private void keysAndValues(String name, byte[]... keys) throws Exception {
    TopicPartition at = create(name);
    List<ProducerRecord<byte[], byte[]>> sent = new ArrayList<>();
    for (byte[] key : keys) sent.add(record(at, sent.size(), key, text("value")));
    send(Map.of(), sent);
    expect(sent, 0, read(at, 0, sent.size()));
  }

  private void seekByTime() throws Exception {
    TopicPartition at = create("by-time");
    List<ProducerRecord<byte[], byte[]>> sent = new ArrayList<>();
    for (int i = 0; i < 20; i++) sent.add(record(at, i * 1_000, null, text("at " + i)));
    send(Map.of(), sent);
    try (var consumer = consumer(Map.of())) {
      var found = consumer.offsetsForTimes(Map.of(at, Features.BASE_TIME + 7_500)).get(at);
      Features.equal(found.offset(), 8L, "the offset");
      Features.equal(found.timestamp(), Features.BASE_TIME + 8_000, "its time");
      var late = consumer.offsetsForTimes(Map.of(at, Features.BASE_TIME + 60_000));
      Features.equal(late.get(at), null, "the offset of a time after the end");
    }
    expect(sent.subList(8, 20), 8, read(at, 8, 12));
  }

  private void ends() throws Exception {
    TopicPartition at = create("ends");
    try (var consumer = consumer(Map.of())) {
      Features.equal(consumer.endOffsets(List.of(at)).get(at), 0L, "the end of an empty partition");
      send(Map.of(), sample(at, 10));
      Features.equal(consumer.beginningOffsets(List.of(at)).get(at), 0L, "the beginning");
      Features.equal(consumer.endOffsets(List.of(at)).get(at), 10L, "the end");
      consumer.assign(List.of(at));
      consumer.seekToEnd(List.of(at));
      Features.equal(consumer.position(at), 10L, "the position at the end");
    }
  }

  private void largestTimestamp() throws Exception {
    TopicPartition at = create("largest");
    List<ProducerRecord<byte[], byte[]>> sent = new ArrayList<>();
    for (int i = 0; i < 10; i++) sent.add(record(at, i == 4 ? 500 : i, null, text("at " + i)));
    send(Map.of(), sent);
    var found = admin.listOffsets(Map.of(at, OffsetSpec.maxTimestamp())).partitionResult(at).get();
    Features.equal(found.offset(), 4L, "the offset");
    Features.equal(found.timestamp(), Features.BASE_TIME + 500, "its time");
  }

  private void longPoll() throws Exception {
    TopicPartition at = create("long-poll");
    // It would answer by itself only long after this gives up.
    try (var consumer = consumer(Map.of("fetch.max.wait.ms", 25_000, "fetch.min.bytes", 1))) {
      consumer.assign(List.of(at));
      consumer.seek(at, 0);
      Features.holds(consumer.poll(Duration.ofMillis(700)).isEmpty(), "nothing is there yet");
      send(Map.of(), List.of(record(at, 0, null, text("wake up"))));
      List<ConsumerRecord<byte[], byte[]>> read = new ArrayList<>();
      long end = System.nanoTime() + 12_000_000_000L;
      while (read.isEmpty() && System.nanoTime() < end) consumer.poll(Duration.ofMillis(100)).forEach(read::add);
      Features.equal(read.size(), 1, "the number of records read");
      Features.equal(read.get(0).value(), text("wake up"), "the value");
    }
  }

  private void restart() throws Exception {
    if (!features.canRestart) throw new Features.Unsupported("the server is not ours to kill");
    TopicPartition at = create("restart");
    List<ProducerRecord<byte[], byte[]>> sent = new ArrayList<>();
    List<Future<RecordMetadata>> answers = new ArrayList<>();
    try (var producer = producer(Map.of(ENABLE_IDEMPOTENCE_CONFIG, true, BATCH_SIZE_CONFIG, 1_000, LINGER_MS_CONFIG, 1))) {
      Future<?> restarted = null;
      for (int after = 0; after < 1_000; ) {
        sent.add(record(at, sent.size(), null, text("record " + sent.size())));
        answers.add(producer.send(sent.get(sent.size() - 1)));
        // Some are acknowledged by then, and some are under way.
        boolean isUnderWay = sent.size() > 500 && answers.get(500).isDone();
        if (isUnderWay && restarted == null) restarted = features.restart();
        if (restarted != null && restarted.isDone()) after++;
        if (sent.size() % 10 == 0) Thread.sleep(2);
      }
      restarted.get();
      for (int i = 0; i < answers.size(); i++) Features.equal(answers.get(i).get().offset(), (long) i, "the offset of record " + i);
    }
    expect(sent, 0, read(at, 0, sent.size()));
    try (var consumer = consumer(Map.of())) {
      Features.equal(consumer.endOffsets(List.of(at)).get(at), (long) sent.size(), "the end");
    }
  }

  TopicPartition create(String name) throws Exception {
    return create(name, 1);
  }

  /** The first partition of a new topic, when it is served. */
  TopicPartition create(String name, int partitions) throws Exception {
    TopicPartition at = new TopicPartition(features.topic(name), 0);
    admin.createTopics(List.of(new NewTopic(at.topic(), partitions, (short) 1))).all().get();
    Map<TopicPartition, OffsetSpec> all = new HashMap<>();
    for (int i = 0; i < partitions; i++) all.put(new TopicPartition(at.topic(), i), OffsetSpec.latest());
    Features.eventually(() -> admin.listOffsets(all).all().get());
    return at;
  }

  List<ProducerRecord<byte[], byte[]>> sample(TopicPartition at, int count) {
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    for (int i = 0; i < count; i++) records.add(record(at, i, text("key " + i), Features.bytes(i, 100 + 50 * i)));
    return records;
  }

  private List<ProducerRecord<byte[], byte[]>> numbered(TopicPartition at, int count) {
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    for (int i = 0; i < count; i++) records.add(record(at, i, null, text("record " + i)));
    return records;
  }

  static ProducerRecord<byte[], byte[]> record(TopicPartition at, int afterMs, byte[] key, byte[] value) {
    return new ProducerRecord<>(at.topic(), at.partition(), Features.BASE_TIME + afterMs, key, value);
  }

  void send(Map<String, Object> settings, List<ProducerRecord<byte[], byte[]>> records) throws Exception {
    List<Future<RecordMetadata>> answers = new ArrayList<>();
    try (var producer = producer(settings)) {
      for (var record : records) answers.add(producer.send(record));
      producer.flush();
      boolean hasOffsets = !"0".equals(settings.get(ACKS_CONFIG));
      for (int i = 0; i < answers.size(); i++) {
        var answer = answers.get(i).get();
        if (hasOffsets) Features.equal(answer.offset(), (long) i, "the offset of record " + i);
      }
    }
  }

  /** So many records from an offset on, or fewer after twenty seconds. */
  List<ConsumerRecord<byte[], byte[]>> read(TopicPartition at, long from, int count) {
    return read(at, from, count, Map.of());
  }

  List<ConsumerRecord<byte[], byte[]>> read(TopicPartition at, long from, int count, Map<String, Object> more) {
    List<ConsumerRecord<byte[], byte[]>> read = new ArrayList<>();
    try (var consumer = consumer(more)) {
      consumer.assign(List.of(at));
      consumer.seek(at, from);
      long end = System.nanoTime() + 20_000_000_000L;
      while (read.size() < count && System.nanoTime() < end) consumer.poll(Duration.ofMillis(100)).forEach(read::add);
    }
    return read;
  }

  static void expect(List<ProducerRecord<byte[], byte[]>> sent, long firstOffset, List<ConsumerRecord<byte[], byte[]>> read) {
    Features.equal(read.size(), sent.size(), "the number of records read");
    for (int i = 0; i < sent.size(); i++) {
      String what = " of record " + i;
      Features.equal(read.get(i).offset(), firstOffset + i, "the offset" + what);
      Features.equal(read.get(i).key(), sent.get(i).key(), "the key" + what);
      Features.equal(read.get(i).value(), sent.get(i).value(), "the value" + what);
      Features.equal(read.get(i).timestamp(), sent.get(i).timestamp(), "the time" + what);
      Features.equal(read.get(i).headers().toArray(), sent.get(i).headers().toArray(), "the headers" + what);
    }
  }

  KafkaProducer<byte[], byte[]> producer(Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", features.server, LINGER_MS_CONFIG, 5));
    settings.putAll(more);
    return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** Leaves at once: the goodbye of its fetch session would wait behind a long poll. */
  private static final class Consumer extends KafkaConsumer<byte[], byte[]> {
    Consumer(Map<String, Object> settings) {
      super(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    @Override
    public void close() {
      close(CloseOptions.timeout(Duration.ZERO));
    }
  }

  private Consumer consumer(Map<String, Object> more) {
    Map<String, Object> settings = new HashMap<>(Map.of("bootstrap.servers", features.server, "auto.offset.reset", "none"));
    settings.putAll(more);
    return new Consumer(settings);
  }

  static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
