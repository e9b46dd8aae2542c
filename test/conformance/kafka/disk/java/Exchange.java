import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka's Java client at the hand of another process: a request a line as JSON, an answer a line.
 * Records travel as the driver has them: bytes as base64, null as null.
 */
public final class Exchange {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long LIMIT_SECONDS = 60;

  /** By the name that the driver gave: a producer keeps its id and its sequences between requests. */
  private final Map<String, KafkaProducer<byte[], byte[]>> producers = new HashMap<>();

  public static void main(String[] args) throws Exception {
    PrintStream out = System.out;
    Exchange exchange = new Exchange();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      Object answer;
      try {
        answer = exchange.answer(JSON.readTree(line));
      } catch (Exception error) {
        Throwable cause = error.getCause() == null ? error : error.getCause();
        answer = Map.of("error", String.valueOf(cause));
      }
      out.println(JSON.writeValueAsString(answer));
      out.flush();
    }
    Runtime.getRuntime().halt(0);
  }

  private Object answer(JsonNode request) throws Exception {
    switch (request.get("do").asText()) {
      case "create-topic": return createTopic(request);
      case "delete-records": return deleteRecords(request);
      case "produce": return produce(request);
      case "consume": return consume(request);
      case "offset-of-time": return offsetOfTime(request);
      default: throw new IllegalArgumentException("no such request: " + request);
    }
  }

  private Object createTopic(JsonNode request) throws Exception {
    Map<String, String> configs = new HashMap<>();
    request.get("configs").properties().forEach(entry -> configs.put(entry.getKey(), entry.getValue().asText()));
    NewTopic topic = new NewTopic(request.get("topic").asText(), request.get("partitions").asInt(), (short) 1);
    try (Admin admin = admin(request)) {
      admin.createTopics(List.of(topic.configs(configs))).all().get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }
    return Map.of();
  }

  private Object deleteRecords(JsonNode request) throws Exception {
    RecordsToDelete before = RecordsToDelete.beforeOffset(request.get("before").asLong());
    try (Admin admin = admin(request)) {
      admin.deleteRecords(Map.of(partitionOf(request), before)).all().get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }
    return Map.of();
  }

  private Object produce(JsonNode request) throws Exception {
    KafkaProducer<byte[], byte[]> producer = producers.get(request.get("producer").asText());
    if (producer == null) {
      Map<String, Object> settings = settings(request);
      settings.put("compression.type", request.get("compression").asText());
      settings.put("enable.idempotence", request.get("idempotent").asText());
      settings.put("acks", "all");
      settings.put("linger.ms", "5");
      settings.put("max.request.size", 8 << 20);
      producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
      producers.put(request.get("producer").asText(), producer);
    }
    String topic = request.get("topic").asText();
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    for (JsonNode record : request.get("records")) {
      ProducerRecord<byte[], byte[]> made = new ProducerRecord<>(topic, record.get("partition").asInt(),
          record.get("timestampMs").asLong(), bytes(record.get("key")), bytes(record.get("value")));
      for (JsonNode header : record.get("headers")) made.headers().add(header.get(0).asText(), bytes(header.get(1)));
      sent.add(producer.send(made));
    }
    List<Long> offsets = new ArrayList<>();
    for (Future<RecordMetadata> each : sent) offsets.add(each.get(LIMIT_SECONDS, TimeUnit.SECONDS).offset());
    return Map.of("offsets", offsets);
  }

  /** All records of a topic, from its beginnings to the ends that there are now. */
  private Object consume(JsonNode request) throws Exception {
    List<Map<String, Object>> records = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(request)) {
      List<TopicPartition> partitions = new ArrayList<>();
      consumer.partitionsFor(request.get("topic").asText())
          .forEach(each -> partitions.add(new TopicPartition(each.topic(), each.partition())));
      partitions.sort(Comparator.comparingInt(TopicPartition::partition));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      long limit = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
      while (!partitions.stream().allMatch(each -> consumer.position(each) >= ends.get(each))) {
        if (System.nanoTime() > limit) throw new IllegalStateException("not at the end within its time");
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) records.add(told(record));
      }
    }
    return Map.of("records", records);
  }

  private Object offsetOfTime(JsonNode request) throws Exception {
    TopicPartition partition = partitionOf(request);
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(request)) {
      OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(partition, request.get("timestampMs").asLong())).get(partition);
      return Map.of("offset", found == null ? -1 : found.offset());
    }
  }

  private static Map<String, Object> told(ConsumerRecord<byte[], byte[]> record) {
    List<Object[]> headers = new ArrayList<>();
    for (Header header : record.headers()) headers.add(new Object[] {header.key(), base64(header.value())});
    Map<String, Object> told = new HashMap<>();
    told.put("partition", record.partition());
    told.put("offset", record.offset());
    told.put("key", base64(record.key()));
    told.put("value", base64(record.value()));
    told.put("headers", headers);
    told.put("timestampMs", record.timestamp());
    told.put("timestampType", record.timestampType().name);
    return told;
  }

  private static Map<String, Object> settings(JsonNode request) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", request.get("server").asText());
    return settings;
  }

  private static Admin admin(JsonNode request) {
    return Admin.create(settings(request));
  }

  private static KafkaConsumer<byte[], byte[]> consumer(JsonNode request) {
    Map<String, Object> settings = settings(request);
    settings.put("enable.auto.commit", "false");
    return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private static TopicPartition partitionOf(JsonNode request) {
    return new TopicPartition(request.get("topic").asText(), request.get("partition").asInt());
  }

  private static byte[] bytes(JsonNode text) {
    return text.isNull() ? null : Base64.getDecoder().decode(text.asText());
  }

  private static String base64(byte[] bytes) {
    return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
  }
}
