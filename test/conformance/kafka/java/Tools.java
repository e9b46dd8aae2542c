import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Kafka's command-line tools, by the main classes that their scripts start. */
public final class Tools {
  private static final String PACKAGE = "org.apache.kafka.tools.";
  private static final String TOPICS = PACKAGE + "TopicCommand";
  private static final String CONFIGS = "kafka.admin.ConfigCommand";
  private static final String OFFSETS = PACKAGE + "GetOffsetShell";
  private static final String LOG_DIRS = PACKAGE + "LogDirsCommand";
  private static final String DELETE_RECORDS = PACKAGE + "DeleteRecordsCommand";
  private static final String CLUSTER = PACKAGE + "ClusterTool";
  private static final String TRANSACTIONS = PACKAGE + "TransactionsCommand";
  private static final String PRODUCER = PACKAGE + "ConsoleProducer";
  private static final String CONSUMER = PACKAGE + "consumer.ConsoleConsumer";

  private final Features features;
  /** Options of every tool. */
  private String[] where;

  private Tools(Features features) {
    this.features = features;
    where = new String[] {"--bootstrap-server", features.server};
  }

  public static void main(String[] args) throws Exception {
    Features features = new Features(args);
    Tools tools = new Tools(features);
    tools.records();
    tools.administration();
    new Listeners(features, tools.new AtListener()).run();
    System.exit(0);
  }

