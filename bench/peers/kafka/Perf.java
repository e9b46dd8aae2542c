// ProducerPerformance, Kafka's own load tool, as a load of the bench: one job as JSON in the first argument (see
// bench/load/job.ts), its result as a JSON line on stdout.
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.tools.ProducerPerformance;

public final class Perf {
  /** Enough to see how fast it is before it is warm. */
  private static final long FIRST_RECORDS = 100_000;
  /** The line that tells of the whole run; those in between do not name percentiles. */
  private static final Pattern TOTAL = Pattern.compile("(\\d+) records sent, ([0-9.]+) records/sec .* 99\\.9th");

  private final JsonNode job;

  public static void main(String[] args) {
    try {
      // The tool writes its figures as the locale has them.
      Locale.setDefault(Locale.ROOT);
      JsonNode job = new ObjectMapper().readTree(args[0]);
      if (!job.get("work").asText().equals("produce")) throw new IllegalArgumentException("this load only produces");
      new Load(job).ensureTopic();
      Perf perf = new Perf(job);
      Total total = perf.sendFor(job.get("seconds").asDouble(), perf.warmUp(job.get("warmupSeconds").asDouble()));
      double seconds = total.records() / total.rate();
      Load.emit("result", Load.run(total.records(), total.endNanos() - (long) (seconds * 1e9), seconds));
      System.exit(0);
    } catch (Throwable error) {
      Load.fail(error);
    }
  }

  private Perf(JsonNode job) {
    this.job = job;
  }

  /** What the tool says of a run, and when it said so. */
  private record Total(long records, double rate, long endNanos) {}

  /** Returns the rate in the end. Several runs, as what is slow at first would make one alone too short. */
  private double warmUp(double seconds) throws Exception {
    double rate = send(FIRST_RECORDS).rate();
    for (long start = System.nanoTime(); System.nanoTime() - start < seconds * 1e9; ) {
      rate = sendFor(seconds / 3, rate).rate();
    }
    return rate;
  }

  /** About so long: the tool is told a number of records, not a time. */
  private Total sendFor(double seconds, double rate) throws Exception {
    return send(Math.max(1, Math.round(seconds * rate)));
  }

  /** In this process, so that a run finds the code as warm as the one before left it. */
  private Total send(long records) throws Exception {
    List<String> args = new ArrayList<>(List.of("--bootstrap-server", job.get("server").asText()));
    args.addAll(List.of("--topic", Load.TOPIC, "--throughput", "-1"));
    args.addAll(List.of("--num-records", String.valueOf(records)));
    args.addAll(List.of("--record-size", job.get("recordBytes").asText(), "--command-property"));
    args.addAll(List.of("acks=all", "linger.ms=10", "batch.size=" + 256 * 1024));
    PrintStream stdout = System.out;
    Capture said = new Capture();
    System.setOut(new PrintStream(said, true, StandardCharsets.UTF_8));
    try {
      ProducerPerformance.main(args.toArray(new String[0]));
    } finally {
      System.setOut(stdout);
    }
    String text = said.toString(StandardCharsets.UTF_8);
    Matcher total = TOTAL.matcher(text);
    // It counts what was stored, and goes on after an error.
    if (!total.find() || Long.parseLong(total.group(1)) != records) {
      throw new IllegalStateException("ProducerPerformance did not tell of " + records + " records: " + text);
    }
    return new Total(records, Double.parseDouble(total.group(2)), said.lastNanos);
  }

  /** What was printed, and when the last of it: what comes after, the end of the producer, is not counted. */
  private static final class Capture extends ByteArrayOutputStream {
    private long lastNanos;

    @Override
    public synchronized void write(byte[] bytes, int offset, int length) {
      super.write(bytes, offset, length);
      lastNanos = System.nanoTime();
    }
  }
}
