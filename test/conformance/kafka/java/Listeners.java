import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What clients do in a cluster, and at listeners that have names, advertised addresses, and TLS. */
final class Listeners {
  /** What a client can do with settings that say where the broker is and how to speak to it. */
  interface Client {
    /** The addresses of the brokers in its metadata. */
    List<String> told(Map<String, String> settings) throws Exception;

    /** Writes to the first partition of a topic, reads it and compares. */
    void roundTrip(Map<String, String> settings, String topic) throws Exception;
  }

  /** What the Java clients say to each failure of a handshake, whoever it was that failed it. */
  private static final String REFUSAL = "SslAuthenticationException";

  private final Features features;
  private final Client client;
  private final JsonNode certificates;

  Listeners(Features features, Client client) {
    this.features = features;
    this.client = client;
    certificates = features.job.get("certificates");
  }

  void run() {
    features.feature("three brokers", () -> {
      JsonNode cluster = features.job.get("cluster");
      if (cluster.isNull()) throw new Features.Unsupported("the server has no cluster beside it");
      Set<String> servers = new HashSet<>();
      for (JsonNode server : cluster.get("servers")) servers.add(server.asText());
      for (String server : servers) {
        List<String> told = client.told(Map.of("bootstrap.servers", server));
        Features.equal(new HashSet<>(told), servers, "what was told at " + server);
      }
      for (JsonNode each : cluster.get("topics")) {
        client.roundTrip(Map.of("bootstrap.servers", each.get("server").asText()), each.get("topic").asText());
      }
    });
    features.feature("named listeners", () -> {
      int number = 0;
      for (JsonNode listener : listeners().get("named")) {
        Map<String, String> settings = Map.of("bootstrap.servers", listener.get("server").asText());
        told(settings, listener.get("advertised").asText());
        client.roundTrip(settings, features.topic("listeners-" + number++));
      }
    });
    features.feature("TLS", () -> {
      String server = listeners().get("tls").asText();
      Map<String, String> settings = trusting(server, "ca");
      told(settings, server);
      client.roundTrip(settings, features.topic("tls"));
      refused(trusting(server, "otherCa"), REFUSAL, "with another authority");
    });
    features.feature("mutual TLS", () -> {
      String server = listeners().get("mutualTls").asText();
      Map<String, String> settings = showing(trusting(server, "ca"), "client");
      told(settings, server);
      client.roundTrip(settings, features.topic("mutual-tls"));
      refused(trusting(server, "ca"), REFUSAL, "without a certificate");
      // Not every server says why it hangs up.
      refused(showing(trusting(server, "ca"), "stranger"), "", "with a certificate of another authority");
    });
  }

  private JsonNode listeners() {
    JsonNode listeners = features.job.get("listeners");
    if (listeners.isNull()) throw new Features.Unsupported("the listeners are not ours to configure");
    return listeners;
  }

  private void told(Map<String, String> settings, String expected) throws Exception {
    Features.equal(client.told(settings), List.of(expected), "what was told at " + settings.get("bootstrap.servers"));
  }

  private void refused(Map<String, String> settings, String expected, String what) throws Exception {
    String end;
    try {
      // It gives up long before the time of the feature is over.
      Map<String, String> bounded = new HashMap<>(settings);
      bounded.putAll(Map.of("default.api.timeout.ms", "8000", "request.timeout.ms", "8000"));
      end = "it was told " + client.told(bounded);
    } catch (Exception | AssertionError error) {
      end = error + " because of " + error.getCause();
      if (end.contains(expected)) return;
    }
    throw new AssertionError(what + ": " + end);
  }

  private Map<String, String> trusting(String server, String authority) {
    return Map.of(
        "bootstrap.servers", server, "security.protocol", "SSL",
        "ssl.truststore.type", "PEM", "ssl.truststore.location", certificates.get(authority).asText());
  }

  private Map<String, String> showing(Map<String, String> settings, String who) throws Exception {
    JsonNode files = certificates.get(who);
    Map<String, String> all = new HashMap<>(settings);
    all.put("ssl.keystore.type", "PEM");
    all.put("ssl.keystore.certificate.chain", Files.readString(Path.of(files.get("cert").asText())));
    all.put("ssl.keystore.key", Files.readString(Path.of(files.get("key").asText())));
    return all;
  }
}