  private void records() {
    features.feature("metadata", () -> {
      String topic = create("metadata", "--partitions", "3");
      String described = run(TOPICS, "--describe", "--topic", topic);
      Features.holds(described.contains("PartitionCount: 3\tReplicationFactor: 1"), described);
      long led = described.lines().filter(line -> line.matches("\t.*Partition: \\d+\tLeader: \\d+\t.*Isr: \\d+\t.*")).count();
      Features.equal(led, 3L, "the number of partitions with a leader and a replica in sync");
      Features.holds(run(TOPICS, "--list").lines().anyMatch(topic::equals), "the topic is listed");
      Features.holds(run(PACKAGE + "BrokerApiVersionsCommand").contains("Produce(0): "), "the versions of Produce are listed");
    });
    for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
      features.feature("produce and fetch, " + codec, () -> roundTrip("codec-" + codec, "--compression-codec", codec));
    }
    features.feature("headers", () -> {
      String topic = create("headers");
      produce(topic, "a:1,größe:2\tvalue\nNULL\tplain\n", "--reader-property", "parse.headers=true", "--reader-property", "null.marker=NULL");
      String read = consume(topic, 0, 2, "--formatter-property", "print.headers=true");
      Features.equal(read, "a:1,größe:2\tvalue\nNO_HEADERS\tplain\n", "what was read");
    });
    features.feature("null keys", () -> {
      String topic = create("null-keys");
      produce(topic, "key\tone\n\ttwo\nNULL\tthree\n", KEYED);
      Features.equal(consume(topic, 0, 3, PRINT_KEY), "key\tone\n\ttwo\nnull\tthree\n", "what was read");
    });
    features.feature("null values", () -> {
      String topic = create("null-values");
      produce(topic, "a\tNULL\nb\t\n", KEYED);
      Features.equal(consume(topic, 0, 2, PRINT_KEY), "a\tnull\nb\t\n", "what was read");
    });
    features.feature("a record of 900 KB", () -> {
      String topic = create("large");
      String line = "0123456789".repeat(90_000) + "\n";
      produce(topic, line);
      Features.equal(consume(topic, 0, 1), line, "what was read");
    });
    features.feature("10,000 records in order, pipelined, idempotent", () -> {
      String topic = create("many");
      produce(topic, lines(0, 10_000), "--command-property", "enable.idempotence=true", "--batch-size", "4096");
      Features.equal(consume(topic, 0, 10_000), lines(0, 10_000), "what was read");
    });
    for (String acks : List.of("0", "1", "all")) {
      features.feature("acks " + acks, () -> roundTrip("acks-" + acks, "--request-required-acks", acks, "--command-property", "enable.idempotence=false"));
    }
    features.feature("seek by time", () -> {
      String topic = create("by-time");
      produce(topic, lines(0, 10));
      Thread.sleep(20);
      long between = System.currentTimeMillis();
      Thread.sleep(20);
      produce(topic, lines(10, 20));
      Features.equal(offset(topic, String.valueOf(between)), topic + ":0:10", "the offset");
      Features.equal(offset(topic, String.valueOf(between + 3_600_000)), "", "the offset of a time after the end");
    });
    features.feature("earliest and latest offsets", () -> {
      String topic = create("ends");
      Features.equal(offset(topic, "latest"), topic + ":0:0", "the end of an empty partition");
      produce(topic, lines(0, 10));
      Features.equal(offset(topic, "earliest"), topic + ":0:0", "the beginning");
      Features.equal(offset(topic, "latest"), topic + ":0:10", "the end");
    });
    features.feature("offset of the largest timestamp", () -> {
      String topic = create("largest");
      produce(topic, lines(0, 3));
      Thread.sleep(20);
      produce(topic, lines(3, 4));
      Features.equal(offset(topic, "max-timestamp"), topic + ":0:3", "the offset");
    });
    features.feature("read a partition from an offset", () -> {
      String topic = create("from-offset");
      produce(topic, lines(0, 100));
      String read = consume(topic, 37, 63, "--formatter-property", "print.offset=true");
      String expected = IntStream.range(37, 100).mapToObj(i -> "Offset:" + i + "\trecord " + i + "\n").collect(Collectors.joining());
      Features.equal(read, expected, "what was read");
    });
    for (String name : List.of("a long poll is woken by a produce", "produce through a broker restart")) {
      features.feature(name, () -> {
        throw new Features.Unsupported("nothing of the tools' own: it is the producer and consumer of the Java column");
      });
    }
  }

  private void administration() {
    features.feature("create a topic with settings", () -> {
      String topic = create("created", "--partitions", "3", "--config", "retention.ms=86400000");
      String described = run(TOPICS, "--describe", "--topic", topic);
      Features.holds(described.contains("PartitionCount: 3"), described);
      Features.holds(described.lines().findFirst().orElse("").contains("retention.ms=86400000"), described);
      Features.holds(configs(topic).contains("  retention.ms=86400000 sensitive=false synonyms={DYNAMIC_TOPIC_CONFIG:retention.ms=86400000"), configs(topic));
    });
    features.feature("create a topic that exists", () -> {
      String topic = create("exists");
      fails("TopicExistsException", TOPICS, "--create", "--topic", topic);
      run(TOPICS, "--create", "--if-not-exists", "--topic", topic);
    });
    features.feature("create a topic with an invalid name", () ->
        fails("InvalidTopicException", TOPICS, "--create", "--topic", "not a name!"));
    features.feature("create partitions", () -> {
      String topic = create("grows");
      run(TOPICS, "--alter", "--topic", topic, "--partitions", "4");
      Features.eventually(() -> Features.holds(run(TOPICS, "--describe", "--topic", topic).contains("PartitionCount: 4"), "there are 4 partitions"));
      fails("InvalidPartitionsException", TOPICS, "--alter", "--topic", topic, "--partitions", "2");
    });
    features.feature("delete a topic", () -> {
      String topic = create("goes");
      run(TOPICS, "--delete", "--topic", topic);
      Features.eventually(() -> Features.holds(run(TOPICS, "--list").lines().noneMatch(topic::equals), "the topic is gone"));
    });
    features.feature("unknown topic", () -> {
      String topic = features.topic("unknown");
      fails("Topic '" + topic + "' does not exist as expected", TOPICS, "--describe", "--topic", topic);
      fails("Topic '" + topic + "' does not exist as expected", TOPICS, "--delete", "--topic", topic);
    });
    features.feature("describe configs", () -> {
      String described = configs(create("configs"));
      Features.holds(described.contains("  retention.ms=604800000 sensitive=false synonyms={"), described);
      Features.holds(described.contains("  cleanup.policy=delete sensitive=false synonyms={"), described);
      String node = run(CLUSTER, "list-endpoints").lines().skip(1).findFirst().orElse("").split("\\s+")[0];
      String broker = run(CONFIGS, "--entity-type", "brokers", "--entity-name", node, "--describe", "--all");
      Features.holds(broker.contains("  message.max.bytes="), broker);
    });
    features.feature("alter configs, incremental", () -> {
      String topic = create("alters");
      String[] on = {"--entity-type", "topics", "--entity-name", topic, "--alter"};
      run(CONFIGS, and(on, "--add-config", "retention.ms=1234567,segment.bytes=2000000"));
      Features.eventually(() -> Features.holds(configs(topic).contains("  retention.ms=1234567 "), configs(topic)));
      Features.holds(configs(topic).contains("  segment.bytes=2000000 "), configs(topic));
      run(CONFIGS, and(on, "--delete-config", "retention.ms"));
      Features.eventually(() -> Features.holds(configs(topic).contains("  retention.ms=604800000 "), configs(topic)));
      Features.holds(configs(topic).contains("  segment.bytes=2000000 "), configs(topic));
    });
    features.feature("alter configs, full", () -> {
      throw new Features.Unsupported("kafka-configs has only the incremental form");
    });
    features.feature("unknown config", () -> {
      fails("InvalidConfigurationException", TOPICS, "--create", "--topic", features.topic("bad-config"), "--config", "no.such.config=1");
      String topic = create("known");
      String[] on = {"--entity-type", "topics", "--entity-name", topic, "--alter"};
      fails("InvalidConfigurationException", CONFIGS, and(on, "--add-config", "no.such.config=1"));
      fails("InvalidConfigurationException", CONFIGS, and(on, "--add-config", "retention.ms=soon"));
    });
    features.feature("delete records", () -> {
      String topic = create("shrinks");
      produce(topic, lines(0, 20));
      Path file = Files.createTempFile("varve-conformance-", ".json");
      try {
        Files.writeString(file, "{\"partitions\":[{\"topic\":\"" + topic + "\",\"partition\":0,\"offset\":12}],\"version\":1}");
        String told = run(DELETE_RECORDS, "--offset-json-file", file.toString());
        Features.holds(told.contains("partition: " + topic + "-0\tlow_watermark: 12"), told);
      } finally {
        Files.delete(file);
      }
      Features.equal(offset(topic, "earliest"), topic + ":0:12", "the beginning");
      Features.equal(consume(topic, 12, 8), lines(12, 20), "what was read");
    });
    features.feature("describe the cluster", () -> {
      Features.holds(run(CLUSTER, "cluster-id").matches("(?s)Cluster ID: \\S+\\s*"), "there is a cluster id");
      String[] address = features.server.split(":");
      String endpoints = run(CLUSTER, "list-endpoints");
      Features.holds(endpoints.lines().anyMatch(line -> line.matches("\\d+\\s+" + address[0] + "\\s+" + address[1] + "\\s.*broker\\s*")), endpoints);
    });
    features.feature("describe log dirs", () -> {
      String topic = create("log-dirs");
      produce(topic, "x".repeat(50_000) + "\n");
      String told = run(LOG_DIRS, "--describe", "--topic-list", topic);
      Features.holds(told.matches("(?s).*\"partition\":\"" + topic + "-0\",\"size\":50\\d\\d\\d,.*"), told);
    });
    features.feature("describe producers", () -> {
      String topic = create("producers");
      produce(topic, lines(0, 10), "--command-property", "enable.idempotence=true");
      String told = run(TRANSACTIONS, "describe-producers", "--topic", topic, "--partition", "0");
      Features.holds(told.lines().skip(1).findFirst().orElse("").matches("\\d+\\s+0\\s+-1\\s+9\\s+\\d+\\s+None\\s*"), told);
    });
  }

  private static final String[] KEYED = {
    "--reader-property", "parse.key=true", "--reader-property", "null.marker=NULL"
  };
  private static final String[] PRINT_KEY = {"--formatter-property", "print.key=true"};

  private void roundTrip(String name, String... options) throws Exception {
    String topic = create(name);
    produce(topic, lines(0, 100), options);
    Features.equal(consume(topic, 0, 100), lines(0, 100), "what was read");
  }

  private static String lines(int from, int to) {
    return IntStream.range(from, to).mapToObj(i -> "record " + i + "\n").collect(Collectors.joining());
  }

  private String create(String name, String... options) throws Exception {
    String topic = features.topic(name);
    String told = run(TOPICS, and(new String[] {"--create", "--topic", topic}, options));
    Features.equal(told, "Created topic " + topic + ".\n", "what was told");
    Features.eventually(() -> offset(topic, "latest"));
    return topic;
  }

  private String configs(String topic) throws Exception {
    return run(CONFIGS, "--entity-type", "topics", "--entity-name", topic, "--describe", "--all");
  }

  private String offset(String topic, String time) throws Exception {
    return run(OFFSETS, "--topic", topic, "--partitions", "0", "--time", time).strip();
  }

  private void produce(String topic, String input, String... options) throws Exception {
    String[] all = and(and(where, "--topic", topic), options);
    var finished = MainClass.run(PRODUCER, input, all);
    String complaints = finished.complaints().lines().filter(line -> line.contains("ERROR")).collect(Collectors.joining("\n"));
    Features.equal(finished.code() + complaints, "0", "the end of the producer");
  }

  private String consume(String topic, long from, int count, String... options) throws Exception {
    List<String> where = List.of("--topic", topic, "--partition", "0", "--offset", String.valueOf(from));
    List<String> args = new ArrayList<>(where);
    args.addAll(List.of("--max-messages", String.valueOf(count), "--timeout-ms", "20000"));
    return run(CONSUMER, and(args.toArray(new String[0]), options));
  }

  /** The same, run with other settings. */
  private final class AtListener implements Listeners.Client {
    @Override
    public List<String> told(Map<String, String> settings) throws Exception {
      return at(settings, () -> run(CLUSTER, "list-endpoints").lines().skip(1)
          .map(line -> line.split("\\s+")).map(each -> each[1] + ":" + each[2]).toList());
    }

    @Override
    public void roundTrip(Map<String, String> settings, String topic) throws Exception {
      Features.equal(at(settings, () -> {
        produce(topic, lines(0, 100));
        return consume(topic, 0, 100);
      }), lines(0, 100), "what was read");
    }

    private <T> T at(Map<String, String> settings, Callable<T> body) throws Exception {
      Properties properties = new Properties();
      properties.putAll(settings);
      Path file = Files.createTempFile("varve-conformance-", ".properties");
      String[] usual = where;
      try {
        try (Writer writer = Files.newBufferedWriter(file)) {
          properties.store(writer, null);
        }
        where = new String[] {"--bootstrap-server", settings.get("bootstrap.servers"), "--command-config", file.toString()};
        return body.call();
      } finally {
        where = usual;
        Files.delete(file);
      }
    }
  }

  /** What it printed, when it ended well. */
  private String run(String mainClass, String... args) throws Exception {
    var finished = MainClass.run(mainClass, "", bootstrap(mainClass, args));
    Features.equal(finished.code(), 0, "the exit code of " + mainClass + ": " + finished.output() + finished.complaints());
    return finished.output();
  }

  private void fails(String expected, String mainClass, String... args) throws Exception {
    var finished = MainClass.run(mainClass, "", bootstrap(mainClass, args));
    String told = finished.output() + finished.complaints();
    Features.equal(finished.code(), 1, "the exit code of " + mainClass + ": " + told);
    Features.holds(told.contains(expected), "expected " + expected + ", told was " + told);
  }

  /** The subcommand of the cluster tool stands first, that of the transactions tool last. */
  private String[] bootstrap(String mainClass, String... args) {
    return mainClass.equals(CLUSTER) ? and(args, where) : and(where, args);
  }

  private static String[] and(String[] first, String... more) {
    return Stream.concat(Arrays.stream(first), Arrays.stream(more)).toArray(String[]::new);
  }
}
