import java.util.Map;
import org.apache.kafka.clients.admin.Admin;

/** Kafka's own Java clients: producer, consumer, admin. */
public final class Clients {
  public static void main(String[] args) throws Exception {
    Features features = new Features(args);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", features.server))) {
      Records records = new Records(features, admin);
      records.run();
      new Administration(features, admin, records).run();
    }
    System.exit(0);
  }
}
