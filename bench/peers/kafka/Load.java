// The load for Kafka: one job as JSON in the first argument (see bench/load/job.ts), events as JSON lines on
// stdout, as the bench's other load processes do.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public final class Load {
  static final String TOPIC = "bench";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int MIB = 1024 * 1024;
  /** The broker's default of index.interval.bytes. */
  private static final int INDEX_INTERVAL_BYTES = 4096;

  private final String server;
  private final String mode;
  private final int recordBytes;
  private final int partitions;
  private final int clients;
  private final long records;
  private final double ratePerSecond;
  private final double warmupSeconds;
  private final double seconds;

  public static void main(String[] args) {
    try {
      JsonNode job = JSON.readTree(args[0]);
      Load load = new Load(job);
      String work = job.get("work").asText();
      emit("result", switch (work) {
        case "produce" -> load.produce();
        case "fill" -> load.fill();
        case "fetch" -> load.fetch();
        case "latency" -> load.latency();
        case "first" -> load.first();
        default -> throw new IllegalArgumentException("unknown work " + work);
      });
      System.exit(0);
    } catch (Throwable error) {
      fail(error);
    }
  }

  Load(JsonNode job) {
    server = job.get("server").asText();
    mode = job.get("mode").asText();
    recordBytes = job.get("recordBytes").asInt();
    partitions = job.get("partitions").asInt();
    clients = job.get("clients").asInt();
    records = job.get("records").asLong();
    ratePerSecond = job.get("ratePerSecond").asDouble();
    warmupSeconds = job.get("warmupSeconds").asDouble();
    seconds = job.get("seconds").asDouble();
  }

  static void fail(Throwable error) {
    error.printStackTrace();
    System.exit(1);
  }

  static synchronized void emit(String event, Map<String, ?> fields) throws Exception {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("event", event);
    line.putAll(fields);
    System.out.println(JSON.writeValueAsString(line));
  }

  /** Each client sends as fast as it can; what is acknowledged after the warm-up counts. */
  private Map<String, ?> produce() throws Exception {
    ensureTopic();
    openPartitions();
    LongAdder acknowledged = new LongAdder();
    AtomicBoolean isOver = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(clients);
    List<Future<?>> running = new ArrayList<>();
    for (int i = 0; i < clients; i++) {
      running.add(threads.submit(() -> {
        send(isOver, Long.MAX_VALUE, acknowledged);
        return null;
      }));
    }
    sleep(warmupSeconds);
    long first = acknowledged.sum();
    long start = System.nanoTime();
    sleep(seconds);
    Map<String, ?> run = run(acknowledged.sum() - first, start);
    isOver.set(true);
    for (Future<?> one : running) one.get();
    return run;
  }

  /**
   * Has every partition take its first records and its first index entries. Each time the broker syncs a file or
   * touches the first page of a mapped one: a thousand partitions take longer for it than the warm-up lasts.
   */
  private void openPartitions() throws Exception {
    byte[] value = new byte[2 * INDEX_INTERVAL_BYTES];
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(producerSettings())) {
      for (int round = 0; round < 3; round++) {
        List<Future<?>> opened = new ArrayList<>();
        for (TopicPartition one : allPartitions()) {
          opened.add(producer.send(new ProducerRecord<>(TOPIC, one.partition(), null, value)));
        }
        for (Future<?> one : opened) one.get();
      }
    }
  }

  private Map<String, ?> fill() throws Exception {
    ensureTopic();
    LongAdder acknowledged = new LongAdder();
    long start = System.nanoTime();
    send(new AtomicBoolean(), records, acknowledged);
    return run(acknowledged.sum(), start);
  }

  private void send(AtomicBoolean isOver, long count, LongAdder acknowledged) {
    Values values = new Values(recordBytes);
    Callback callback = (metadata, error) -> {
      if (error != null) fail(error);
      acknowledged.increment();
    };
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(producerSettings())) {
      for (long i = 0; i < count && !isOver.get(); i++) {
        byte[] value = values.next();
        // Its number: every key is another, and all partitions get equally many.
        byte[] key = partitions > 1 ? Arrays.copyOf(value, Long.BYTES) : null;
        producer.send(new ProducerRecord<>(TOPIC, key, value), callback);
      }
    }
  }

  /** Each client reads the topic from its start to its end until the time is up, touching every value. */
  private Map<String, ?> fetch() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(clients);
    List<Callable<Reader>> opens = new ArrayList<>();
    for (int i = 0; i < clients; i++) opens.add(Reader::new);
    List<Reader> readers = new ArrayList<>();
    for (Callable<Reader> open : opens) readers.add(open.call());
    Map<String, ?> result = null;
    for (double limit : new double[] {warmupSeconds, seconds}) {
      long start = System.nanoTime();
      List<Callable<Long>> reads = new ArrayList<>();
      for (Reader reader : readers) reads.add(() -> reader.readFor(start, limit));
      long read = 0;
      for (Future<Long> one : threads.invokeAll(reads)) read += one.get();
      result = run(read, start);
    }
    return result;
  }

  private final class Reader {
    private final KafkaConsumer<byte[], byte[]> consumer;
    private int touched;

    Reader() {
      Map<String, Object> settings = consumerSettings();
      // The fetch behind the last record would wait half a second before the next round can begin.
      settings.put("fetch.max.wait.ms", 5);
      consumer = new KafkaConsumer<>(settings);
    }

    long readFor(long start, double limit) {
      List<TopicPartition> all = allPartitions();
      consumer.assign(all);
      long read = 0;
      while (secondsSince(start) < limit) {
        consumer.seekToBeginning(all);
        read += readAll(start, limit);
      }
      return read;
    }

    /** Reads at least something, however late it is. */
    private long readAll(long start, double limit) {
      long begun = System.nanoTime();
      long read = 0;
      while (read == 0 || (read < records && secondsSince(start) < limit)) {
        var batch = consumer.poll(Duration.ofMillis(100));
        for (var record : batch) touched += record.value()[0];
        read += batch.count();
        if (read == 0 && secondsSince(begun) > 60) {
          throw new IllegalStateException("nothing was read within 60 s, touched " + touched);
        }
      }
      return read;
    }
  }

  /**
   * Sends at a fixed rate. Each record is timed from the moment it was due to its acknowledgement and to its
   * arrival at a consumer.
   */
  private Map<String, ?> latency() throws Exception {
    ensureTopic();
    int count = (int) (ratePerSecond * (warmupSeconds + seconds));
    int warmup = (int) (ratePerSecond * warmupSeconds);
    long interval = (long) (1e9 / ratePerSecond);
    long[] acks = new long[count];
    long[] arrivals = new long[count];
    CountDownLatch acked = new CountDownLatch(count);
    CountDownLatch arrived = new CountDownLatch(count);
    Map<String, Object> settings = producerSettings();
    settings.put("linger.ms", 0);
    KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings);
    producer.send(new ProducerRecord<>(TOPIC, 0, null, new byte[recordBytes])).get();
    KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(consumerSettings());
    TopicPartition partition = new TopicPartition(TOPIC, 0);
    consumer.assign(List.of(partition));
    consumer.seekToEnd(List.of(partition));
    consumer.position(partition);
    long start = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(500);
    Thread consuming = new Thread(() -> {
      while (arrived.getCount() > 0) {
        for (var record : consumer.poll(Duration.ofMillis(100))) {
          int i = (int) ByteBuffer.wrap(record.value()).getLong();
          arrivals[i] = System.nanoTime() - start - i * interval;
          arrived.countDown();
        }
      }
    });
    consuming.setUncaughtExceptionHandler((thread, error) -> fail(error));
    consuming.start();
    Values values = new Values(recordBytes);
    for (int n = 0; n < count; n++) {
      int i = n;
      long due = start + i * interval;
      for (long wait = due - System.nanoTime(); wait > 0; wait = due - System.nanoTime()) {
        LockSupport.parkNanos(wait);
      }
      producer.send(new ProducerRecord<>(TOPIC, 0, null, values.next()), (metadata, error) -> {
        if (error != null) fail(error);
        acks[i] = System.nanoTime() - due;
        acked.countDown();
      });
    }
    for (CountDownLatch done : List.of(acked, arrived)) {
      if (!done.await(30, TimeUnit.SECONDS)) {
        throw new IllegalStateException(done.getCount() + " records have not come back after 30 s");
      }
    }
    return Map.of("ack", summary(acks, warmup), "endToEnd", summary(arrivals, warmup));
  }

  /** Asks every few milliseconds for a server that is about to start, and sends it one record. */
  private Map<String, ?> first() throws Exception {
    Map<String, Object> settings = producerSettings();
    for (String what : List.of("retry", "reconnect")) {
      settings.put(what + ".backoff.ms", 5);
      settings.put(what + ".backoff.max.ms", 20);
    }
    settings.put("linger.ms", 0);
    KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(settings);
    Future<?> stored = Executors.newSingleThreadExecutor()
        .submit(() -> producer.send(new ProducerRecord<>(TOPIC, new byte[recordBytes])).get());
    // By then it has failed to connect often enough that its code is warm.
    sleep(1);
    emit("waiting", Map.of());
    stored.get();
    return Map.of();
  }

  /** Returns when every partition is served: a new one refuses records for a while. */
  void ensureTopic() throws Exception {
    Map<String, String> configs = new LinkedHashMap<>();
    if (mode.equals("fsync")) configs.put("flush.messages", "1");
    if (isLarge()) configs.put("max.message.bytes", String.valueOf(2 * recordBytes));
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", server))) {
      try {
        admin.createTopics(List.of(new NewTopic(TOPIC, partitions, (short) 1).configs(configs))).all().get();
      } catch (ExecutionException error) {
        if (!(error.getCause() instanceof TopicExistsException)) throw error;
      }
      Map<TopicPartition, OffsetSpec> ends = new LinkedHashMap<>();
      for (TopicPartition partition : allPartitions()) ends.put(partition, OffsetSpec.latest());
      admin.listOffsets(ends).all().get();
    }
  }

  private List<TopicPartition> allPartitions() {
    return IntStream.range(0, partitions).mapToObj(i -> new TopicPartition(TOPIC, i)).toList();
  }

  private boolean isLarge() {
    return recordBytes > 1_000_000;
  }

  private Map<String, Object> producerSettings() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("bootstrap.servers", server);
    settings.put("acks", "all");
    settings.put("linger.ms", 10);
    // With many partitions batches of 256 KiB would take all the memory, and sends wait for it: the default.
    if (partitions <= 100) settings.put("batch.size", 256 * 1024);
    settings.put("key.serializer", ByteArraySerializer.class);
    settings.put("value.serializer", ByteArraySerializer.class);
    if (partitions > 10) settings.put("buffer.memory", 128 * MIB);
    // The default, 32 MiB, of fifty is more than the heap.
    if (clients > 1) settings.put("buffer.memory", 4 * MIB);
    if (isLarge()) settings.put("max.request.size", 2 * recordBytes);
    return settings;
  }

  private Map<String, Object> consumerSettings() {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("bootstrap.servers", server);
    settings.put("key.deserializer", ByteArrayDeserializer.class);
    settings.put("value.deserializer", ByteArrayDeserializer.class);
    // As Kafka's own load tool does.
    settings.put("receive.buffer.bytes", 2 * MIB);
    if (isLarge()) settings.put("max.partition.fetch.bytes", 4 * MIB);
    return settings;
  }

  private static Map<String, ?> run(long records, long start) {
    return run(records, start, secondsSince(start));
  }

  /** The start is told on the clock that all processes of the machine share. */
  static Map<String, ?> run(long records, long start, double seconds) {
    return Map.of("records", records, "fromUs", TimeUnit.NANOSECONDS.toMicros(start), "seconds", seconds);
  }

  private static Map<String, ?> summary(long[] all, int warmup) {
    long[] nanos = Arrays.copyOfRange(all, warmup, all.length);
    Arrays.sort(nanos);
    Map<String, Object> summary = new LinkedHashMap<>();
    summary.put("count", nanos.length);
    summary.put("mean", Arrays.stream(nanos).average().orElseThrow() / 1e6);
    for (String share : List.of("10", "25", "50", "75", "90", "95", "99", "999", "9999")) {
      double rank = Double.parseDouble("0." + share) * (nanos.length - 1);
      summary.put("p" + share, nanos[(int) rank] / 1e6);
    }
    summary.put("max", nanos[nanos.length - 1] / 1e6);
    return summary;
  }

  private static void sleep(double seconds) throws InterruptedException {
    Thread.sleep((long) (seconds * 1_000));
  }

  private static double secondsSince(long start) {
    return (System.nanoTime() - start) / 1e9;
  }

  /** Random bytes, each value with its number in front; the producer copies a value before send returns. */
  private static final class Values {
    private final byte[][] pool;
    private long next;

    Values(int recordBytes) {
      pool = new byte[Math.max(16, Math.min(16_384, 32 * MIB / recordBytes))][recordBytes];
      java.util.Random random = new java.util.Random();
      for (byte[] value : pool) random.nextBytes(value);
    }

    byte[] next() {
      byte[] value = pool[(int) (next % pool.length)];
      ByteBuffer.wrap(value).putLong(next++);
      return value;
    }
  }
}
