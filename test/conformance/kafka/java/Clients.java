import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Kafka's own Java clients: producer, consumer, admin. */
public final class Clients {
  public static void main(String[] args) throws Exception {
    Features features = new Features(args);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", features.server))) {
      Records records = new Records(features, admin);
      records.run();
      new Administration(features, admin, records).run();
      new Listeners(features, new AtListener(records)).run();
    }
    System.exit(0);
  }

  private record AtListener(Records records) implements Listeners.Client {
    @Override
    public List<String> told(Map<String, String> settings) throws Exception {
      try (Admin admin = Admin.create(new HashMap<>(settings))) {
        return admin.describeCluster().nodes().get().stream().map(node -> node.host() + ":" + node.port()).toList();
      }
    }

    @Override
    public void roundTrip(Map<String, String> settings, String topic) throws Exception {
      TopicPartition at = new TopicPartition(topic, 0);
      List<ProducerRecord<byte[], byte[]>> sent = records.sample(at, 40);
      records.send(new HashMap<>(settings), sent);
      Records.expect(sent, 0, records.read(at, 0, 40, new HashMap<>(settings)));
    }
  }
}
