import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Runs features one after another, and tells what became of each in a line of JSON. */
final class Features {
  interface Body {
    void run() throws Exception;
  }

  /** What the client itself cannot do. */
  static final class Unsupported extends RuntimeException {
    private static final long serialVersionUID = 1;

    Unsupported(String reason) {
      super(reason);
    }
  }

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int LIMIT_SECONDS = 60;
  /** An hour ago: old enough to tell apart from the clock, young enough for every retention. */
  static final long BASE_TIME = System.currentTimeMillis() - 3_600_000;

  final JsonNode job;
  final String server;
  final boolean canRestart;
  private final String prefix;
  private final PrintStream out = System.out;
  private final BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
  private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
    Thread thread = new Thread(task);
    thread.setDaemon(true);
    return thread;
  });

  Features(String[] args) throws Exception {
    job = JSON.readTree(args[0]);
    server = job.get("server").asText();
    prefix = job.get("prefix").asText();
    canRestart = job.get("canRestart").asBoolean();
  }

  String topic(String name) {
    return prefix + "-" + name;
  }

  void feature(String name, Body body) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("feature", name);
    try {
      threads.submit(() -> {
        body.run();
        return null;
      }).get(LIMIT_SECONDS, TimeUnit.SECONDS);
      line.put("ok", true);
    } catch (ExecutionException wrapper) {
      Throwable error = wrapper.getCause();
      boolean isUnsupported = error instanceof Unsupported;
      line.put("ok", isUnsupported ? "unsupported" : false);
      String where = Arrays.stream(error.getStackTrace())
          .filter(frame -> frame.getFileName() != null && frame.getClassLoaderName() != null)
          .filter(frame -> !frame.getClassName().contains("."))
          .findFirst().map(Object::toString).orElse("");
      line.put("detail", isUnsupported ? error.getMessage() : error + " at " + where);
    } catch (Exception error) {
      line.put("ok", false);
      line.put("detail", error + ": no end within " + LIMIT_SECONDS + " s");
    }
    emit(line);
  }

  /** Asks for a restart of the server; the result ends when it is over. */
  java.util.concurrent.Future<?> restart() {
    emit(Map.of("event", "restart"));
    return threads.submit(() -> {
      equal(in.readLine(), "restarted", "answer");
      return null;
    });
  }

  private synchronized void emit(Map<String, ?> line) {
    try {
      out.println(JSON.writeValueAsString(line));
      out.flush();
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
  }

  /** The same bytes in every language: all values occur, and they compress. */
  static byte[] bytes(int seed, int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) bytes[i] = (byte) (seed * 31 + i * 7);
    return bytes;
  }

  static void equal(Object actual, Object expected, String what) {
    if (!Objects.deepEquals(actual, expected)) {
      throw new AssertionError(what + " is " + show(actual) + ", expected " + show(expected));
    }
  }

  static void holds(boolean condition, String what) {
    if (!condition) throw new AssertionError(what);
  }

  /** The body fails, and this is why. */
  static void fails(Class<? extends Exception> expected, Body body) throws Exception {
    try {
      body.run();
    } catch (Exception error) {
      Throwable cause = error instanceof ExecutionException ? error.getCause() : error;
      equal(cause.getClass(), expected, "the error \"" + cause.getMessage() + "\"");
      return;
    }
    throw new AssertionError("nothing failed, expected " + expected.getSimpleName());
  }

  /** What takes a moment to be seen everywhere is asked again, for ten seconds. */
  static void eventually(Body body) throws Exception {
    for (int i = 0; ; i++) {
      try {
        body.run();
        return;
      } catch (Exception | AssertionError error) {
        if (i == 100) throw error;
        Thread.sleep(100);
      }
    }
  }

  private static String show(Object value) {
    String text = value instanceof byte[] bytes ? bytes.length + " bytes " + Arrays.hashCode(bytes) : String.valueOf(value);
    return text.length() > 300 ? text.substring(0, 300) + "…" : text;
  }
}
