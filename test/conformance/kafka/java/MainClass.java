import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/** Runs a main class as its script would, but in this JVM: starting one takes longer than most tools. */
final class MainClass {
  /** What it printed on either output, and its exit code. */
  record Finished(int code, String output, String complaints) {}

  private static final class Ended extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private MainClass() {}

  static Finished run(String name, String input, String... args) throws Exception {
    ByteArrayOutputStream output = new ByteArrayOutputStream();
    ByteArrayOutputStream complaints = new ByteArrayOutputStream();
    List<Runnable> hooks = new ArrayList<>();
    // The first is the one that would end the process; some tools take what is thrown for an error, and exit again.
    List<Integer> codes = new ArrayList<>();
    Exit.Procedure end = (code, message) -> {
      codes.add(code);
      throw new Ended();
    };
    Exit.setExitProcedure(end);
    Exit.setHaltProcedure(end);
    Exit.setShutdownHookAdder((hook, task) -> hooks.add(task));
    PrintStream out = System.out;
    PrintStream err = System.err;
    InputStream in = System.in;
    System.setOut(new PrintStream(output, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(complaints, true, StandardCharsets.UTF_8));
    System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
    try {
      Class.forName(name).getMethod("main", String[].class).invoke(null, (Object) args);
    } catch (InvocationTargetException wrapper) {
      if (!(wrapper.getCause() instanceof Ended)) throw wrapper;
    } finally {
      try {
        for (Runnable hook : hooks) hook.run();
      } finally {
        System.setOut(out);
        System.setErr(err);
        System.setIn(in);
      }
    }
    int code = codes.isEmpty() ? 0 : codes.get(0);
    return new Finished(code, output.toString(StandardCharsets.UTF_8), complaints.toString(StandardCharsets.UTF_8));
  }
}
